package parley

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// fillers is how many callers fill a store.
const fillers = 4

// inBatches calls do with the numbers below n, a run of up to a batch at a time, from several goroutines.
func inBatches(n int, do func(from, to int) error) error {
	var group sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, fillers)
	for f := range fillers {
		group.Go(func() {
			for errs[f] == nil {
				from := int(next.Add(actors.MaxBatch)) - actors.MaxBatch
				if from >= n {
					return
				}
				errs[f] = do(from, min(n, from+actors.MaxBatch))
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// propose has a batch of proposals applied, all of them.
func propose(ctx context.Context, engine *actors.Engine, batch []*actors.Proposal) error {
	for len(batch) > 0 {
		replies, err := engine.ProposeBatch(ctx, batch)
		if err != nil {
			return err
		}
		var again []*actors.Proposal
		for i := range replies {
			switch err := replies[i].Err; {
			case errors.Is(err, conversation.ErrOverloaded):
				again = append(again, batch[i])
			case err != nil:
				return err
			}
		}
		batch = again
	}
	return nil
}

// fill begins all conversations of the population and returns once they are in the store.
func (r *running) fill(ctx context.Context) error {
	return inBatches(r.people.Len(), func(from, to int) error {
		batch := make([]*actors.Proposal, 0, to-from)
		for i := from; i < to; i++ {
			batch = append(batch, r.people.First(i))
		}
		return propose(ctx, r.engine, batch)
	})
}

// warmUp has all conversations be in memory, the first n of them active, as far as the engine's bound leaves room: each shard bounds its own, and they are not all alike.
func (r *running) warmUp(ctx context.Context, n int) error {
	if err := r.repeat(ctx, r.people.Len()); err != nil {
		return err
	}
	// One that has no actor gets one once it is of use often.
	for range 10 {
		if r.engine.Stats().Cells.Active >= n*9/10 {
			break
		}
		if err := r.repeat(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// repeat proposes the first post of each of the first n conversations once more, which writes nothing.
func (r *running) repeat(ctx context.Context, n int) error {
	return inBatches(n, func(from, to int) error {
		batch := make([]*actors.Proposal, 0, to-from)
		for i := from; i < to; i++ {
			batch = append(batch, r.people.Post(i, 1, actors.AckApplied))
		}
		return propose(ctx, r.engine, batch)
	})
}

// OpenFixture fills the store in Dir with Known conversations of so many Members, and is ready once that is done. It has no rounds: it is closed, and
// the directory copied for the sides that begin with it.
func OpenFixture(ctx context.Context, p side.Params) (side.Side, error) {
	r, err := start(ctx, p, badgerstore.Options{NoSync: true}, configFor(p), nil)
	if err != nil {
		return nil, err
	}
	if err := r.fill(ctx); err != nil {
		return nil, errors.Join(err, r.Close()) //nolint:contextcheck // it ends whatever became of ctx
	}
	return &fixture{r}, nil
}

type fixture struct{ *running }

// Round implements [side.Side].
func (*fixture) Round(context.Context) (side.Figures, error) { return nil, nil }
