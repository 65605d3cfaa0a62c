package actors_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/internal/racing"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// Callers propose until they are refused. Whatever was acknowledged is there on the next start, and nothing else than refusals happened to the rest.
func TestStopUnderLoadAHundredTimes(t *testing.T) {
	rounds := 100
	if racing.Enabled {
		rounds = 20
	}
	store := persistencetest.NewStore()
	const callers = 8
	acked := make([]uint64, callers)
	for round := range rounds {
		e, err := actors.Start(t.Context(), nil, store, actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}, IdleAfter: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range acked {
			if want == 0 {
				continue
			}
			if v, err := e.Get(t.Context(), fmt.Sprintf("group:%d", i), ""); err != nil || v.LastSeq < want {
				t.Fatalf("round %d: group:%d has %+v (%v), but %d was acknowledged", round, i, v, err, want)
			}
		}
		var callersDone, warm sync.WaitGroup
		warm.Add(callers)
		for i := range acked {
			callersDone.Go(func() {
				seq := acked[i]
				for n := 0; ; n++ {
					if n == 3 {
						warm.Done()
					}
					seq++
					r, err := e.Propose(context.Background(), &actors.Proposal{
						Conversation: fmt.Sprintf("group:%d", i), Change: &conversation.Post{Seq: seq, Sender: "ann"},
					})
					if err != nil {
						if !errors.Is(err, conversation.ErrUnavailable) {
							t.Errorf("round %d: %v", round, err)
						}
						return
					}
					if r.Ack != actors.AckCommitted {
						t.Errorf("round %d: acknowledged at %v", round, r.Ack)
					}
					acked[i] = seq
				}
			})
		}
		warm.Wait()
		if err := e.Stop(t.Context()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		callersDone.Wait()
		if p := e.Stats().Proposals; p.Received != p.Applied+p.Refused {
			t.Fatalf("round %d: %+v: received is not applied + refused", round, p)
		}
		if n := e.Processes(); n > 4 {
			t.Fatalf("round %d: %d processes are left in the engine's actor system", round, n)
		}
		if n := store.OpenSnapshots(); n != 0 {
			t.Fatalf("round %d: %d snapshots are left open", round, n)
		}
	}
}

func TestStopIsBoundedByItsContextAndRefusesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := persistencetest.NewStore()
		e, err := actors.Start(t.Context(), nil, store, actors.Config{})
		if err != nil {
			t.Fatal(err)
		}
		store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { return errors.New("broken") }})
		failed := make(chan error, 1)
		go func() {
			_, err := e.Propose(context.Background(), &actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 1, Sender: "ann"}})
			failed <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		err = e.Stop(ctx)
		if took := time.Since(began); err == nil || took > 4*time.Second {
			t.Errorf("Stop took %v and returned %v, want an error after 3 s", took, err)
		}
		if err := <-failed; !errors.Is(err, conversation.ErrUnavailable) {
			t.Errorf("who waited for the store got %v, want ErrUnavailable", err)
		}
		if again := e.Stop(context.Background()); !errors.Is(again, context.DeadlineExceeded) {
			t.Errorf("the second Stop returned %v, want what the first did", again)
		}
	})
}

func TestAStoppedEngineAnswersEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newHost(t)
		e := actorstest.StartOn(t, persistencetest.NewStore(), system, actors.Config{})
		var terminated []*actor.PID
		watch := func() {
			pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				switch m := ctx.Message().(type) {
				case *actor.Started:
					ctx.Watch(e.PID())
				case *actor.Terminated:
					terminated = append(terminated, m.Who)
				}
			}))
			t.Cleanup(func() { system.Root.Stop(pid) })
		}
		watch()
		synctest.Wait()
		system.Root.Poison(e.PID())
		system.Root.Stop(e.PID())
		e.Post("group:42", "ann", 1) // which changed nothing
		if len(terminated) != 0 {
			t.Fatal("it said that it ended before it did")
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		watch()
		synctest.Wait()
		if len(terminated) != 2 || !terminated[0].Equal(e.PID()) {
			t.Errorf("terminated: %v, want the engine's address twice: for who watched before, and for who came late", terminated)
		}
		reply, err := system.Root.RequestFuture(e.PID(), &actors.Proposal{
			Conversation: "group:42", Change: &conversation.Post{Seq: 2, Sender: "ann"}, Tag: 9,
		}, time.Second).Result()
		if r, ok := reply.(*actors.Reply); err != nil || !ok || r.Tag != 9 || !errors.Is(r.Err, actors.ErrStopped) {
			t.Errorf("a request: got %+v, %v; want a reply with tag 9 and ErrStopped", reply, err)
		}
		if _, err := e.Propose(t.Context(), &actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 2, Sender: "ann"}}); !errors.Is(err, actors.ErrStopped) {
			t.Errorf("Propose: got %v, want ErrStopped", err)
		}
		if _, err := e.Get(t.Context(), "group:42", ""); !errors.Is(err, actors.ErrStopped) {
			t.Errorf("Get: got %v, want ErrStopped", err)
		}
		if _, err := e.Conversations(t.Context(), actors.ListQuery{User: "ann"}); !errors.Is(err, actors.ErrStopped) {
			t.Errorf("Conversations: got %v, want ErrStopped", err)
		}
		if err := e.Settle(t.Context()); !errors.Is(err, actors.ErrStopped) {
			t.Errorf("Settle: got %v, want ErrStopped", err)
		}
	})
}

func TestCancellingTheContextOfStartDoesNotStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		e, err := actors.Start(ctx, nil, persistencetest.NewStore(), actors.Config{})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if _, err := e.Propose(t.Context(), &actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 1, Sender: "ann"}}); err != nil {
			t.Error(err)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestProposalsThatAnExpiredStopLeavesBehindAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := persistencetest.NewStore()
		e, err := actors.Start(t.Context(), nil, store, actors.Config{})
		if err != nil {
			t.Fatal(err)
		}
		store.SetFaults(persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
			if op == persistencetest.OpGet {
				return time.Hour
			}
			return 0
		}})
		failed := make(chan error, 3)
		for seq := range uint64(3) {
			go func() {
				_, err := e.Propose(context.Background(), &actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: seq + 1, Sender: "ann"}})
				failed <- err
			}()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := e.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop: got %v, want that its time was up", err)
		}
		for range 3 {
			if err := <-failed; !errors.Is(err, conversation.ErrUnavailable) {
				t.Errorf("who waited got %v, want ErrUnavailable", err)
			}
		}
		if p := e.Stats().Proposals; p.Received != 3 || p.Refused != 3 {
			t.Errorf("proposals: %+v, want 3 received and refused", p)
		}
	})
}

// A PID looks its process up with its first message; by then it may be gone.
func TestAStoppedEngineAnswersWhoHasNeverSpokenToItBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newHost(t)
		e, err := actors.Start(t.Context(), system, persistencetest.NewStore(), actors.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		reply, err := system.Root.RequestFuture(e.PID(), &actors.Proposal{Conversation: "group:42", Change: &conversation.Hold{}, Tag: 9}, time.Second).Result()
		if r, ok := reply.(*actors.Reply); err != nil || !ok || r.Tag != 9 || !errors.Is(r.Err, actors.ErrStopped) {
			t.Errorf("got %+v, %v; want a reply with tag 9 and ErrStopped", reply, err)
		}
	})
}
