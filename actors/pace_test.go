package actors

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/persistence"
)

// road is a pace in a world where deletions delay the journal's batches in proportion to their rate, and where somebody always waits for the pace.
type road struct {
	*pace

	now   persistence.Instant
	quiet time.Duration
	// delay is what deletions at the ceiling add to the journal's batches, in parts of what those take.
	delay float64
	late  time.Duration
	turns []PaceInfo
}

func newRoad(delay float64) *road {
	r := &road{pace: newPace(ReaperConfig{MinRowsPerSecond: 1_000, MaxRowsPerSecond: 101_000, MaxLateness: 4 * time.Second}), now: 1, quiet: 10 * time.Millisecond, delay: delay}
	r.take(r.now, 1)
	return r
}

// drive lets time go by and checks in each step that the rate stays within its bounds.
func (r *road) drive(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, d time.Duration,
) {
	t.Helper()
	for end := r.now.Add(d); r.now < end; {
		r.now = r.now.Add(steerEvery)
		r.take(r.now, 1)
		r.want()
		turned := r.steer(r.now, func() feeling {
			felt := float64(r.quiet) * (1 + r.delay*r.rate/r.ceiling)
			return feeling{Felt: time.Duration(felt), Quiet: r.quiet, Late: r.late}
		})
		if turned != nil {
			r.turns = append(r.turns, *turned)
		}
		if r.rate < r.floor || r.rate > r.ceiling {
			t.Fatalf("the rate is %v, which is not between %v and %v", r.rate, r.floor, r.ceiling)
		}
	}
}

func TestThePaceReachesItsMaximumWithinASecondWhereProposalsDoNotFeelIt(t *testing.T) {
	r := newRoad(0)
	r.drive(t, time.Second)
	if r.rate != r.ceiling || len(r.turns) != 1 || r.turns[0].Turn != Faster {
		t.Errorf("after a second the rate is %v, turns %+v; want %v and one turn, faster", r.rate, r.turns, r.ceiling)
	}
}

func TestThePaceComesToRestBetweenTooMuchAndTooLittle(t *testing.T) {
	r := newRoad(2)
	r.drive(t, 10*time.Second)
	felt := 1 + r.delay*r.rate/r.ceiling
	if felt < 1.1 || felt > crowded {
		t.Errorf("after ten seconds proposals take %.2f times as long, want between 1.1 and %v", felt, crowded)
	}
	turns := len(r.turns)
	rate := r.rate
	r.drive(t, 5*time.Minute)
	if len(r.turns) > turns || r.rate != rate {
		t.Errorf("in five minutes in which nothing changed it went from %v to %v, with %d turns", rate, r.rate, len(r.turns)-turns)
	}
}

func TestThePaceSlowsDownWhenProposalsBeginToFeelItAndComesBack(t *testing.T) {
	r := newRoad(0)
	r.drive(t, 2*time.Second)
	r.delay = 20 // the disk got slower
	r.drive(t, 3*time.Second)
	if r.rate > r.ceiling/20 {
		t.Errorf("three seconds after proposals began to feel it the rate is %v, want less than %v", r.rate, r.ceiling/20)
	}
	r.delay = 0
	r.drive(t, 10*time.Second)
	if r.rate != r.ceiling {
		t.Errorf("ten seconds after they no longer feel it the rate is %v, want %v", r.rate, r.ceiling)
	}
	var turns []Turn
	for _, turned := range r.turns {
		turns = append(turns, turned.Turn)
	}
	if len(turns) != 3 || turns[0] != Faster || turns[1] != Slower || turns[2] != Faster {
		t.Errorf("it turned %v, want faster, slower, faster", turns)
	}
	if info := r.turns[1]; info.RowsPerSecond >= info.Before || info.Quiet != r.quiet || info.Felt <= info.Quiet {
		t.Errorf("it told %+v, which does not say why it is slower", info)
	}
}

func TestOneSlowWriteDoesNotSlowThePaceDown(t *testing.T) {
	r := newRoad(0)
	r.drive(t, 2*time.Second)
	for range 20 {
		r.delay = 20
		r.drive(t, steerEvery)
		r.delay = 0
		r.drive(t, steerEvery)
	}
	if r.rate != r.ceiling {
		t.Errorf("the rate is %v, want %v", r.rate, r.ceiling)
	}
}

func TestALateReaperIsGivenMoreUpToTheMaximumWhateverProposalsFeel(t *testing.T) {
	r := newRoad(100)
	r.drive(t, 5*time.Second)
	if r.rate != r.floor {
		t.Fatalf("not late and much felt, the rate is %v, want the minimum", r.rate)
	}
	before := r.rate
	for r.late = r.tolerable / lateShare; r.late < r.tolerable; {
		r.late += 200 * time.Millisecond
		r.drive(t, steerEvery)
		if r.rate <= before {
			t.Fatalf("late by %v, the rate is %v, which is not more than %v before", r.late, r.rate, before)
		}
		before = r.rate
	}
	if r.rate != r.ceiling {
		t.Errorf("late by %v, the rate is %v, want the maximum", r.late, r.rate)
	}
	r.late = 0
	r.drive(t, 10*time.Second)
	if r.rate != r.floor {
		t.Errorf("in time again, the rate is %v, want the minimum", r.rate)
	}
}

