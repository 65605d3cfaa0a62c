package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// world is a backend and its clients.
type world struct {
	system *actor.ActorSystem
	store  persistence.Store
	config actors.Config
	out    io.Writer
	log    *messageLog
	began  time.Time
}

func rooms() map[string][]string {
	return map[string][]string{
		"team:lunch": {"ann", "bob", "cyd"},
		"dm:ann+bob": {"ann", "bob"},
		"flash:quiz": {"ann", "cyd"},
	}
}

// run has the clients talk for a second, or until ctx ends, and then stops everything. It returns an error where something was lost.
func (w *world) run(ctx context.Context) error {
	p := &printer{out: w.out, began: w.began}
	b, err := startBackend(ctx, w.system, w.store, w.config, w.log, rooms(), []string{"ann", "bob", "cyd"}, p.say)
	if err != nil {
		return err
	}
	b.connect("ann", "phone")
	b.connect("ann", "laptop")
	b.connect("bob", "phone")
	clients := w.talk(ctx, b)

	p.say("stopping: clients first, then what was taken from them, then the engine")
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err = errors.Join(clients, b.drain(draining), w.compare(draining, b.engine, p), b.stop(draining))
	s := b.engine.Stats()
	p.say("stopped: %d proposals received = %d applied + %d refused; %d conversations expired",
		s.Proposals.Received, s.Proposals.Applied, s.Proposals.Refused, s.Reaper.Expired)
	return err
}

// compare says how far the engine has got, and returns an error where that is not as far as the log.
func (w *world) compare(ctx context.Context, engine *actors.Engine, p *printer) error {
	var missing error
	last := w.log.last()
	for _, name := range slices.Sorted(maps.Keys(last)) {
		view, err := engine.Get(ctx, name, "")
		switch {
		case errors.Is(err, conversation.ErrNotFound):
			p.say("%s: %d messages in the log, and the conversation is over", name, last[name])
		case err != nil:
			missing = errors.Join(missing, err)
		default:
			p.say("%s: %d messages in the log, the last that the engine knows is %d", name, last[name], view.LastSeq)
			if view.LastSeq != last[name] {
				missing = errors.Join(missing, fmt.Errorf("%s: the engine knows of %d of %d messages", name, view.LastSeq, last[name]))
			}
		}
	}
	return missing
}

// talk runs the clients and returns when they have finished.
func (w *world) talk(ctx context.Context, b *backend) error {
	var (
		clients sync.WaitGroup
		mu      sync.Mutex
		failed  error
	)
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		failed = errors.Join(failed, err)
	}
	client := func(user, device, room string, times int, pause time.Duration) {
		clients.Go(func() {
			for i := range times {
				seq, err := b.send(ctx, &send{conversation: room, user: user, device: device, text: fmt.Sprintf("no. %d of %s", i+1, user)})
				if err == nil && i == times-1 {
					err = b.read(ctx, room, user, device, seq)
				}
				if err != nil {
					fail(fmt.Errorf("%s in %s: %w", user, room, err))
					return
				}
				select {
				case <-time.After(pause):
				case <-ctx.Done():
					return
				}
			}
		})
	}
	client("ann", "phone", "team:lunch", 5, 200*time.Millisecond)
	client("bob", "phone", "team:lunch", 3, 300*time.Millisecond)
	client("bob", "phone", "dm:ann+bob", 2, 400*time.Millisecond)
	client("ann", "laptop", "dm:ann+bob", 2, 500*time.Millisecond)
	client("ann", "phone", "flash:quiz", 1, time.Second)
	clients.Wait()
	return failed
}
