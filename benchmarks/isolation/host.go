package isolation

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/persistence"
)

// newSystem returns an actor system that logs nothing.
func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, nil))
	}))
}

// gate is the host's actor of one shard. It receives *[actors.Proposal] from the sender and passes it on to the engine, which replies to the
// collector. Where it has a sweeper, it first deletes a batch of what has expired.
type gate struct {
	engine    *actor.PID
	collector *actor.PID
	sweeper   *sweeper // nil: deletion is the engine's
	expiry    time.Time
	run       *run
}

// Receive runs on the gate's turn.
func (g *gate) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actors.Proposal:
		if g.sweeper != nil && !time.Now().Before(g.expiry) {
			n, err := g.sweeper.sweep(g.run.ctx, persistence.InstantOf(born().Add(retention)))
			if err != nil {
				g.run.fail(err)
			}
			g.run.deleted(n)
		}
		c.RequestWithCustomSender(g.engine, m, g.collector)
	default: // protoactor's own: Started, Stopping, Stopped
	}
}

// collector is the actor that receives the engine's replies.
type collector struct{ run *run }

// Receive runs on the collector's turn.
func (c *collector) Receive(ctx actor.Context) {
	if reply, ok := ctx.Message().(*actors.Reply); ok {
		c.run.answered(reply)
	}
}

// run is what the sender, the gates, the collector and the engine's observer share in one turn of one design.
type run struct {
	ctx    context.Context //nolint:containedctx // gates get no context with a message, and all end with the run
	cancel context.CancelCauseFunc

	start    time.Time
	interval time.Duration
	doomed   int64

	latencies []time.Duration // by number of the message; 0: not sent, negative: refused
	replies   atomic.Int64

	gone   atomic.Int64
	overAt atomic.Int64 // when all the doomed were gone, as a duration since start; 0: they are not
}

// answered records the latency of a message. Only the collector calls it.
func (r *run) answered(reply *actors.Reply) {
	latency := time.Since(r.start) - time.Duration(reply.Tag)*r.interval
	if reply.Err != nil {
		latency = -1
	}
	r.latencies[reply.Tag] = latency
	r.replies.Add(1)
}

// deleted says that n of the doomed conversations are gone, durably.
func (r *run) deleted(n int) {
	if r.gone.Add(int64(n)) >= r.doomed {
		r.overAt.CompareAndSwap(0, int64(time.Since(r.start)))
	}
}

// fail ends the run.
func (r *run) fail(err error) { r.cancel(err) }
