package actors

import (
	"context"
	"sync"
	"time"

	"github.com/parley-im/parley/actors/clock"
)

// chore is work that is never done: it is taken a step at a time, with a rest after each. It owns one timer, one-shot, set anew after each step, and there is never
// more than one step.
type chore struct {
	engine *Engine
	ctx    context.Context //nolint:containedctx // ends what a step does at the store; the engine waits for the step
	cancel context.CancelFunc
	step   func() (rest time.Duration) // 0: the next follows at once

	mu     sync.Mutex
	timer  clock.Timer // nil: a step is under way, or none was asked for yet
	closed bool
}

func newChore(e *Engine, step func() (rest time.Duration)) *chore {
	c := &chore{engine: e, step: step}
	c.ctx, c.cancel = context.WithCancel(e.ctx)
	return c
}

// arm has the next step come after a time.
func (c *chore) arm(after time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.timer = c.engine.config.Clock.AfterFunc(after, c.goOff)
	}
}

func (c *chore) goOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = nil
	if !c.closed {
		c.engine.background(c.run)
	}
}

// run takes steps until one asks for a rest.
func (c *chore) run() {
	for c.ctx.Err() == nil {
		if rest := c.step(); rest > 0 {
			c.arm(rest)
			return
		}
	}
}

// stop keeps the timer from going off again, and has a step under way give up, as far as the store is not writing already. It does not wait for that: the engine's
// work has the step in it.
func (c *chore) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.cancel()
	if c.timer != nil {
		c.timer.Stop()
	}
}
