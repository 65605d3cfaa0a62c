package actors

import (
	"context"

	"github.com/parley-im/parley/actors/internal/journal"
)

// Flush returns once all that was applied before the call is in the store, as if each proposal had asked for AckCommitted. It is for who loads a lot at AckApplied and wants to know when that cannot be taken
// back any more. Proposals go on meanwhile. The error is an [*conversation.Error], ErrUnavailable where the engine stops or ErrOverloaded where the store is out of space, or ctx's cause.
func (e *Engine) Flush(ctx context.Context) error {
	for left := e.soiled(); ; {
		gathered := e.gather(e.config.FlushRows)
		written := make(inStore, 1)
		e.journal.Wait("", e.journal.Seq(), written)
		select {
		case err := <-written:
			if err != nil {
				return asError(err)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if left -= gathered; left <= 0 || gathered == 0 {
			return nil
		}
	}
}

// inStore is a journal.Waiter to receive from.
type inStore chan error

// Committed implements journal.Waiter.
func (c inStore) Committed(_ journal.Written, err error) { c <- err }

// soiled returns how many conversations were posted to where they lie packed and are yet to be settled, or were settled since.
func (e *Engine) soiled() (n int) {
	for _, w := range e.workers {
		n += w.soiled.len()
	}
	return n
}
