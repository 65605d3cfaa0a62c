package load

import (
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors/clock"
)

// gate is a clock that stands still until it is let go, so that any number of changes have the same stamp, and goes on from there. Timers count real time all along.
type gate struct {
	clock.Clock

	born   time.Time
	wentOn atomic.Pointer[time.Time] // on the clock below
}

func newGate() *gate {
	c := clock.System()
	return &gate{Clock: c, born: c.Now()}
}

// Now implements [clock.Clock].
func (g *gate) Now() time.Time {
	wentOn := g.wentOn.Load()
	if wentOn == nil {
		return g.born
	}
	return g.born.Add(g.Clock.Now().Sub(*wentOn))
}

func (g *gate) goOn() {
	now := g.Clock.Now()
	g.wentOn.CompareAndSwap(nil, &now)
}
