package isolation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// answerWithin is how long the last replies may take after the load has ended.
const answerWithin = 30 * time.Second

// turn runs one design once.
func turn(ctx context.Context, c Config, p *population, design Design, series *Series) (err error) {
	dir, err := os.MkdirTemp(c.Dir, "parley-isolation-")
	if err != nil {
		return fmt.Errorf("isolation: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := p.fill(ctx, dir, c); err != nil {
		return err
	}
	store, err := badgerstore.Open(dir, badgerstore.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	runtime.GC() // so that no design pays for the garbage of the one before

	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := int(c.Limit.Seconds() * float64(c.Rate))
	r := &run{
		ctx:       running,
		cancel:    cancel,
		interval:  time.Second / time.Duration(c.Rate),
		doomed:    int64(c.Doomed),
		latencies: make([]time.Duration, limit),
	}
	// The engine's clock reaches the deadlines when the load has run for Before; with Inline, it is an hour away from them.
	origin := born()
	if design != Inline {
		origin = origin.Add(retention - c.Before)
	}
	system := newSystem()
	defer system.Shutdown()
	r.start = time.Now()
	engine, err := actors.Start(running, system, store, c.engine(design, newShifted(origin), &actors.Observer{
		Expired: func(actors.ExpiredInfo) { r.deleted(1) },
	}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Stop(context.WithoutCancel(ctx))) }()
	gates, closeGates, err := r.openGates(system, engine.PID(), store, p, design, c)
	if err != nil {
		return err
	}
	defer closeGates()
	from, to := r.load(system.Root, gates, p, c)
	if err := r.await(running, to-from); err != nil {
		return err
	}
	series.add(r, to, c)
	return nil
}

// openGates starts the host's actors: one for each shard, and the collector.
func (r *run) openGates(
	system *actor.ActorSystem, engine *actor.PID, store persistence.Store, p *population, design Design, c Config,
) (gates []*actor.PID, closeAll func(), err error) {
	root := system.Root
	collect := root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &collector{run: r} }))
	closeAll = func() {
		for _, pid := range append(gates, collect) {
			// Each is stopped when its queue is empty; it has no reason to fail.
			_ = root.PoisonFuture(pid).Wait()
		}
	}
	for shard := range persistence.Shard(persistence.Shards) {
		g := &gate{engine: engine, collector: collect, expiry: r.start.Add(c.Before), run: r}
		if design == Inline {
			if g.sweeper, err = newSweeper(r.ctx, store, shard, p.doomed[shard], c.Rows()); err != nil {
				closeAll()
				return nil, nil, err
			}
		}
		gates = append(gates, root.Spawn(actor.PropsFromProducer(func() actor.Actor { return g })))
	}
	return gates, closeAll, nil
}

// load sends the proposals, each at its time, until Config.After has passed since all the doomed were gone, or Config.Limit altogether. It
// returns the number of the first that was sent, which is the first that was not due yet when all was ready, and of the one behind the last.
func (r *run) load(root *actor.RootContext, gates []*actor.PID, p *population, c Config) (from, to int) {
	seqs := make([]uint64, len(p.hot))
	from = int(time.Since(r.start)/r.interval) + 1
	for to = from; to < len(r.latencies); {
		time.Sleep(time.Until(r.start.Add(time.Duration(to) * r.interval)))
		for due := int(time.Since(r.start) / r.interval); to <= due && to < len(r.latencies); to++ {
			hot := to % len(p.hot)
			seqs[hot]++
			root.Send(gates[p.shards[p.hot[hot]]], &actors.Proposal{
				Conversation: p.hot[hot],
				Change:       &conversation.Post{Seq: 1 + seqs[hot], Sender: "user-0", Preview: preview()},
				Ack:          c.Ack,
				Tag:          uint64(to),
			})
		}
		if over := r.overAt.Load(); r.ctx.Err() != nil || (over > 0 && time.Since(r.start) >= time.Duration(over)+c.After) {
			break
		}
	}
	return from, to
}

// await waits until all that was sent was answered.
func (r *run) await(ctx context.Context, sent int) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for r.replies.Load() < int64(sent) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("isolation: %d of %d proposals were answered: %w", r.replies.Load(), sent, context.Cause(ctx))
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}
