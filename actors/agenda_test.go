package actors

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/persistence"
)

// agendaFixture is an agenda on a virtual clock that starts at 1,000,000 µs.
type agendaFixture struct {
	*agenda

	virtual *clock.Virtual
	alarms  int
	running int // timers
}

const agendaStart = persistence.Instant(1_000_000)

func newAgendaFixture() *agendaFixture {
	f := &agendaFixture{virtual: clock.NewVirtual(agendaStart.Time())}
	c := newClockwork(f.virtual, 0)
	after := func(at persistence.Instant, call func()) clock.Timer {
		f.running++
		timer := &countedTimer{f: f}
		timer.Timer = f.virtual.AfterFunc(at.Sub(c.now()), func() {
			f.running--
			call()
		})
		return timer
	}
	f.agenda = newAgenda(c, after, func() { f.alarms++ })
	return f
}

type countedTimer struct {
	clock.Timer

	f *agendaFixture
}

func (t *countedTimer) Stop() bool {
	stopped := t.Timer.Stop()
	if stopped {
		t.f.running--
	}
	return stopped
}

func (f *agendaFixture) advance(at persistence.Instant) { f.virtual.Advance(at.Time()) }

func (f *agendaFixture) wantAlarms(t *testing.T, when string, want int) {
	t.Helper()
	if f.alarms != want {
		t.Errorf("%s: %d alarms, want %d", when, f.alarms, want)
	}
}

// wantTimer checks for when the timer is set; Never: that none is running.
func (f *agendaFixture) wantTimer(t *testing.T, when string, want persistence.Instant) {
	t.Helper()
	next, ok := f.virtual.Next()
	switch {
	case want == persistence.Never && (ok || f.running != 0):
		t.Errorf("%s: %d timers run, the first until %v; want none", when, f.running, next)
	case want != persistence.Never && (!ok || f.running != 1 || persistence.InstantOf(next) != want):
		t.Errorf("%s: %d timers run, the first until %v; want one, until %v", when, f.running, next, want.Time())
	}
}

// taken takes all that is due and returns it as lines.
func (f *agendaFixture) taken(now persistence.Instant) string {
	var out string
	for {
		shard, from, ok := f.take(now)
		if !ok {
			return out
		}
		out += fmt.Sprintf("shard %d from %d;", shard, from)
	}
}

func TestAnAlarmComesAtTheEarliestTimeAndNotBefore(t *testing.T) {
	f := newAgendaFixture()
	f.wantTimer(t, "at first", persistence.Never)
	f.due(7, agendaStart+300)
	f.wantTimer(t, "with one entry", agendaStart+300)
	f.due(8, agendaStart+200)
	f.wantTimer(t, "with an earlier one", agendaStart+200)
	f.due(9, agendaStart+400)
	f.wantTimer(t, "with a later one", agendaStart+200)

	f.advance(agendaStart + 199)
	f.wantAlarms(t, "before the earliest", 0)
	f.advance(agendaStart + 200)
	f.wantAlarms(t, "at the earliest", 1)
	if got, want := f.taken(agendaStart+200), fmt.Sprintf("shard 8 from %d;", agendaStart+200); got != want {
		t.Errorf("taken: got %q, want %q", got, want)
	}
	f.rearm(true, persistence.Never)
	f.wantTimer(t, "after that was dealt with", agendaStart+300)
	f.advance(agendaStart + 1000)
	f.wantAlarms(t, "behind all of them", 2)
	if got, want := f.taken(agendaStart+1000), fmt.Sprintf("shard 7 from %d;shard 9 from %d;", agendaStart+300, agendaStart+400); got != want {
		t.Errorf("taken: got %q, want %q", got, want)
	}
	f.rearm(true, persistence.Never)
	f.wantTimer(t, "with nothing left", persistence.Never)
}

