package parley

import (
	"context"
	"errors"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// InMemory returns a store in memory in which an engine has begun Known conversations, for measurements of the heap: Badger's caches, memtables and
// compactions come and go by more than what is to be measured. Whoever reads a row gets a copy of their own, as from a disk.
func InMemory(ctx context.Context, p side.Params) (_ persistence.Store, _ *chat.Population, err error) {
	store := persistencetest.NewStore()
	engine, err := actors.Start(ctx, nil, store, configFor(p))
	if err != nil {
		return nil, nil, err
	}
	r := &running{engine: engine, people: chat.NewPopulation(p.Known, max(1, p.Members))}
	err = r.fill(ctx)
	return store, r.people, errors.Join(err, engine.Stop(context.WithoutCancel(ctx)))
}

// activeHeap is an engine, on a store in memory, whose conversations are all active.
type activeHeap struct {
	engine *actors.Engine
	heap   float64
}

// OpenHeap opens an engine on a store in memory with Known conversations and has all of them become active. Figures: heap, the bytes that each of these
// took.
func OpenHeap(ctx context.Context, p side.Params) (side.Side, error) {
	store, people, err := InMemory(ctx, p)
	if err != nil {
		return nil, err
	}
	config := configFor(p)
	config.MaxActive, config.MaxPackedBytes = room(p.Known), -1
	engine, err := actors.Start(ctx, nil, store, config)
	if err != nil {
		return nil, err
	}
	r := &running{engine: engine, people: people}
	before := chat.SettledHeap()
	if err := r.activateAll(ctx, p.Known); err != nil {
		return nil, errors.Join(err, engine.Stop(context.WithoutCancel(ctx)))
	}
	return &activeHeap{engine, (chat.SettledHeap() - before) / float64(p.Known)}, nil
}

// Round implements [side.Side].
func (s *activeHeap) Round(context.Context) (side.Figures, error) {
	return side.Figures{"heap": s.heap}, nil
}

// Close implements [side.Side].
func (s *activeHeap) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return s.engine.Stop(ctx)
}
