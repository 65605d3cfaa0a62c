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

// room is a bound under which so many conversations can be active: each shard bounds its own, and they are not all alike.
func room(n int) int { return 2*n + 32*persistence.Shards }

// activateAll has the first n conversations become active, all of them: which takes many uses, where most of them are active already and the others' uses are forgotten in between.
func (r *running) activateAll(ctx context.Context, n int) error {
	for range 100 {
		if r.engine.Stats().Cells.Active >= n {
			break
		}
		if err := r.repeat(ctx, n); err != nil {
			return err
		}
	}
	if cells := r.engine.Stats().Cells; cells.Active < n {
		return fmt.Errorf("%d conversations are active, not %d", cells.Active, n)
	}
	return nil
}

// resident is an engine that has conversations in memory.
type resident struct{ *running }

// OpenResident opens an engine with Known conversations (from Fixture) and has the first Active of them become active. Figures: gc, the milliseconds of a
// whole collection.
func OpenResident(ctx context.Context, p side.Params) (side.Side, error) {
	config := configFor(p)
	config.MaxActive = room(p.Active)
	r, err := start(ctx, p, badgerstore.Options{}, config, nil)
	if err != nil {
		return nil, err
	}
	if p.Fixture == "" {
		err = r.fill(ctx)
	}
	if err == nil {
		err = r.activateAll(ctx, p.Active)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close()) //nolint:contextcheck // it ends whatever became of ctx
	}
	chat.SettledHeap() // what the store still has to do is over then
	return &resident{r}, nil
}

// Round implements [side.Side].
func (s *resident) Round(context.Context) (side.Figures, error) {
	chat.Rest()
	runtime.GC()
	began := time.Now()
	runtime.GC()
	return side.Figures{"gc": time.Since(began).Seconds() * 1000}, nil
}
