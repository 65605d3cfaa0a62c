package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// Close writes what there is and ends the journal's goroutine. When ctx ends first, or the shards were lost, what could not be written is given up: its
// waiters get ErrUnavailable, and the error is a [*LostError]. A write that the store is about to carry out is waited for even then. Close may be called more
// than once, with the same result.
func (j *Journal) Close(ctx context.Context) error {
	why := errClosed
	if err := j.drain(ctx); err != nil {
		why = fmt.Errorf("%w: %w", errClosed, err)
		if last := j.counts.lastErr.Load(); last != nil {
			why = fmt.Errorf("%w; the last attempt to write: %w", why, *last)
		}
	}
	j.shut(why)
	<-j.done
	<-j.logDone
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lost > 0 {
		return &LostError{Rows: j.lost, Cause: j.closed}
	}
	return nil
}

// drain waits until everything is in the store, also what is owed, or the journal was closed, or ctx ended.
func (j *Journal) drain(ctx context.Context) error {
	for {
		if j.config.Gather != nil {
			j.config.Gather(j.config.Rows)
		}
		written := make(answer, 1)
		j.WaitStored("", j.Seq(), written)
		select {
		case err := <-written:
			// Someone who waits is told when the store is full. That may pass: the next attempt tells again.
			full := errors.Is(err, persistence.ErrStoreFull)
			// What came in meanwhile has yet to be written.
			if err != nil && !full || err == nil && j.owed.Load() <= 0 && j.Seq() == j.Flushed() {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// answer is a Waiter to receive from.
type answer chan error

func (a answer) Committed(_ Written, err error) { a <- err }

// LostError says that a journal was closed before it could write everything.
type LostError struct {
	Rows  int // at most: of those that were just being written, some or all may be in the store
	Cause error
}

// Error implements error.
func (e *LostError) Error() string {
	return fmt.Sprintf("journal: gave up %d changed rows before the store took them: %v", e.Rows, e.Cause)
}

// Unwrap returns the cause.
func (e *LostError) Unwrap() error { return e.Cause }

// shut refuses everything from now on and tells all waiters, unless that was done before. What was logged is not lost: it is carried out when the store is opened again, or the shards acquired.
func (j *Journal) shut(why error) {
	j.mu.Lock()
	if j.closed != nil {
		j.mu.Unlock()
		return
	}
	j.closed = why
	var waiters []waiting
	for b := range j.oldestFirst() {
		waiters = append(append(waiters, b.waiters...), b.stored...)
		b.waiters, b.stored = nil, nil
		if !b.logged {
			j.lost += b.rows
		}
	}
	j.lost += int(j.owed.Load())
	j.stopTimer()
	j.gauge()
	j.mu.Unlock()
	for _, w := range waiters {
		w.Committed(Written{}, &conversation.Error{Kind: conversation.ErrUnavailable, Conversation: w.name, Cause: why})
	}
	j.cancel(why)
}
