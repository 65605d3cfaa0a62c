package actorstest

import (
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"

	"github.com/parley-im/parley/actors"
)

// NewHost returns a protoactor system as a host has one, for a host's actors in the test's bubble. It says nothing, and is shut down when the test ends, after the engine
// that was started in it. One from actor.NewActorSystem would not do: its log of dead letters keeps a goroutine, which the bubble would wait for.
//
// Actors need not be stopped for the bubble to end, but what they own must: timers that send to them go on until then.
func NewHost(t *testing.T) *actor.ActorSystem {
	t.Helper()
	config := actor.NewConfig()
	config.LoggerFactory = func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	system := actor.NewActorSystemWithConfig(config)
	system.EventStream = eventstream.NewEventStream()
	t.Cleanup(system.Shutdown)
	return system
}

// Client is an actor of a host's that proposes by message, and keeps the replies.
type Client struct {
	engine *Engine
	pid    *actor.PID

	mu      sync.Mutex
	replies []*actors.Reply
}

// NewClient spawns a client in the host's system, which the engine must have been started in.
func (e *Engine) NewClient() *Client {
	e.t.Helper()
	if e.system == nil {
		e.t.Fatal("a client needs a host: start the engine with StartOn, in a system from NewHost")
	}
	c := &Client{engine: e}
	c.pid = e.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if r, ok := ctx.Message().(*actors.Reply); ok {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.replies = append(c.replies, r)
		}
	}))
	e.t.Cleanup(func() { _ = e.system.Root.StopFuture(c.pid).Wait() })
	return c
}

// PID returns the actor's address.
func (c *Client) PID() *actor.PID { return c.pid }

// Request sends proposals to the engine that runs now, in order, and does not wait for their replies.
func (c *Client) Request(proposals ...*actors.Proposal) {
	for _, p := range proposals {
		c.engine.system.Root.RequestWithCustomSender(c.engine.PID(), p, c.pid)
	}
}

// Replies waits until all is quiet, and returns the replies so far, in the order of their arrival. It lets no time go by: a proposal that waits for the store to heal has
// not been answered then.
func (c *Client) Replies() []*actors.Reply {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*actors.Reply(nil), c.replies...)
}
