package actors_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/clock"
)

// countingClock counts the timers that run.
type countingClock struct {
	clock.Clock

	running atomic.Int64
}

type countedBy struct {
	clock.Timer

	c *countingClock
}

func (c *countingClock) AfterFunc(d time.Duration, f func()) clock.Timer {
	c.running.Add(1)
	return &countedBy{Timer: c.Clock.AfterFunc(d, func() { c.running.Add(-1); f() }), c: c}
}

func (t *countedBy) Stop() bool {
	stopped := t.Timer.Stop()
	if stopped {
		t.c.running.Add(-1)
	}
	return stopped
}

func TestAnEngineThatHasStoppedHasNoTimerLeft(t *testing.T) {
	for _, after := range []time.Duration{0, time.Second, 30 * time.Minute, 2 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			c := &countingClock{Clock: clock.System()}
			config := hourly()
			config.Clock = c
			e := actorstest.Start(t, config)
			e.Post("group:1", "ann", 1)
			e.Advance(after)
			if n := c.running.Load(); n == 0 {
				t.Fatalf("after %v no timer runs: the test shows nothing", after)
			}
			if err := e.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := c.running.Load(); n != 0 {
				t.Errorf("stopped after %v, %d timers run", after, n)
			}
		})
	}
}
