package actors

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors/clock"
)

// asker asks one question after the other for its turn.
type asker struct {
	turns   *turns
	virtual *clock.Virtual
}

// newAsker returns one for a single turn, which may keep so many processors busy.
func newAsker(processors float64) *asker {
	virtual := clock.NewVirtual(time.Unix(1_700_000_000, 0))
	return &asker{turns: newTurns(1, processors, newClockwork(virtual, 0)), virtual: virtual}
}

// work takes a turn for a while.
func (a *asker) work(t *testing.T, d time.Duration) (giveBack func()) {
	t.Helper()
	giveBack, err := a.turns.take(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	a.virtual.Advance(a.virtual.Now().Add(d))
	return giveBack
}

// waits returns how long a question has to wait that comes while a turn is taken, which worked for so long.
func (a *asker) waits(t *testing.T, worked time.Duration) time.Duration {
	t.Helper()
	giveBack := a.work(t, worked)
	began, done := a.virtual.Now(), make(chan struct{})
	go func() {
		defer close(done)
		next, err := a.turns.take(context.Background(), nil)
		if err != nil {
			t.Error(err)
			return
		}
		next()
	}()
	synctest.Wait()
	giveBack()
	for {
		synctest.Wait()
		select {
		case <-done:
			return a.virtual.Now().Sub(began)
		default:
		}
		at, ok := a.virtual.Next()
		if !ok {
			t.Fatal("it waits for nothing")
		}
		a.virtual.Advance(at)
	}
}

func TestACrowdOfQuestionsLeavesTheProcessorsToOthersForTheRestOfTheTime(t *testing.T) {
	for _, c := range []struct {
		processors  float64
		worked, get time.Duration
	}{
		{0.125, spell, 7 * spell},
		{0.25, spell, 3 * spell},
		{0.25, 5 * spell, 15 * spell},
		{0.5, 3 * spell, 3 * spell},
		{1, 5 * spell, 0},
		{8, 5 * spell, 0},
		{0.25, spell - 1, 0}, // too short for a timer
	} {
		synctest.Test(t, func(t *testing.T) {
			if got := newAsker(c.processors).waits(t, c.worked); (got - c.get).Abs() > time.Microsecond {
				t.Errorf("%v processors, %v of work: the next one waits %v, want %v", c.processors, c.worked, got, c.get)
			}
		})
	}
}

func TestShortQuestionsRestOnceTheyWereLongTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAsker(0.25)
		a.turns.waiting.Add(1) // the crowd
		for i := range 10 {
			want := time.Duration(0)
			if i%4 == 3 {
				want = 3 * spell
			}
			if got := a.waits(t, spell/4); got != want {
				t.Errorf("the question behind the %d. waits %v, want %v", i+1, got, want)
			}
		}
	})
}

func TestOneWhoAsksAloneNeverRests(t *testing.T) {
	a := newAsker(0.125)
	for range 10 {
		a.work(t, 10*spell)() // which would wait for ever, as the clock stands still
	}
}

func TestWhoGivesUpWhileATurnRestsLeavesItToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAsker(0.25)
		giveBack := a.work(t, spell)
		a.turns.waiting.Add(1)
		giveBack()
		a.turns.waiting.Add(-1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		done := make(chan struct{})
		close(done)
		for _, end := range []struct {
			ctx  context.Context
			done chan struct{}
		}{{ctx, nil}, {t.Context(), done}} {
			if _, err := a.turns.take(end.ctx, end.done); err == nil {
				t.Error("it has a turn before the rest is over")
			}
		}
		a.virtual.Advance(a.virtual.Now().Add(3 * spell))
		a.work(t, 0)()
	})
}
