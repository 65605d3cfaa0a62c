package actors_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// proposed remembers what an engine tells of proposals.
type proposed struct {
	mu    sync.Mutex
	infos []actors.ProposedInfo
}

func (p *proposed) observer() *actors.Observer {
	return &actors.Observer{Proposed: func(i actors.ProposedInfo) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.infos = append(p.infos, i)
	}}
}

// take returns what was told since the last call.
func (p *proposed) take() []actors.ProposedInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	infos := p.infos
	p.infos = nil
	return infos
}

// slowStore makes each read of a row take 3 ms and each commit, or log, 20.
var slowStore = persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
	switch op {
	case persistencetest.OpGet:
		return 3 * time.Millisecond
	case persistencetest.OpCommit, persistencetest.OpLog:
		return 20 * time.Millisecond
	default:
		return 0
	}
}}

func postOf(name string, seq uint64, ack actors.Ack) *actors.Proposal {
	return &actors.Proposal{Conversation: name, Change: &conversation.Post{Seq: seq, Sender: "ann"}, Ack: ack}
}

func TestEachStageOfAProposalIsMeasured(t *testing.T) {
	var told proposed
	actorstest.Run(t, actors.Config{Observer: told.observer()}, func(t *testing.T, e *actorstest.Engine) {
		e.Store.SetFaults(slowStore)
		answer := func(*actors.Reply) {}
		want := func(what string, infos ...actors.ProposedInfo) {
			t.Helper()
			if diff := cmp.Diff(infos, told.take(), cmpopts.EquateErrors(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		// Its rows are read first: head, tail and roster at a stretch. Then the journal is free, and the store takes its time.
		e.ProposeFunc(postOf("group:1", 1, actors.AckCommitted), answer)
		e.Advance(time.Second)
		first := told.take()
		if len(first) != 1 || first[0].Queue < 3*time.Millisecond || first[0].Queue > 15*time.Millisecond || first[0].Journal != 0 || first[0].Commit != 20*time.Millisecond {
			t.Fatalf("the first of a conversation: got %+v, want a queue of a few reads, no wait for the journal, and a commit of 20 ms", first)
		}
		// The second of two waits for the batch of the first.
		e.ProposeFunc(postOf("group:1", 2, actors.AckDefault), answer)
		e.Advance(5 * time.Millisecond)
		e.ProposeFunc(postOf("group:1", 2, actors.AckCommitted), answer) // a repetition of what is on its way to the store
		e.ProposeFunc(postOf("group:1", 3, actors.AckCommitted), answer)
		e.ProposeFunc(postOf("group:1", 3, actors.AckCommitted), answer) // a repetition is there when what it repeats is
		e.ProposeFunc(postOf("group:1", 4, actors.AckApplied), answer)
		e.Advance(time.Second)
		const ms = time.Millisecond
		want("three posts, two of them twice",
			actors.ProposedInfo{Conversation: "group:1", Kind: "post", Ack: actors.AckApplied},
			actors.ProposedInfo{Conversation: "group:1", Kind: "post", Ack: actors.AckDefault, Commit: 20 * ms},
			actors.ProposedInfo{Conversation: "group:1", Kind: "post", Ack: actors.AckCommitted, Result: actors.ResultNothing, Commit: 15 * ms},
			actors.ProposedInfo{Conversation: "group:1", Kind: "post", Ack: actors.AckCommitted, Journal: 15 * ms, Commit: 20 * ms},
			actors.ProposedInfo{Conversation: "group:1", Kind: "post", Ack: actors.AckCommitted, Result: actors.ResultNothing, Journal: 15 * ms, Commit: 20 * ms})
		// What is refused is told of too, with the stages that it came to; nobody has to wait for it.
		e.ProposeFunc(&actors.Proposal{Conversation: "group:1", Change: &conversation.Read{User: "bob", Seq: 1}}, answer)
		e.ProposeFunc(&actors.Proposal{Conversation: "nonsense", Change: &conversation.Read{User: "bob", Seq: 1}, Ack: actors.AckApplied}, answer)
		e.Advance(time.Second)
		infos := told.take() // in any order: they are of two conversations
		slices.SortFunc(infos, func(a, b actors.ProposedInfo) int { return strings.Compare(a.Conversation, b.Conversation) })
		if len(infos) != 2 || infos[0].Result != actors.ResultNotFound || infos[1].Result != actors.ResultInvalid || infos[1].Queue != 0 ||
			!errors.Is(infos[0].Err, conversation.ErrNotFound) || !errors.Is(infos[1].Err, conversation.ErrInvalid) {
			t.Errorf("refused: got %+v, want one that is invalid and one of no member", infos)
		}
		stages := e.Stats().Proposals.Stages
		if q, a, j, c := stages.Queue.Count(), stages.Apply.Count(), stages.Journal.Count(), stages.Commit.Count(); q != 7 || a != 7 || j != 5 || c != 5 {
			t.Errorf("%d queued, %d applied, %d waited for the journal and %d for the store; want 7, 7, 5 and 5", q, a, j, c)
		}
		if stages.Journal.Sum != 30*ms || stages.Commit.Sum != 95*ms || stages.Queue.Sum != first[0].Queue {
			t.Errorf("in all: queue %v, journal %v, commit %v", stages.Queue.Sum, stages.Journal.Sum, stages.Commit.Sum)
		}
	})
}

func TestATurnIsMeasuredAsApply(t *testing.T) {
	var told proposed
	config := actors.Config{Observer: told.observer()}
	virtual := newStepClock()
	config.Clock = virtual
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:1", "ann", 1)
		virtual.step.Store(int64(time.Millisecond)) // each look at the clock
		e.Do("group:1", &conversation.Post{Seq: 2, Sender: "ann"})
		virtual.step.Store(0)
		infos := told.take()
		if last := infos[len(infos)-1]; last.Queue == 0 || last.Apply != time.Millisecond {
			t.Errorf("got %+v, want a queue of some steps and a turn of one", last)
		}
	})
}

func TestAProposalIsCountedByItsResultAndAck(t *testing.T) {
	actorstest.Run(t, actors.Config{Default: conversation.Policy{RequireMembers: true}, MaxQueue: 1}, func(t *testing.T, e *actorstest.Engine) {
		do := func(ack actors.Ack, change conversation.Change, name string, ifGeneration uint64) {
			_, _ = e.Propose(t.Context(), &actors.Proposal{Conversation: name, Change: change, Ack: ack, IfGeneration: ifGeneration})
		}
		post := &conversation.Post{Seq: 1, Sender: "ann", Members: []string{"bob"}}
		do(actors.AckApplied, post, "group:1", 0)
		do(actors.AckApplied, post, "group:1", 0)
		do(actors.AckDefault, post, "group:2", 0)
		do(actors.AckCommitted, post, "group:2", 0)
		do(actors.AckApplied, &conversation.Post{Seq: 1, Sender: "ann"}, "group:3", 0)
		do(actors.AckApplied, &conversation.Read{User: "cid", Seq: 1}, "group:1", 0)
		do(actors.AckCommitted, &conversation.Post{Seq: 2, Sender: "ann"}, "group:1", 77)
		do(actors.AckCommitted, &conversation.Hold{On: true}, "group:1", 0)
		do(actors.AckCommitted, &conversation.Delete{}, "group:1", e.View("group:1", "").Generation)
		do(99, post, "group:1", 0)
		_ = e.Stop(context.Background())
		do(actors.AckApplied, post, "group:1", 0)
		got := map[string]uint64{}
		for _, r := range e.Stats().Proposals.Results {
			if r.Count > 0 {
				got[r.Ack.String()+" "+r.Result.String()] = r.Count
			}
		}
		want := map[string]uint64{
			"applied changed": 1, "applied nothing": 1, "committed changed": 2, "committed nothing": 1, "applied members_required": 1, "applied not_found": 1,
			"committed conflict": 1, "committed held": 1, "committed invalid": 1, "applied unavailable": 1,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if p := e.Stats().Proposals; p.Received != 11 || p.Applied != 5 || p.Refused != 6 || p.Waiting != 0 {
			t.Errorf("%d received, %d applied, %d refused, %d waiting; want 11, 5, 6 and 0", p.Received, p.Applied, p.Refused, p.Waiting)
		}
	})
}

func TestWhatTheStoreDoesNotTakeIsCountedAsUncommitted(t *testing.T) {
	var told proposed
	actorstest.Run(t, actors.Config{Observer: told.observer()}, func(t *testing.T, e *actorstest.Engine) {
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { return persistence.ErrStoreFull }})
		_, err := e.Propose(t.Context(), postOf("group:1", 1, actors.AckCommitted))
		if !errors.Is(err, conversation.ErrOverloaded) {
			t.Fatalf("got %v, want that the store is full", err)
		}
		p := e.Stats().Proposals
		if infos := told.take(); p.Applied != 1 || p.Refused != 0 || p.Uncommitted != 1 || len(infos) != 1 || infos[0].Result != actors.ResultChanged ||
			!errors.Is(infos[0].Err, persistence.ErrStoreFull) {
			t.Errorf("%d applied, %d refused, %d uncommitted, told %+v; want one, applied but not committed", p.Applied, p.Refused, p.Uncommitted, infos)
		}
		e.Heal()
	})
}

func TestTheOldestWaitingProposalTellsForHowLong(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Store.SetFaults(persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
			if op == persistencetest.OpGet {
				return time.Minute
			}
			return 0
		}})
		e.ProposeFunc(postOf("group:1", 1, actors.AckApplied), func(*actors.Reply) {})
		e.Advance(10 * time.Second)
		e.ProposeFunc(postOf("group:2", 1, actors.AckApplied), func(*actors.Reply) {})
		e.Advance(5 * time.Second)
		if p := e.Stats().Proposals; p.Waiting != 2 || p.Oldest != 15*time.Second {
			t.Errorf("%d wait, the first for %v; want 2 and 15s", p.Waiting, p.Oldest)
		}
		e.Heal()
		e.Advance(time.Hour)
		if p := e.Stats().Proposals; p.Waiting != 0 || p.Oldest != 0 {
			t.Errorf("later %d wait, the first for %v; want none", p.Waiting, p.Oldest)
		}
	})
}
