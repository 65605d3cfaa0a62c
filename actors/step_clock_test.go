package actors_test

import (
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors/clock"
)

// stepClock goes on by a step whenever somebody looks at it, besides the bubble's time.
type stepClock struct {
	step, added atomic.Int64
}

func newStepClock() *stepClock { return &stepClock{} }

func (c *stepClock) Now() time.Time {
	return time.Now().Add(time.Duration(c.added.Add(c.step.Load())))
}

func (c *stepClock) AfterFunc(d time.Duration, f func()) clock.Timer { return time.AfterFunc(d, f) }