func TestAPaceThatNobodyWaitsForDoesNotGrow(t *testing.T) {
	r := newRoad(0)
	for range 100 {
		r.now = r.now.Add(steerEvery)
		r.take(r.now, 1)
		r.steer(r.now, func() feeling { return feeling{} })
	}
	if r.rate != r.floor {
		t.Errorf("the rate is %v, want the minimum", r.rate)
	}
}

func TestThePaceBeginsAnewAfterARest(t *testing.T) {
	r := newRoad(0)
	r.drive(t, 2*time.Second)
	for range 20 {
		r.now = r.now.Add(restAfter)
		r.steer(r.now, func() feeling { return feeling{} })
	}
	if r.rate != r.floor || !r.opening {
		t.Errorf("the rate is %v, opening %v; want the minimum, and that it opens", r.rate, r.opening)
	}
}

func TestTheJournalAndTheCrowdAreFeltToo(t *testing.T) {
	for name, f := range map[string]feeling{
		"a journal that fills up":   {Fill: 0.6},
		"proposals that are queued": {Crowd: 100, Waiting: 2_000},
		"slow batches":              {Quiet: time.Millisecond, Felt: 3 * time.Millisecond},
	} {
		if s := f.strain(); s <= crowded {
			t.Errorf("%s: felt as %v, want more than %v", name, s, crowded)
		}
	}
	for name, f := range map[string]feeling{
		"nothing known":              {},
		"less than counts":           {Quiet: 100 * time.Microsecond, Felt: 500 * time.Microsecond},
		"a few proposals more":       {Crowd: 10, Waiting: 200},
		"a journal with some in it":  {Fill: 0.3},
		"batches as fast as without": {Quiet: 5 * time.Millisecond, Felt: 5 * time.Millisecond},
	} {
		if s := f.strain(); s > roomy {
			t.Errorf("%s: felt as %v, want no more than %v", name, s, roomy)
		}
	}
}

func TestThePaceIsKeptOverAnyTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.IntRange(1, 1_000_000).Draw(t, "rate")
		p := newPace(ReaperConfig{MinRowsPerSecond: rate, MaxRowsPerSecond: rate, MaxLateness: time.Second})
		now, taken := persistence.Instant(1_000_000), 0
		began := now
		for range 200 {
			rows := rapid.IntRange(1, 600).Draw(t, "rows")
			p.take(now, rows)
			taken += rows
			free := p.next()
			// Whoever waits wakes up late, by more than may be made up for or by less.
			now = max(now, free).Add(time.Duration(rapid.IntRange(0, 30_000).Draw(t, "late")) * time.Microsecond)
			allowed := float64(rate)*(free.Sub(began)+burst).Seconds() + 200 // a microsecond's worth for each step
			if float64(taken) > allowed+float64(rate)*200e-6 {
				t.Fatalf("%d rows were taken, of which %v are allowed by %v", taken, allowed, free)
			}
		}
	})
}

func TestNoPaceIsNoBound(t *testing.T) {
	p := newPace(ReaperConfig{MaxRowsPerSecond: -1})
	if free := p.take(1, math.MaxInt32); free != 0 || p.next() != 0 {
		t.Errorf("more may be taken at %v, want at once", free)
	}
	if turned := p.steer(persistence.Instant(1e9), func() feeling { return feeling{Fill: 1} }); turned != nil {
		t.Errorf("it turned: %+v", turned)
	}
	if rate, allowed, _ := p.rates(1); rate != 0 || allowed != 0 {
		t.Errorf("rates are %v and %v, want none", rate, allowed)
	}
}

func TestARandomPaceStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRoad(0)
		for range 30 {
			r.delay = rapid.Float64Range(0, 50).Draw(t, "delay")
			r.late = time.Duration(rapid.IntRange(0, 10).Draw(t, "late")) * time.Second
			r.drive(t, time.Second)
		}
	})
}

func TestTheMeterTellsTheRateOfLate(t *testing.T) {
	var m meter
	now := persistence.Instant(1)
	for range 100 {
		now = now.Add(20 * time.Millisecond)
		m.add(now, 100)
	}
	if got := m.rate(now); math.Abs(got-5_000) > 250 {
		t.Errorf("a hundred rows each 20 ms are %v a second, want 5,000", got)
	}
	if got := m.rate(now.Add(3 * time.Second)); got != 0 {
		t.Errorf("three seconds after the last row the rate is %v, want 0", got)
	}
}
