package actorstest_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// The tests of this file are those that the package's documentation shows.

func TestAGroupIsForgottenThirtyDaysAfterItsLastMessage(t *testing.T) {
	config := actors.Config{Default: conversation.Policy{ExpireAfter: 30 * 24 * time.Hour}}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		for day := range uint64(100) {
			e.Post("group:42", "ann", day+1, "bob")
			e.Advance(24 * time.Hour)
		}
		if v := e.View("group:42", "bob"); v == nil || v.Membership.Unread != 100 {
			t.Fatalf("bob sees %+v, want 100 unread messages", v)
		}
		expired := e.AwaitExpired(30*24*time.Hour, "group:42")
		if expired.LastSeq != 100 || len(e.List("bob")) != 0 {
			t.Errorf("got %+v, want the end of the whole conversation, and that nobody is shown it", expired)
		}
	})
}

func TestACrashTakesBackWhatWasOnlyApplied(t *testing.T) {
	config := actors.Config{FlushInterval: time.Hour} // nothing is written unless somebody waits for it
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1)
		e.Send(&actors.Proposal{
			Conversation: "group:42",
			Change:       &conversation.Post{Seq: 2, Sender: "ann"},
			Ack:          actors.AckApplied,
		})
		e.Crash()
		if v := e.View("group:42", ""); v == nil || v.LastSeq != 1 {
			t.Errorf("got %+v, want what was committed: the first post", v)
		}
	})
}

func TestAPostWaitsUntilTheStoreIsWell(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.BreakFor(10*time.Second, actorstest.WritesFail(nil))
		began := time.Now()
		e.Post("group:42", "ann", 1) // answered once it is committed
		if took := time.Since(began); took < 10*time.Second || took > 15*time.Second {
			t.Errorf("the post took %v, want a little more than the ten seconds of the fault", took)
		}
	})
}

func TestAFullDiskIsOverload(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Break(actorstest.DiskIsFull())
		first := e.Do("group:42", &conversation.Post{Seq: 1, Sender: "ann"})
		if !errors.Is(first.Err, persistence.ErrStoreFull) || first.Ack != actors.AckApplied {
			t.Errorf("got %+v, want that it was applied, but is not in the store", first)
		}
		second := e.Do("group:42", &conversation.Post{Seq: 2, Sender: "ann"})
		if !errors.Is(second.Err, conversation.ErrOverloaded) || second.Ack != actors.AckDefault {
			t.Errorf("got %+v, want that it was refused", second)
		}
		e.Heal()
		e.Advance(5 * time.Second) // the engine tries again by itself
		e.Post("group:42", "ann", 2)
	})
}

func TestWhoFallsBehindIsToldWhenToComeBack(t *testing.T) {
	config := actors.Config{MaxJournalBytes: 10_000}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Break(actorstest.WritesHang())
		var refusal *conversation.Error
		for i := 0; refusal == nil; i++ {
			r := e.Send(&actors.Proposal{
				Conversation: fmt.Sprintf("group:%d", i),
				Change:       &conversation.Post{Seq: 1, Sender: "ann"},
				Ack:          actors.AckApplied,
			})
			refusal, _ = errors.AsType[*conversation.Error](r.Err)
		}
		if !errors.Is(refusal, conversation.ErrOverloaded) || refusal.RetryAfter == 0 {
			t.Errorf("got %+v, want ErrOverloaded, and when to try again", refusal)
		}
		e.Heal()
		e.Advance(refusal.RetryAfter)
		e.Post("group:again", "ann", 1)
	})
}

// greeter is an actor of a host's: it posts a greeting to every conversation that it is told of, and counts those that are committed.
type greeter struct {
	engine  *actor.PID
	greeted int
}

func (g *greeter) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case string:
		ctx.Request(g.engine, &actors.Proposal{Conversation: m, Change: &conversation.Post{Seq: 1, Sender: "greeter"}})
	case *actors.Reply:
		if m.Err == nil {
			g.greeted++
		}
	}
}

func TestTheGreeterGreetsEveryConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := actorstest.NewHost(t)
		e := actorstest.StartOn(t, nil, host, actors.Config{})
		g := &greeter{engine: e.PID()}
		pid := host.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return g }))
		host.Root.Send(pid, "group:1")
		host.Root.Send(pid, "group:2")
		e.Advance(0) // until everybody waits
		if g.greeted != 2 || len(e.List("greeter")) != 2 {
			t.Errorf("%d conversations were greeted, %d are in the list; want 2", g.greeted, len(e.List("greeter")))
		}
	})
}
