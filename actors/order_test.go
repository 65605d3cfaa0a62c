package actors_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/internal/racing"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// Each sender fires its posts at the engine's address without waiting; conversations passivate as often as they can. A post that was lost, doubled or overtaken shows
// in the replies: each must be a change, with the next sequence number and the next version.
func TestAMillionMessagesAreAppliedOnceAndInOrderWhileConversationsComeAndGo(t *testing.T) {
	senders, each := 50, 20_000
	if racing.Enabled {
		each = 1_000
	}
	system := newHost(t)
	e := actorstest.StartOn(t, persistencetest.NewStore(), system, actors.Config{
		IdleAfter: time.Millisecond, MaxActive: 1, MaxQueue: each, MaxQueuedBytes: 1 << 30, MaxJournalBytes: 1 << 30,
	})
	var left sync.WaitGroup
	left.Add(senders)
	next := make(map[string]uint64, senders)
	wrong := 0
	collector := collect(t, system, func(r *actors.Reply) {
		seq := next[r.Conversation] + 1
		next[r.Conversation] = seq
		if (r.Err != nil || !r.Changed || r.LastSeq != seq || r.Version != seq || r.Tag != seq) && wrong < 5 {
			wrong++
			t.Errorf("reply %d of %s: got %+v, want a change with last_seq, version and tag %d", seq, r.Conversation, r, seq)
		}
		if seq == uint64(each) {
			left.Done()
		}
	})
	for i := range senders {
		name := fmt.Sprintf("group:%d", i)
		go func() {
			for seq := range uint64(each) {
				system.Root.RequestWithCustomSender(e.PID(), &actors.Proposal{
					Conversation: name, Change: &conversation.Post{Seq: seq + 1, Sender: "ann"}, Ack: actors.AckApplied, Tag: seq + 1,
				}, collector)
			}
		}()
	}
	left.Wait()
	stats := e.Stats()
	if p := stats.Proposals; p.Received != uint64(senders*each) || p.Applied != p.Received || p.Refused != 0 {
		t.Errorf("proposals: %+v, want %d received and applied", p, senders*each)
	}
	if stats.Cells.Passivations < 10 {
		t.Errorf("conversations passivated %d times: the test did not test what it is for", stats.Cells.Passivations)
	}
}

func TestABatchKeepsTheOrderOfEachConversation(t *testing.T) {
	e := actorstest.Start(t, actors.Config{})
	var batch []*actors.Proposal
	for seq := range uint64(100) {
		for _, name := range []string{"group:1", "group:2"} {
			batch = append(batch, &actors.Proposal{Conversation: name, Change: &conversation.Post{Seq: seq + 1, Sender: "ann"}, Tag: seq})
		}
	}
	replies, err := e.ProposeBatch(context.Background(), batch)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range replies {
		if want := uint64(i/2 + 1); r.Err != nil || r.LastSeq != want || r.Conversation != batch[i].Conversation || r.Tag != batch[i].Tag || r.Ack != actors.AckCommitted {
			t.Fatalf("reply %d: got %+v, want last_seq %d, committed", i, r, want)
		}
	}
}

// The proposals come between the sealing of the old cell and the end of its actor.
func TestAProposalToAConversationThatIsLeavingWaitsForItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newHost(t)
		config := actors.Config{IdleAfter: time.Second, MaxPackedBytes: -1}
		var e *actorstest.Engine
		var leaving atomic.Uint64
		config.Break(nil, func(message any) {
			if _, stopping := message.(*actor.Stopping); stopping && leaving.Load() < 10 {
				times := leaving.Add(1)
				for i := range uint64(3) {
					seq := 3*times + i
					system.Root.Send(e.PID(), &actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: seq, Sender: "ann", Unattended: true}})
				}
			}
		})
		e = actorstest.StartOn(t, persistencetest.NewStore(), system, config)
		e.Post("group:42", "ann", 2)
		for round := range 10 {
			e.Advance(1900 * time.Millisecond)
			times := leaving.Load()
			if v := e.View("group:42", ""); v.LastSeq != 3*times+2 || v.Version != 3*times+1 {
				t.Fatalf("round %d: got last seq %d, version %d after it left %d times", round, v.LastSeq, v.Version, times)
			}
		}
		if n := leaving.Load(); n < 5 {
			t.Fatalf("it left %d times: the test did not test what it is for", n)
		}
		e.Post("group:42", "ann", 1000)
		if n := e.Stats().Cells.Active; n != 1 {
			t.Errorf("%d conversations are active, want 1", n)
		}
	})
}
