package actors

import (
	"context"

	"github.com/parley-im/parley/actors/histogram"
	"github.com/parley-im/parley/persistence"
)

// timedStore counts how long a store's commits take, until it answers: waiting for its turn is in it, and so are those that failed.
type timedStore struct {
	persistence.Store

	clock *clockwork
	took  *histogram.Recorder
}

// Commit implements [persistence.Store].
func (s *timedStore) Commit(ctx context.Context, batch persistence.Batch) ([]persistence.Result, error) {
	began := s.clock.now()
	results, err := s.Store.Commit(ctx, batch)
	s.took.Record(s.clock.now().Sub(began))
	return results, err
}
