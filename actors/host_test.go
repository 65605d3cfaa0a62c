package actors_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"

	"github.com/parley-im/parley/actors"
)

// newHost returns an actor system as a host would have one, that says nothing.
func newHost(t *testing.T) *actor.ActorSystem {
	t.Helper()
	config := actor.NewConfig()
	config.LoggerFactory = func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	system := actor.NewActorSystemWithConfig(config)
	system.EventStream = eventstream.NewEventStream() // its own logs dead letters, on a goroutine that a bubble would wait for
	t.Cleanup(system.Shutdown)
	return system
}

// collect spawns an actor that hands on every reply it gets.
func collect(t *testing.T, system *actor.ActorSystem, each func(r *actors.Reply)) *actor.PID {
	t.Helper()
	pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if r, ok := ctx.Message().(*actors.Reply); ok {
			each(r)
		}
	}))
	t.Cleanup(func() { _ = system.Root.StopFuture(pid).Wait() })
	return pid
}

// withTimeout returns a context that ends after a while, in the test's own time.
func withTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(context.Background(), d)
}
