package actors

import (
	"context"

	"github.com/parley-im/parley/actors/internal/journal"
)

// Flush returns once all that was applied before the call is in the store, and in its snapshots: at least as if each proposal had asked for AckCommitted. It is for who loads a lot at AckApplied and wants to know when that cannot be taken
// back any more. Proposals go on meanwhile. The error is an [*conversation.Error], ErrUnavailable where the engine stops or ErrOverloaded where the store is out of space, or ctx's cause.
func (e *Engine) Flush(ctx context.Context) error {
	for left := e.soiled(); ; {
		more := e.gatherLeft(left)
		written := make(inStore, 1)
		e.journal.WaitStored("", e.journal.Seq(), written)
		select {
		case err := <-written:
			if err != nil {
				return asError(err)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if !more {
			return nil
		}
	}
}

// soiled returns how many conversations, by worker, were posted to where they lie packed and are yet to be settled, or were settled since.
func (e *Engine) soiled() []int {
	left := make([]int, len(e.workers))
	for i, w := range e.workers {
		left[i] = w.soiled.len()
	}
	return left
}

// gatherLeft gives the journal the rows of some that are left, by worker, counts those off, and reports whether there may be more.
func (e *Engine) gatherLeft(left []int) (more bool) {
	for i, w := range e.workers {
		n := min(left[i], e.shareOf(e.config.FlushRows))
		if gathered := w.gather(n); gathered < n { // the journal had the rest gathered
			left[i] = 0
		} else {
			left[i] -= n
		}
		more = more || left[i] > 0
	}
	return more
}

// inStore is a journal.Waiter to receive from.
type inStore chan error

// Committed implements journal.Waiter.
func (c inStore) Committed(_ journal.Written, err error) { c <- err }
