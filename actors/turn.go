package actors

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/persistence"
)

// turns bounds how many questions about users' conversations are answered at the same time, and where there are fewer processors than questions need, for how much of the time:
// a crowd that never lets go of a processor has proposals wait for the runtime's next time slice, which is ten milliseconds and more while the garbage collector has the other one.
type turns struct {
	free    chan *turn
	share   float64      // of the time, at most, that each turn works while others wait for it
	waiting atomic.Int64 // questions
	clock   *clockwork
	after   func(time.Duration, func()) clock.Timer
}

// turn is the right to answer one question at a time.
type turn struct {
	worked time.Duration       // since it rested last
	rests  persistence.Instant // until then
}

// spell is how long a turn works between two rests: about as long as a timer takes to go off, and short to wait for.
const spell = time.Millisecond / 2

// newTurns returns n turns which, where questions wait, keep no more than so many processors busy.
func newTurns(n int, processors float64, c *clockwork) *turns {
	t := &turns{free: make(chan *turn, n), share: min(1, processors/float64(n)), clock: c, after: c.clock.AfterFunc}
	for range n {
		t.free <- &turn{}
	}
	return t
}

// take waits for a turn, for as long as ctx and the engine last. Whoever got one must give it back.
func (e *Engine) take(ctx context.Context) (giveBack func(), err error) {
	return e.turns.take(ctx, e.done)
}

func (t *turns) take(ctx context.Context, done <-chan struct{}) (giveBack func(), err error) {
	t.waiting.Add(1)
	defer t.waiting.Add(-1)
	var mine *turn
	select {
	case mine = <-t.free:
	case <-ctx.Done():
		return nil, unavailable("", context.Cause(ctx))
	case <-done:
		return nil, unavailable("", ErrStopped)
	}
	if err := t.rest(ctx, mine, done); err != nil {
		t.free <- mine
		return nil, err
	}
	began := t.clock.now()
	return func() { t.giveBack(mine, t.clock.now().Sub(began)) }, nil
}

// rest waits until a turn may go on.
func (t *turns) rest(ctx context.Context, mine *turn, done <-chan struct{}) error {
	left := mine.rests.Sub(t.clock.now())
	if left <= 0 {
		return nil
	}
	over := make(chan struct{})
	timer := t.after(left, func() { close(over) })
	defer timer.Stop()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return unavailable("", context.Cause(ctx))
	case <-done:
		return unavailable("", ErrStopped)
	}
}

// giveBack lets the next question have its turn, after a rest where others wait and it has worked for long enough. One who asks alone never waits.
func (t *turns) giveBack(mine *turn, worked time.Duration) {
	switch mine.worked += worked; {
	case t.waiting.Load() == 0:
		mine.worked = 0
	case mine.worked >= spell:
		mine.rests = t.clock.now().Add(time.Duration(float64(mine.worked) * (1/t.share - 1)))
		mine.worked = 0
	}
	t.free <- mine
}
