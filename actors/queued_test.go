package actors_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// While the store is slow to read, proposals to ever other conversations wait for their rows: none of their queues is full, but all together are.
func TestWhatWaitsForAllConversationsTogetherIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := conversation.Weight(&conversation.Post{})
		e := actorstest.Start(t, actors.Config{MaxQueuedBytes: 10 * one})
		e.Store.SetFaults(persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
			if op == persistencetest.OpGet {
				return time.Second
			}
			return 0
		}})
		replies := make(chan actors.Reply, 100)
		post := func(i int) *actors.Proposal {
			return &actors.Proposal{Conversation: fmt.Sprint("group:", i), Change: &conversation.Post{Seq: 1, Sender: "ann"}}
		}
		for i := range 20 {
			e.ProposeFunc(post(i), func(r *actors.Reply) { replies <- *r })
		}
		for range 10 {
			r := <-replies // at once
			refusal, ok := errors.AsType[*conversation.Error](r.Err)
			if !ok || !errors.Is(r.Err, conversation.ErrOverloaded) || refusal.RetryAfter <= 0 {
				t.Fatalf("beyond the bound: %v, want that it is overloaded and when to try again", r.Err)
			}
		}
		batch, err := e.ProposeBatch(t.Context(), []*actors.Proposal{post(30)})
		if err != nil || !errors.Is(batch[0].Err, conversation.ErrOverloaded) {
			t.Errorf("a batch beyond the bound: %v, %v", batch, err)
		}
		if got := e.Stats().Proposals.Queued; got != 10*one {
			t.Errorf("%d bytes are queued, want %d", got, 10*one)
		}
		for range 10 {
			if r := <-replies; r.Err != nil {
				t.Errorf("what was accepted: %v", r.Err)
			}
		}
		if got := e.Stats().Proposals.Queued; got != 0 {
			t.Errorf("%d bytes are queued when nothing waits", got)
		}
		e.Store.SetFaults(persistencetest.Faults{})
		e.Post("group:19", "ann", 1)
	})
}
