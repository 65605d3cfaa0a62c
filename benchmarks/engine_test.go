package benchmarks_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// newSystem returns an actor system that logs nothing and ends with the benchmark.
func newSystem(b *testing.B) *actor.ActorSystem {
	b.Helper()
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, nil))
	}))
	b.Cleanup(system.Shutdown)
	return system
}

// openStore returns a store in dir that is closed with the benchmark.
func openStore(b *testing.B, dir string, options badgerstore.Options) *badgerstore.Store {
	b.Helper()
	store, err := badgerstore.Open(dir, options)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	return store
}

// startEngine returns an engine that is stopped with the benchmark, before its store.
func startEngine(b *testing.B, store persistence.Store, config actors.Config) *actors.Engine {
	b.Helper()
	engine, err := actors.Start(b.Context(), nil, store, config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stopEngine(b, engine) })
	return engine
}

func stopEngine(b *testing.B, engine *actors.Engine) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := engine.Stop(ctx); err != nil {
		b.Error(err)
	}
}
