package parley

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/compare/internal/chat"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// stopWithin is how long an engine may take to write what is left and end.
const stopWithin = 2 * time.Minute

// running is an engine and its store.
type running struct {
	engine *actors.Engine
	store  *badgerstore.Store
	people *chat.Population
}

// configFor returns the engine's configuration. Nothing becomes passive for being idle, as the side may have to wait for its turn: how many are
// active is the bound's to say alone. Where all may be, each gets an actor at once; where more are known than that, there is room for all others to be packed.
func configFor(p side.Params) actors.Config {
	config := actors.Config{IdleAfter: 10 * time.Hour}
	if p.Active == 0 {
		return config
	}
	config.MaxActive, config.MaxPackedBytes = p.Active, -1
	if p.Known > p.Active {
		config.MaxPackedBytes, config.MaxJournalBytes, config.MaxFlushInterval = p.Known*packedRoom, journalRoom, journalTime
	}
	return config
}

// journalRoom is what may wait for the store where hardly any row is changed twice before it is written: what is applied is not held up by that in a round. How fast all is in the store is a
// figure of its own.
const journalRoom = 256 << 20

// journalTime is how long it may wait there: what a crash takes back of what was applied.
const journalTime = 30 * time.Second

// packedRoom is the memory for each conversation that is packed: what it takes, and what the log of its shard takes to be kept in order.
const packedRoom = 512

// start starts an engine on the params' fixture, or an empty store, in their directory. wrap, unless nil, stands between the engine and its store.
func start(
	ctx context.Context, p side.Params, options badgerstore.Options, config actors.Config, wrap func(persistence.Store) persistence.Store,
) (*running, error) {
	dir := filepath.Join(p.Dir, "store")
	if p.Fixture != "" {
		if err := os.CopyFS(dir, os.DirFS(p.Fixture)); err != nil {
			return nil, fmt.Errorf("copying the prepared store: %w", err)
		}
	}
	store, err := badgerstore.Open(dir, options)
	if err != nil {
		return nil, err
	}
	var under persistence.Store = store
	if wrap != nil {
		under = wrap(store)
	}
	engine, err := actors.Start(ctx, nil, under, config)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &running{engine: engine, store: store, people: chat.NewPopulation(p.Known, max(1, p.Members))}, nil
}

// Close implements [side.Side].
func (r *running) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return errors.Join(r.engine.Stop(ctx), r.store.Close())
}

// settle returns once all that was answered before is in the store.
func (r *running) settle(ctx context.Context) error {
	if err := r.engine.Flush(ctx); err != nil {
		return fmt.Errorf("waiting for the journal: %w", err)
	}
	return nil
}

// applied proposes a batch and returns how many were applied. Where the engine is overloaded, it waits as long as it is told to; those refused are
// left out. Any other failure is one of the side.
func (r *running) applied(ctx context.Context, batch []*actors.Proposal) (int, error) {
	replies, err := r.engine.ProposeBatch(ctx, batch)
	if err != nil {
		return 0, err
	}
	n, wait := 0, time.Duration(0)
	for i := range replies {
		switch err := replies[i].Err; {
		case err == nil:
			n++
		case errors.Is(err, conversation.ErrOverloaded):
			wait = max(wait, time.Millisecond)
			if e, ok := errors.AsType[*conversation.Error](err); ok {
				wait = max(wait, e.RetryAfter)
			}
		default:
			return 0, err
		}
	}
	if wait > 0 {
		time.Sleep(wait)
	}
	return n, nil
}
