package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// policies is how long conversations are kept: for ever, but for those of one namespace.
func policies() actors.Config {
	return actors.Config{
		Namespaces: map[string]conversation.Policy{
			"flash": {ExpireAfter: 400 * time.Millisecond},
		},
	}
}

// backend is a chat service: the engine, an actor that delivers to it, a gateway for each connected user, and a goroutine that watches.
type backend struct {
	system   *actor.ActorSystem
	engine   *actors.Engine
	delivery *actor.PID
	gateways map[string]*actor.PID
	cancel   context.CancelFunc
	watching sync.WaitGroup
}

// startBackend starts a backend for some users on a store. Both the store and the actor system stay the caller's, to be closed after stop.
func startBackend(
	ctx context.Context, system *actor.ActorSystem, store persistence.Store, config actors.Config, log *messageLog, rooms map[string][]string, users []string,
	say func(format string, args ...any),
) (*backend, error) {
	engine, err := actors.Start(ctx, system, store, config)
	if err != nil {
		return nil, err
	}
	b := &backend{system: system, engine: engine, gateways: map[string]*actor.PID{}}
	ctx, b.cancel = context.WithCancel(context.WithoutCancel(ctx))
	members := func(room string) []string { return rooms[room] }
	b.delivery = system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return &delivery{engine: engine.PID(), log: log, members: members, say: say, outboxes: map[string]*outbox{}}
	}))
	for _, user := range users {
		b.gateways[user] = system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
			return &gateway{ctx: ctx, user: user, engine: engine, log: log, say: say, devices: map[string]*device{}}
		}))
	}
	w := &watcher{engine: engine, root: system.Root, gateways: b.gateways, members: members}
	b.watching.Go(func() { w.run(ctx) })
	return b, nil
}

// connect brings a user's device in.
func (b *backend) connect(user, device string) {
	b.system.Root.Send(b.gateways[user], &connect{device: device})
}

// send is a client's call: it returns the message's number once it is in the log.
func (b *backend) send(ctx context.Context, m *send) (uint64, error) {
	for {
		answer, err := b.system.Root.RequestFuture(b.delivery, m, 5*time.Second).Result()
		if err != nil {
			return 0, err
		}
		switch a := answer.(type) {
		case *sent:
			return a.seq, nil
		case *busy:
			select {
			case <-time.After(a.retryAfter):
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			}
		default:
			return 0, fmt.Errorf("delivery answered with %T", answer)
		}
	}
}

// read is a client's call: the user has read up to a message. Called from a client's goroutine, it may wait. Where there is no such conversation any more there is nothing
// to be read either.
func (b *backend) read(ctx context.Context, name, user, device string, seq uint64) error {
	err := b.propose(ctx, &actors.Proposal{
		Conversation: name,
		Change:       &conversation.Read{User: user, Seq: seq},
		Origin:       user + "/" + device,
	})
	if errors.Is(err, conversation.ErrNotFound) {
		return nil
	}
	return err
}

// propose proposes until that is done, or of no use. The same is proposed each time: whatever became of it before, it changes nothing twice.
func (b *backend) propose(ctx context.Context, p *actors.Proposal) error {
	for {
		_, err := b.engine.Propose(ctx, p)
		wait, again := retryAfter(err)
		if !again {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}

// stop ends the backend; no client may call it any more. Whoever produces ends before whoever consumes: the delivery actor when everything in the log was proposed and
// answered, then those who ask and watch the engine, then the engine.
func (b *backend) stop(ctx context.Context) error {
	err := errors.Join(b.drain(ctx), b.engine.Flush(ctx))
	select {
	case <-time.After(patience): // events come a moment after the answers, and devices are told then
	case <-ctx.Done():
	}
	err = errors.Join(err, b.engine.Stop(ctx))
	b.watching.Wait() // it has passed on all that was committed
	b.cancel()
	for _, gateway := range b.gateways {
		err = errors.Join(err, b.system.Root.StopFuture(gateway).Wait())
	}
	return errors.Join(err, b.system.Root.StopFuture(b.delivery).Wait())
}

// drain waits until the delivery actor has nothing left to do.
func (b *backend) drain(ctx context.Context) error {
	done := make(chan struct{})
	waiter := b.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*drained); ok {
			close(done)
		}
	}))
	defer b.system.Root.Stop(waiter)
	b.system.Root.RequestWithCustomSender(b.delivery, &drain{}, waiter)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("messages are left that the engine was not told of: %w", context.Cause(ctx))
	}
}
