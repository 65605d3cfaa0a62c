package actors

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/persistence"
)

// forgetter carries out the orders to forget users, all in turn, a part at a time. Each conversation forgets by itself, as one of its own changes; the forgetter finds which have
// to, goes through them as often as it takes until none is left, and removes the order in the commit that shows that. What it knows is in the store: after a restart it begins anew
// with each order, and finds less to do.
//
// It goes at the reaper's pace and owns one timer, one-shot, and at most one goroutine of the engine's work.
type forgetter struct {
	engine *Engine
	ctx    context.Context //nolint:containedctx // ends what a step waits for; the engine waits for the step
	cancel context.CancelFunc

	mu      sync.Mutex
	queue   []*order // in turn
	timer   clock.Timer
	running bool // there is a goroutine, or the timer will start it when the pace allows
	closed  bool
}

func newForgetter(e *Engine) *forgetter {
	f := &forgetter{engine: e}
	f.ctx, f.cancel = context.WithCancel(e.ctx)
	return f
}

// add takes an order in.
func (f *forgetter) add(o *order) {
	f.mu.Lock()
	f.queue = append(f.queue, o)
	f.mu.Unlock()
	f.wake()
}

// wake has it look what there is to do.
func (f *forgetter) wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.running || len(f.queue) == 0 {
		return
	}
	f.stopTimer()
	f.running = true
	f.engine.background(f.run)
}

// run takes steps until it must wait.
func (f *forgetter) run() {
	for {
		o := f.next()
		if o == nil {
			return
		}
		if wait := f.step(o); wait > 0 {
			f.pause(wait)
			return
		}
	}
}

// next returns whose turn it is; nil where none may be dealt with yet, or it is all over.
func (f *forgetter) next() *order {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, soonest := f.engine.clock.now(), persistence.Never
	for i, o := range f.queue {
		if f.closed {
			break
		}
		if o.pass.notBefore <= now {
			f.queue = append(slices.Delete(f.queue, i, i+1), o)
			return o
		}
		soonest = min(soonest, o.pass.notBefore)
	}
	f.running = false
	if !f.closed && soonest != persistence.Never {
		f.timer = f.engine.after(soonest, f.goOff)
	}
	return nil
}

// pause has it go on after a time.
func (f *forgetter) pause(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.timer = f.engine.config.Clock.AfterFunc(d, f.goOff)
	}
}

func (f *forgetter) goOff() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.timer = nil
	f.running = true
	f.engine.background(f.run)
}

// drop lets go of an order that was carried out.
func (f *forgetter) drop(o *order) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = slices.DeleteFunc(f.queue, func(other *order) bool { return other == o })
}

func (f *forgetter) stopTimer() {
	if f.timer != nil {
		f.timer.Stop()
		f.timer = nil
	}
}

// stop keeps it from taking another step, and has the one under way give up, as far as the store is not writing already. What is left is in the store.
func (f *forgetter) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.cancel()
	f.stopTimer()
}