// The timer for later must neither be lost nor kept from being set by something that is due at once.
func TestWhatIsDueAtOnceLeavesTheTimerForLaterAlone(t *testing.T) {
	for _, ago := range []persistence.Instant{0, 500} {
		f := newAgendaFixture()
		f.due(1, agendaStart-ago)
		f.wantAlarms(t, "for what is due already", 1)
		f.wantTimer(t, "for what is due already", persistence.Never)
		f.due(2, agendaStart+100)
		f.wantTimer(t, "for what comes later", agendaStart+100)
		f.due(3, agendaStart-ago)
		f.wantAlarms(t, "for what is due already, again", 2)
		f.wantTimer(t, "still", agendaStart+100)
		f.advance(agendaStart + 100)
		f.wantAlarms(t, "in the end", 3)
		f.due(4, agendaStart+200)
		f.wantTimer(t, "after an alarm that nobody has dealt with yet", agendaStart+200)
	}
}

func TestAShardIsTakenOnceFromTheEarliestPlaceThatWasAskedFor(t *testing.T) {
	f := newAgendaFixture()
	f.look(5, 300, agendaStart+10)
	f.look(5, 200, agendaStart+20)
	f.look(5, 400, agendaStart+5)
	if got := f.next(); got != agendaStart+5 {
		t.Errorf("next: got %d, want %d", got, agendaStart+5)
	}
	if got := f.taken(agendaStart + 4); got != "" {
		t.Errorf("taken before its time: %q", got)
	}
	if got, want := f.taken(agendaStart+5), "shard 5 from 200;"; got != want {
		t.Errorf("taken: got %q, want %q", got, want)
	}
	if got := f.taken(agendaStart + 100); got != "" {
		t.Errorf("taken again: %q", got)
	}
	if got := f.next(); got != persistence.Never {
		t.Errorf("next, with nothing left: got %d, want Never", got)
	}
	// What comes up while it is being looked at is not forgotten.
	f.look(5, 700, agendaStart+50)
	if got, want := f.taken(agendaStart+50), "shard 5 from 700;"; got != want {
		t.Errorf("taken: got %q, want %q", got, want)
	}
}

func TestAShardCanBeVisitedWithoutLookingForEntries(t *testing.T) {
	f := newAgendaFixture()
	f.look(5, persistence.Never, agendaStart+10)
	f.wantTimer(t, "for the visit", agendaStart+10)
	if got, want := f.taken(agendaStart+10), fmt.Sprintf("shard 5 from %d;", persistence.Never); got != want {
		t.Errorf("taken: got %q, want %q", got, want)
	}
}

func TestLookEverywhereIsForAllShardsNowAndFromTheBeginning(t *testing.T) {
	f := newAgendaFixture()
	f.look(3, 100, agendaStart+500)
	f.lookEverywhere()
	f.wantAlarms(t, "at once", 1)
	for want := range persistence.Shard(persistence.Shards) {
		shard, from, ok := f.take(agendaStart)
		if !ok || shard != want || from != 0 {
			t.Fatalf("take: got shard %d from %d (%t), want shard %d from 0", shard, from, ok, want)
		}
	}
	if got := f.taken(agendaStart + 1000); got != "" {
		t.Errorf("taken twice: %q", got)
	}
}

func TestTheReapersOwnWishCountsWithAndWithoutTheShards(t *testing.T) {
	f := newAgendaFixture()
	f.due(1, agendaStart+100)
	f.advance(agendaStart + 100)
	f.wantAlarms(t, "for the shard", 1)
	f.rearm(false, persistence.Never)
	f.wantTimer(t, "while nothing can be looked at and nothing is wished", persistence.Never)
	f.rearm(false, agendaStart+300)
	f.wantTimer(t, "with a wish", agendaStart+300)
	f.due(2, agendaStart+200)
	f.wantTimer(t, "with an earlier entry", agendaStart+200)
	f.taken(agendaStart + 100)
	f.advance(agendaStart + 200)
	f.wantAlarms(t, "for the entry", 2)
	f.rearm(true, agendaStart+300)
	f.wantAlarms(t, "for the entry, which was not taken", 3)
	f.taken(agendaStart + 200)
	f.rearm(true, agendaStart+300)
	f.wantTimer(t, "for the wish", agendaStart+300)
	f.advance(agendaStart + 300)
	f.wantAlarms(t, "for the wish", 4)
}

func TestAClosedAgendaHasNoTimerAndGivesNoAlarm(t *testing.T) {
	f := newAgendaFixture()
	f.due(1, agendaStart+100)
	f.close()
	f.wantTimer(t, "once closed", persistence.Never)
	f.due(2, agendaStart+200)
	f.due(3, agendaStart)
	f.lookEverywhere()
	f.rearm(true, agendaStart+300)
	f.wantTimer(t, "whatever is asked for after that", persistence.Never)
	f.advance(agendaStart + 1000)
	f.wantAlarms(t, "ever", 0)
	f.close()
}

