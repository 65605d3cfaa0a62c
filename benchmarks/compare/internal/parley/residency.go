package parley

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// skew is how much more often than others some conversations are spoken in.
const skew = 1.1

// bounded is an engine that may have so many conversations active.
type bounded struct {
	*posts

	counter *counter
}

// OpenBounded opens an engine with Known conversations (from Fixture), at most Active of which are active, and speaks in all of them, by Zipf's law, in
// batches of Batch, applied; those that are spoken in most are active from the start. Figures: rate, the posts a second; reads of the store for each thousand of them; heap, the
// bytes of the process's heap then.
func OpenBounded(ctx context.Context, p side.Params) (side.Side, error) {
	var counted *counter
	r, err := start(ctx, p, badgerstore.Options{}, configFor(p), func(store persistence.Store) persistence.Store {
		counted = &counter{Store: store}
		return counted
	})
	if err != nil {
		return nil, err
	}
	s := &bounded{posts: newPosts(r, p), counter: counted}
	for _, speaker := range s.speakers {
		speaker.Skew(skew)
	}
	if err := s.warmUp(ctx); err != nil {
		return nil, errors.Join(err, r.Close()) //nolint:contextcheck // it ends whatever became of ctx
	}
	return s, nil
}

// warmUp has the conversations become active that would be after a long while: as many as may be, those last that are spoken in most.
func (s *bounded) warmUp(ctx context.Context) error {
	var group sync.WaitGroup
	errs := make([]error, len(s.speakers))
	for n, speaker := range s.speakers {
		group.Go(func() {
			favourites := speaker.Favourites(s.p.Active / len(s.speakers))
			slices.Reverse(favourites)
			for some := range slices.Chunk(favourites, s.p.Batch) {
				batch := make([]*actors.Proposal, len(some))
				for i, conversation := range some {
					batch[i] = s.people.Post(conversation, 1, actors.AckApplied)
				}
				if errs[n] = propose(ctx, s.engine, batch); errs[n] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err := s.speak(ctx)
	return err
}

// Round implements [side.Side].
func (s *bounded) Round(ctx context.Context) (side.Figures, error) {
	before, applied := s.counter.reads.Load(), s.engine.Stats().Proposals.Applied
	rate, err := s.speak(ctx)
	if err != nil {
		return nil, err
	}
	reads, applied := s.counter.reads.Load()-before, s.engine.Stats().Proposals.Applied-applied
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	return side.Figures{
		"rate": rate, "reads": 1000 * float64(reads) / float64(max(1, applied)), "heap": chat.SettledHeap(), "active": float64(s.engine.Stats().Cells.Active),
	}, nil
}

// counter is a store that counts its reads.
type counter struct {
	persistence.Store

	reads atomic.Int64
}

// Snapshot implements [persistence.Store].
func (c *counter) Snapshot() (persistence.Snapshot, error) {
	snapshot, err := c.Store.Snapshot()
	if err != nil {
		return nil, err
	}
	return &countedSnapshot{Snapshot: snapshot, counter: c}, nil
}

type countedSnapshot struct {
	persistence.Snapshot

	counter *counter
}

// Get implements [persistence.Snapshot].
func (s *countedSnapshot) Get(ctx context.Context, key []byte) ([]byte, error) {
	s.counter.reads.Add(1)
	return s.Snapshot.Get(ctx, key)
}

// Scan implements [persistence.Snapshot].
func (s *countedSnapshot) Scan(ctx context.Context, ranges ...persistence.Range) iter.Seq2[persistence.Row, error] {
	s.counter.reads.Add(1)
	return s.Snapshot.Scan(ctx, ranges...)
}
