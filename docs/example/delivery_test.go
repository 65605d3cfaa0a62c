package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func contextWithTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

// bench is a delivery actor with an engine that answers as a test wants it to.
type bench struct {
	system   *actor.ActorSystem
	delivery *actor.PID
	answers  []any                                  // to sends
	proposed []*actors.Proposal                     // in order
	answer   func(p *actors.Proposal) *actors.Reply // nil: it does not
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{system: actorstest.NewHost(t)}
	engine := b.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if p, ok := ctx.Message().(*actors.Proposal); ok {
			b.proposed = append(b.proposed, p)
			if b.answer != nil {
				ctx.Respond(b.answer(p))
			}
		}
	}))
	b.delivery = b.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return &delivery{
			engine: engine, log: newMessageLog(), outboxes: map[string]*outbox{},
			members: func(string) []string { return nil }, say: func(string, ...any) {},
		}
	}))
	t.Cleanup(func() { _ = b.system.Root.StopFuture(b.delivery).Wait() })
	return b
}

// send sends messages and waits until all is quiet.
func (b *bench) send(messages ...*send) {
	client := b.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *sent, *busy, *drained:
			b.answers = append(b.answers, m)
		}
	}))
	for _, m := range messages {
		b.system.Root.RequestWithCustomSender(b.delivery, m, client)
	}
	synctest.Wait()
}

// pass lets time go by until all is quiet.
func (*bench) pass(d time.Duration) {
	time.Sleep(d) // virtual: the one place of this file where time goes by
	synctest.Wait()
}

func to(room string) *send {
	return &send{conversation: room, user: "ann", device: "phone", text: "hello"}
}

func TestNoMoreProposalsAreUnderWayThanTheBoundAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		for i := range 2 * maxFlying {
			b.send(to(fmt.Sprintf("group:%d", i)))
		}
		if len(b.proposed) != maxFlying || len(b.answers) != 2*maxFlying {
			t.Errorf("%d proposals are under way, %d messages were taken; want %d and %d", len(b.proposed), len(b.answers), maxFlying, 2*maxFlying)
		}
	})
}

func TestClientsAreToldToComeBackBeforeTheirMessageIsInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.send(slices.Repeat([]*send{to("group:42")}, maxWaiting+1)...)
		if got, ok := b.answers[maxWaiting-1].(*sent); !ok || got.seq != maxWaiting {
			t.Errorf("the last that fits was answered with %+v", b.answers[maxWaiting-1])
		}
		if got, ok := b.answers[maxWaiting].(*busy); !ok || got.retryAfter == 0 {
			t.Errorf("the one too many was answered with %+v", b.answers[maxWaiting])
		}
	})
}

func TestWhatIsRefusedIsProposedAgainBeforeWhatComesAfterIt(t *testing.T) {
	for _, refusal := range []*conversation.Error{
		{Kind: conversation.ErrOverloaded, RetryAfter: time.Second},
		{Kind: conversation.ErrOverloaded},
		{Kind: conversation.ErrUnavailable},
		{Kind: conversation.ErrQuarantined},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			refusals := 3
			b.answer = func(p *actors.Proposal) *actors.Reply {
				r := &actors.Reply{Conversation: p.Conversation, Tag: p.Tag}
				if p.Tag == 2 && refusals > 0 {
					refusals--
					r.Err = refusal
				}
				return r
			}
			b.send(to("group:42"), to("group:42"), to("group:42"))
			b.system.Root.Send(b.delivery, &actors.Reply{Conversation: "group:42", Tag: 1}) // once more, late
			b.pass(time.Minute)
			var tags []uint64
			for _, p := range b.proposed {
				tags = append(tags, p.Tag)
			}
			if want := []uint64{1, 2, 2, 2, 2, 3}; !slices.Equal(tags, want) {
				t.Errorf("after %v: proposed %v, want %v", refusal, tags, want)
			}
		})
	}
}

func TestWhatWouldBeRefusedEveryTimeIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(p *actors.Proposal) *actors.Reply {
			return &actors.Reply{Conversation: p.Conversation, Tag: p.Tag, Err: conversation.Invalid("post.seq", "must be smaller")}
		}
		b.send(to("group:42"), to("group:42"))
		b.pass(time.Minute)
		if len(b.proposed) != 2 {
			t.Errorf("%d proposals, want one for each message", len(b.proposed))
		}
	})
}

func TestDrainedIsSaidOnceNothingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, store := actorstest.NewHost(t), persistencetest.NewStore()
		backend, err := startBackend(t.Context(), system, store, actors.Config{}, newMessageLog(), nil, nil, func(string, ...any) {})
		if err != nil {
			t.Fatal(err)
		}
		store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { return actorstest.ErrBroken }})
		if _, err := backend.send(t.Context(), to("group:42")); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := contextWithTimeout(t, time.Second)
		defer cancel()
		if err := backend.drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while the store fails: %v, want that something is left", err)
		}
		store.SetFaults(persistencetest.Faults{})
		if err := backend.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
