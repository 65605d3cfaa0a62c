package parley

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// resident is an engine that has conversations in memory.
type resident struct {
	*running

	heap float64 // of one
}

// OpenResident opens an engine with Known conversations (from Fixture) and has the first Active of them become active. Figures: heap, the bytes that
// each of these took, without what the store caches of any row that is read; gc, the milliseconds of a whole collection.
func OpenResident(ctx context.Context, p side.Params) (side.Side, error) {
	config := configFor(p)
	config.MaxActive = 2*p.Active + 32*persistence.Shards // each shard bounds its own, and they are not all alike
	r, err := start(ctx, p, badgerstore.Options{}, config, nil)
	if err != nil {
		return nil, err
	}
	s := &resident{running: r}
	if p.Fixture == "" {
		err = r.fill(ctx)
	}
	if err == nil {
		err = s.activate(ctx, p.Active)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close()) //nolint:contextcheck // it ends whatever became of ctx
	}
	return s, nil
}

// activate makes conversations active once all their rows were read, so that the caches below have what they hold before the first measurement.
func (s *resident) activate(ctx context.Context, n int) error {
	err := inBatches(n, func(from, to int) error {
		for i := from; i < to; i++ {
			if _, err := s.engine.Get(ctx, s.people.Names[i], s.people.Sender(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	before := chat.SettledHeap()
	if err := s.running.activate(ctx, n); err != nil {
		return err
	}
	if cells := s.engine.Stats().Cells; cells.Active < n {
		return fmt.Errorf("%d conversations are active, not %d", cells.Active, n)
	}
	s.heap = (chat.SettledHeap() - before) / float64(n)
	return nil
}

// Round implements [side.Side].
func (s *resident) Round(context.Context) (side.Figures, error) {
	runtime.GC()
	began := time.Now()
	runtime.GC()
	return side.Figures{"heap": s.heap, "gc": time.Since(began).Seconds() * 1000}, nil
}