// A timer cannot be stopped any more once it has begun to go off. The one that took its place must not be forgotten for that.
func TestATimerThatIsReplacedWhileItGoesOffLosesNoAlarm(t *testing.T) {
	var calls []func()
	v := clock.NewVirtual(agendaStart.Time())
	alarms := 0
	a := newAgenda(newClockwork(v, 0), func(_ persistence.Instant, call func()) clock.Timer {
		calls = append(calls, call)
		return neverStopped{}
	}, func() { alarms++ })
	a.due(1, agendaStart+200)
	a.due(2, agendaStart+100) // just as the first timer goes off, far too early
	calls[0]()
	if alarms != 0 {
		t.Errorf("before the time: %d alarms", alarms)
	}
	v.Advance((agendaStart + 100).Time())
	for _, call := range calls[1:] {
		call()
	}
	if alarms != 1 {
		t.Errorf("at the time: %d alarms, want 1", alarms)
	}
}

type neverStopped struct{}

func (neverStopped) Stop() bool { return false }

// The reaper takes what is due at each alarm and sets the timer anew. Then nothing is ever taken late, nothing too early, and one timer is enough.
func TestNothingIsTakenLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newAgendaFixture()
		due := map[persistence.Shard]persistence.Instant{} // the earliest of each
		now := agendaStart
		deal := func() {
			for handled := 0; handled < f.alarms; {
				handled = f.alarms
				for {
					shard, from, ok := f.take(now)
					if !ok {
						break
					}
					if at, ok := due[shard]; !ok || at > now || from > at {
						t.Fatalf("at %d: took shard %d from %d, whose earliest is %d (%t)", now, shard, from, at, ok)
					}
					delete(due, shard)
				}
				f.rearm(true, persistence.Never)
			}
			f.alarms = 0
		}
		t.Repeat(map[string]func(*rapid.T){
			"due": func(t *rapid.T) {
				shard := persistence.Shard(rapid.IntRange(0, 3).Draw(t, "shard"))
				at := now + persistence.Instant(rapid.IntRange(-20, 100).Draw(t, "in"))
				if earliest, ok := due[shard]; !ok || at < earliest {
					due[shard] = at
				}
				f.due(shard, at)
			},
			"deal": func(*rapid.T) { deal() },
			"advance": func(t *rapid.T) {
				// Step by step, as time goes by.
				for range rapid.IntRange(1, 50).Draw(t, "by") {
					now++
					f.advance(now)
					deal()
				}
			},
			"": func(t *rapid.T) {
				if f.running > 1 {
					t.Fatalf("%d timers are running", f.running)
				}
				earliest := persistence.Never
				for shard, at := range due {
					earliest = min(earliest, at)
					if at <= now && f.alarms == 0 {
						t.Fatalf("at %d: shard %d is due since %d, and there was no alarm", now, shard, at)
					}
				}
				if got := f.next(); got != earliest {
					t.Fatalf("next: got %d, want %d", got, earliest)
				}
				if next, ok := f.virtual.Next(); earliest > now && earliest != persistence.Never && (!ok || persistence.InstantOf(next) > earliest) {
					t.Fatalf("no timer is set for %d: the next is %v (%t)", earliest, next, ok)
				}
			},
		})
		f.close()
		if f.running != 0 {
			t.Fatalf("%d timers are running after close", f.running)
		}
	})
}

func TestATimerThatWasReplacedWhileItGoesOffLeavesNoneRunning(t *testing.T) {
	f := newAgendaFixture()
	var stale func()
	inner := f.agenda.after
	f.agenda.after = func(at persistence.Instant, call func()) clock.Timer {
		timer := inner(at, call)
		if stale == nil {
			stale = call
			timer.Stop() // it is going off: off the clock, but not run yet
			return neverStopped{}
		}
		return timer
	}
	f.due(1, agendaStart+200)
	f.due(2, agendaStart+100)
	stale()
	f.close()
	f.wantTimer(t, "after close", persistence.Never)
}
