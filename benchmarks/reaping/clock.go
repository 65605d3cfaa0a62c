package reaping

import (
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors/clock"
)

// WaitingClock stands still until it is let go, so that any number of changes have the same stamp, and goes on from there.
type WaitingClock struct {
	clock.Clock

	born   time.Time
	letGo  atomic.Bool
	wentOn time.Time // on the clock below
}

// NewWaitingClock returns a clock that stands at the system's time.
func NewWaitingClock() *WaitingClock {
	c := clock.System()
	return &WaitingClock{Clock: c, born: c.Now()}
}

// Now implements [clock.Clock].
func (c *WaitingClock) Now() time.Time {
	if !c.letGo.Load() {
		return c.born
	}
	return c.born.Add(c.Clock.Now().Sub(c.wentOn))
}

// GoOn lets the clock go. It is called once.
func (c *WaitingClock) GoOn() {
	c.wentOn = c.Clock.Now()
	c.letGo.Store(true)
}
