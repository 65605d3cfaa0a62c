package main

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// watched is a watcher with the gateway of one user, ann.
func watched(t *testing.T, config actors.Config) (e *actorstest.Engine, told <-chan any) {
	t.Helper()
	system := actorstest.NewHost(t)
	e = actorstest.StartOn(t, nil, system, config)
	got := make(chan any, 1_000)
	gateway := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *relook:
			got <- m
		case *news:
			got <- m
		}
	}))
	w := &watcher{engine: e.Engine, root: system.Root, gateways: map[string]*actor.PID{"ann": gateway}, members: func(string) []string { return []string{"ann", "bob"} }}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	synctest.Wait()
	<-got // to ask for what came before it began
	return e, got
}

func TestEventsGoToThoseWhomTheyConcern(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, got := watched(t, actors.Config{})
		e.Post("group:42", "bob", 1, "ann") // everybody may see the difference
		synctest.Wait()                     // else both may be told in one
		e.Read("group:42", "ann", 1)
		synctest.Wait()
		if len(got) != 2 {
			t.Errorf("ann's gateway got %d messages, want those of the post and of her reading", len(got))
		}
		e.Deliver("group:42", "bob", 1)
		e.MarkUnread("group:42", "bob", 1)
		synctest.Wait()
		if len(got) != 2 {
			t.Errorf("ann's gateway got %d messages, want none of what is bob's own", len(got))
		}
	})
}

func TestWhatCannotBeReadForAWhileIsPassedOnAfterThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := policies()
		e, got := watched(t, config)
		e.Post("flash:1", "ann", 1)
		synctest.Wait()
		<-got
		e.Store.SetFaults(persistencetest.Faults{Scan: func(r persistence.Range, _ int) error {
			if persistence.KindOf(r.Start) == persistence.KindEvent {
				return actorstest.ErrBroken
			}
			return nil
		}})
		e.AwaitExpired(time.Second, "flash:1")
		e.Advance(time.Minute)
		if len(got) != 0 {
			t.Fatal("the gateway was told of what could not be read")
		}
		e.Heal()
		e.Advance(time.Second)
		if len(got) != 1 {
			t.Fatalf("the gateway got %d messages, want that the conversation is over, once", len(got))
		}
		if m, ok := (<-got).(*news); !ok || m.event.Expired == nil {
			t.Errorf("got %+v, want that the conversation is over", m)
		}
	})
}

func TestAfterAGapEverybodyLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system, got := actorstest.NewHost(t), 0
		gateway := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*relook); ok {
				got++
			}
		}))
		w := &watcher{root: system.Root, gateways: map[string]*actor.PID{"ann": gateway, "bob": gateway}}
		w.pass(actors.Event{Gap: &actors.Gap{Changed: true}})
		synctest.Wait()
		if got != 2 {
			t.Errorf("%d gateways look again, want both", got)
		}
	})
}
