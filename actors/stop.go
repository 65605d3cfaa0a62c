package actors

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// Stop drains the engine and ends it: new proposals are refused with ErrUnavailable; those accepted are applied; what they changed is written to the store, and whoever waits for
// that is answered; a deletion under way is finished, and what is left to delete stays in the due index for the next start. Then all watches end, which are not
// waited for, and every goroutine and timer of the engine.
//
// ctx bounds the drain. When it ends first, the engine is ended all the same: proposals not applied by then are refused, changes not in the store are lost, and the
// error says so. Stop may be called any number of times, from any goroutine; each call returns when the engine has ended, with the same error.
// The store is not closed.
func (e *Engine) Stop(ctx context.Context) error {
	return e.stop(ctx, ErrStopped)
}

func (e *Engine) stop(ctx context.Context, why error) error {
	e.stopOnce.Do(func() {
		e.stopResult = e.drain(ctx, why)
		close(e.done)
	})
	<-e.done
	return e.stopResult
}

// drain is the one place where the order of ending is written down.
func (e *Engine) drain(ctx context.Context, why error) error {
	began := e.clock.now()
	info := e.stopInfo()
	if e.config.Observer.StopBegin != nil {
		e.config.Observer.StopBegin(info)
	}

	// Intake closes: from here on no message is offered to a cell.
	e.gate.Lock()
	e.closed = true
	e.gate.Unlock()
	e.draining.Store(true)
	e.sweeper.stop()
	e.pruner.stop()
	e.forgetter.stop()
	e.census.stop()
	e.residency.stop()

	// Cells drain and seal, then the journal writes what came of it, then the reaper finishes its batch.
	err := e.ask(ctx, "conversations were not finished", e.drainShards)
	if closing := e.journal.Close(ctx); closing != nil {
		err = errors.Join(err, closing)
	}
	err = errors.Join(err, e.ask(ctx, "a deletion was not finished", func(done func()) { e.tellReaper(&drain{done: done}) }))

	if err == nil && e.journal.Dropped() == 0 {
		_ = e.lineage.end(ctx, e.store, e.shards[0].epoch) // what is lost by a failure is that clients need not be told everything anew
	}

	// Nothing is left to do, or to tell, or to wait for.
	e.events.close()
	e.agenda.close()
	e.cancel(why)
	e.system.Root.Stop(e.root)
	<-e.rootStopped
	e.work.Wait()
	e.loaders.stop()
	for _, w := range e.workers {
		w.stop()
	}
	e.abandon(why)
	e.system.Shutdown()
	e.door.close()

	if e.config.Observer.StopEnd != nil {
		info.Took, info.Err = e.clock.now().Sub(began), err
		e.config.Observer.StopEnd(info)
	}
	return err
}

// ask starts something and waits until it calls done, or ctx ends.
func (e *Engine) ask(ctx context.Context, otherwise string, start func(done func())) error {
	finished := make(chan struct{})
	start(func() { close(finished) })
	select {
	case <-finished:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("parley: stop: %s: %w", otherwise, context.Cause(ctx))
	}
}

func (e *Engine) drainShards(done func()) {
	var left atomic.Int64
	left.Store(int64(len(e.shards)))
	for _, s := range e.shards {
		s.tell(&drain{done: func() {
			if left.Add(-1) == 0 {
				done()
			}
		}})
	}
}

// abandon refuses what is still queued after a drain that was cut short. All actors have ended by now.
func (e *Engine) abandon(why error) {
	for _, s := range e.shards {
		for _, c := range s.cells.all() {
			c.mu.Lock()
			messages := c.queue.take()
			c.countBusy()
			c.phase = sealed
			c.mu.Unlock()
			for _, m := range messages {
				switch m := m.(type) {
				case *intake:
					e.refuse(m.proposal, m.to, unavailable(m.proposal.Conversation, why))
				case *review:
					m.fail(e, unavailable(m.conversation, why))
				}
			}
		}
	}
}

func (e *Engine) stopInfo() StopInfo {
	stats := e.Stats()
	return StopInfo{Active: stats.Cells.Active, Queued: int(stats.Proposals.Waiting), JournalRows: stats.Journal.Rows}
}

// Settle returns once everything that was answered before the call has been dealt with by the reaper: what is due by the engine's clock was judged, and
// what had expired is durably deleted, without waiting for batches to fill. It is meant for tests and for replays on a virtual clock.
func (e *Engine) Settle(ctx context.Context) error {
	settled := make(chan struct{})
	e.tellReaper(&settle{done: func() { close(settled) }})
	select {
	case <-settled:
		return nil
	case <-e.done:
		return unavailable("", ErrStopped)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
