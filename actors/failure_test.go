package actors_test

import (
	"context"
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
	"github.com/parley-im/parley/persistence/persistencetest"
)

// failing returns a config in which the posts of group:42 with a number in seqs panic.
func failing(seqs ...uint64) actors.Config {
	var c actors.Config
	c.Break(func(p *actors.Proposal) {
		post, ok := p.Change.(*conversation.Post)
		for _, seq := range seqs {
			if ok && p.Conversation == "group:42" && post.Seq == seq {
				panic(fmt.Sprintf("post %d", seq))
			}
		}
	}, nil)
	return c
}

func TestAPanicRefusesItsProposalAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newHost(t)
		e := actorstest.StartOn(t, persistencetest.NewStore(), system, failing(3, 7))
		var replies []*actors.Reply
		collector := collect(t, system, func(r *actors.Reply) { replies = append(replies, r) })
		for seq := range uint64(10) {
			system.Root.RequestWithCustomSender(e.PID(), &actors.Proposal{
				Conversation: "group:42", Change: &conversation.Post{Seq: seq + 1, Sender: "ann"}, Ack: actors.AckApplied, Tag: seq + 1,
			}, collector)
		}
		synctest.Wait()
		if len(replies) != 10 {
			t.Fatalf("%d of 10 proposals were answered", len(replies))
		}
		for i, r := range replies {
			tag := uint64(i + 1)
			if failed := tag == 3 || tag == 7; r.Tag != tag || failed != errors.Is(r.Err, conversation.ErrUnavailable) || (!failed && r.LastSeq != tag) {
				t.Errorf("reply %d: %+v", i+1, r)
			}
		}
		if v := e.View("group:42", ""); v == nil || v.LastSeq != 10 {
			t.Fatalf("in the end: got %+v, want last seq 10", v)
		}
		if got := e.Failed(); len(got) != 2 || got[0].Conversation != "group:42" || got[0].Reason != "post 3" {
			t.Fatalf("failures: got %+v, want those of posts 3 and 7", got)
		}
		if p := e.Stats().Proposals; p.Received != 10 || p.Applied != 8 || p.Refused != 2 {
			t.Errorf("proposals: %+v, want 10 = 8 + 2", p)
		}
	})
}

func TestAConversationThatPanicsWhileItStopsBeginsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := failing(2)
		onApply := func(p *actors.Proposal) {
			if post, ok := p.Change.(*conversation.Post); ok && post.Seq == 2 {
				panic("post 2")
			}
		}
		config.Break(onApply, func(message any) {
			switch message.(type) {
			case *actor.Stopping, *actor.Stopped:
				panic("not now")
			}
		})
		config.IdleAfter = time.Second
		e := actorstest.Start(t, config)
		e.Post("group:42", "ann", 1)
		if r := e.Do("group:42", &conversation.Post{Seq: 2, Sender: "ann"}); !errors.Is(r.Err, conversation.ErrUnavailable) {
			t.Fatalf("post 2: got %+v, want a refusal", r)
		}
		e.Post("group:42", "ann", 3)
		e.Advance(time.Minute) // it passivates
		if got := e.Stats().Cells; got.Active != 0 {
			t.Fatalf("%d conversations are active after they were idle, want none", got.Active)
		}
		e.Post("group:42", "ann", 4)
		if v := e.View("group:42", ""); v == nil || v.LastSeq != 4 {
			t.Fatalf("in the end: got %+v, want last seq 4", v)
		}
	})
}

func TestAConversationThatAlwaysFailsIsQuarantinedAndGetsAnotherChance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		var config actors.Config
		config.Break(func(p *actors.Proposal) {
			if broken && p.Conversation == "group:bad" {
				panic("broken")
			}
		}, nil)
		e := actorstest.Start(t, config)
		for seq := range uint64(5) {
			if r := e.Do("group:bad", &conversation.Post{Seq: seq + 1, Sender: "ann"}); !errors.Is(r.Err, conversation.ErrUnavailable) {
				t.Fatalf("failure %d: got %+v", seq+1, r)
			}
		}
		synctest.Wait()
		if r := e.Do("group:bad", &conversation.Post{Seq: 6, Sender: "ann"}); !errors.Is(r.Err, conversation.ErrQuarantined) {
			t.Fatalf("after five failures in a row: got %+v, want ErrQuarantined", r)
		}
		if got := e.Stats().Cells.Quarantined; got != 1 {
			t.Errorf("%d conversations are quarantined, want 1", got)
		}
		e.Post("group:good", "ann", 1)
		broken = false
		e.Advance(time.Minute)
		e.Post("group:bad", "ann", 7)
	})
}

func TestAShardThatFailsLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newHost(t)
		e := actorstest.StartOn(t, persistencetest.NewStore(), system, actors.Config{})
		last := uint64(0)
		collector := collect(t, system, func(r *actors.Reply) {
			if r.Err != nil || r.LastSeq != last+1 || r.Version != r.LastSeq {
				t.Errorf("after %d: %+v", last, r)
			}
			last = r.LastSeq
		})
		for seq := range uint64(1000) {
			if seq%100 == 50 {
				e.FailShard("group:42")
			}
			system.Root.RequestWithCustomSender(e.PID(), &actors.Proposal{
				Conversation: "group:42", Change: &conversation.Post{Seq: seq + 1, Sender: "ann"}, Ack: actors.AckApplied,
			}, collector)
		}
		synctest.Wait()
		if last != 1000 {
			t.Fatalf("%d of 1000 posts were applied", last)
		}
		if got := e.Failed(); len(got) != 10 || got[0].What != "shard" {
			t.Fatalf("failures: got %+v, want ten of the shard", got)
		}
	})
}

// The actors of conversations outlive an incarnation of their shard's, which knows them by its table: they go on, leave when they are idle, and fail, as if nothing had been.
func TestConversationsGoOnWhereTheirShardFails(t *testing.T) {
	const name = "group:42"
	fail := false
	config := actors.Config{MaxPackedBytes: -1, IdleAfter: time.Minute}
	config.Break(func(*actors.Proposal) {
		if fail {
			fail = false
			panic("once")
		}
	}, nil)
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		before := e.Processes()
		e.Post(name, "ann", 1)
		for seq := uint64(2); seq < 6; seq++ {
			e.FailShard(name)
			e.Post(name, "ann", seq)
		}
		if c := e.Stats().Cells; c.Active != 1 || !e.Active(name) || e.Processes() != before+1 {
			t.Errorf("%+v, want one actor; %d processes more than before", c, e.Processes()-before)
		}
		fail = true
		if r := e.Send(&actors.Proposal{Conversation: name, Change: &conversation.Post{Seq: 6, Sender: "ann"}}); r.Err == nil {
			t.Error("the conversation has not failed")
		}
		e.Post(name, "ann", 7)
		if c := e.Stats().Cells; c.Active != 1 || e.Processes() != before+1 {
			t.Errorf("%+v, want another actor in place of the one that failed; %d processes more than before", c, e.Processes()-before)
		}
		e.FailShard(name)
		e.Advance(time.Hour)
		if c := e.Stats().Cells; c.Active != 0 || e.Processes() != before {
			t.Errorf("%+v, want nobody active once they were idle; %d processes, %d before", c, e.Processes(), before)
		}
	})
}

func TestAReaperThatFailsForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		for i := range 50 {
			e.Post(fmt.Sprintf("group:%d", i), "ann", 1)
			e.Advance(time.Second)
		}
		e.Advance(time.Hour - 50*time.Second)
		for range 60 {
			e.FailReaper()
			time.Sleep(time.Second) // virtual: the next failure meets what the last has left, quiet or not
		}
		e.Advance(time.Minute)
		if got := e.Expired(); len(got) != 50 {
			t.Fatalf("%d of 50 conversations expired", len(got))
		}
		if got := e.Failed(); len(got) != 60 || got[0].What != "reaper" {
			t.Fatalf("%d failures, want 60 of the reaper", len(got))
		}
	})
}

func TestASecondEngineOnTheStoreFencesTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := persistencetest.NewStore()
		first, err := actors.Start(t.Context(), nil, store, actors.Config{})
		if err != nil {
			t.Fatal(err)
		}
		second := actorstest.StartOn(t, store, nil, actors.Config{})
		_, err = first.Propose(t.Context(), &actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 1, Sender: "ann"}})
		if !errors.Is(err, persistence.ErrFenced) || !errors.Is(err, conversation.ErrUnavailable) {
			t.Fatalf("a proposal to the first engine: got %v, want ErrUnavailable because of ErrFenced", err)
		}
		<-first.Done()
		if err := first.Err(); !errors.Is(err, persistence.ErrFenced) {
			t.Errorf("the first engine's Err: got %v, want ErrFenced", err)
		}
		if v := second.View("group:42", ""); v != nil {
			t.Errorf("the fenced proposal was written: %+v", v)
		}
		second.Post("group:42", "ann", 1)
		if err := first.Stop(t.Context()); !errors.Is(err, persistence.ErrFenced) {
			t.Errorf("stopping the first engine: got %v, want it to tell what was lost because of ErrFenced", err)
		}
	})
}

func TestAFullDiskRefusesAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		e.Post("group:42", "ann", 1)
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { return persistence.ErrStoreFull }})
		r := e.Do("group:42", &conversation.Post{Seq: 2, Sender: "ann"})
		if !errors.Is(r.Err, persistence.ErrStoreFull) || !errors.Is(r.Err, conversation.ErrOverloaded) || r.Ack != actors.AckApplied {
			t.Fatalf("the proposal that met the full disk: got %+v, want ErrStoreFull, applied only", r)
		}
		for _, ack := range []actors.Ack{actors.AckApplied, actors.AckCommitted} {
			_, err := e.Propose(t.Context(), &actors.Proposal{Conversation: "group:43", Change: &conversation.Post{Seq: 1, Sender: "ann"}, Ack: ack})
			if !errors.Is(err, persistence.ErrStoreFull) {
				t.Fatalf("the next one, ack %v: got %v, want ErrStoreFull", ack, err)
			}
		}
		if v := e.View("group:43", ""); v != nil {
			t.Fatalf("a refused proposal was applied: %+v", v)
		}
		e.Store.SetFaults(persistencetest.Faults{})
		e.Advance(5 * time.Second)
		e.Post("group:43", "ann", 1)
		e.Crash()
		if v := e.View("group:42", ""); v == nil || v.LastSeq != 2 {
			t.Fatalf("what was applied while the disk was full: got %+v, want last seq 2", v)
		}
	})
}

func TestAConversationWhoseRowsTheStoreRefusesIsQuarantinedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		e.Post("group:bad", "ann", 1)
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			for _, g := range b.Groups {
				for _, p := range g.Puts {
					if name, err := persistence.ParseHeadKey(p.Key); err == nil && name == "group:bad" {
						return errors.New("cannot write this")
					}
				}
			}
			return nil
		}})
		replies := make(chan actors.Reply, 10)
		for i := range 10 {
			name := fmt.Sprintf("group:%d", i)
			if i == 5 {
				name = "group:bad"
			}
			go func() {
				r, _ := e.Propose(context.Background(), &actors.Proposal{Conversation: name, Change: &conversation.Post{Seq: 2, Sender: "ann"}})
				replies <- r
			}()
		}
		for answered := 0; answered < 10; {
			select {
			case r := <-replies:
				answered++
				if (r.Conversation == "group:bad") != errors.Is(r.Err, conversation.ErrQuarantined) {
					t.Errorf("%s: %v", r.Conversation, r.Err)
				}
			case <-time.After(time.Second): // if all others were written before: that it is not the store which fails shows where another conversation has something to write
				e.ProposeFunc(&actors.Proposal{Conversation: "group:beside", Change: &conversation.Post{Seq: uint64(time.Now().Unix()), Sender: "ann"}}, nil)
			}
		}
		synctest.Wait()
		if r := e.Do("group:bad", &conversation.Post{Seq: 3, Sender: "ann"}); !errors.Is(r.Err, conversation.ErrQuarantined) {
			t.Errorf("while quarantined: %v", r.Err)
		}
		e.Store.SetFaults(persistencetest.Faults{})
		e.Advance(time.Minute)
		if r := e.Post("group:bad", "ann", 2); !r.Changed {
			t.Errorf("after the quarantine it went on from what was not stored: %+v", r)
		}
	})
}

func TestFailuresWithASuccessBetweenThemAreNotInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, failing(1, 2, 3, 4, 6, 7, 8, 9))
		for seq := range uint64(10) {
			r := e.Do("group:42", &conversation.Post{Seq: seq + 1, Sender: "ann"})
			if failed := seq+1 != 5 && seq+1 != 10; failed != errors.Is(r.Err, conversation.ErrUnavailable) {
				t.Fatalf("post %d: got %+v", seq+1, r)
			}
		}
	})
}

func TestAJudgementThatFailsIsMadeAgain(t *testing.T) {
	for _, idle := range []time.Duration{time.Second, 24 * time.Hour} { // judged by its shard, and by its actor
		synctest.Test(t, func(t *testing.T) {
			config := hourly()
			config.IdleAfter = idle
			failures := 0
			config.BreakJudging(func(name string) {
				if failures < 3 && name == "group:42" {
					failures++
					panic("no verdict")
				}
			})
			e := actorstest.Start(t, config)
			e.Post("group:42", "ann", 1)
			e.Post("group:43", "ann", 1)
			e.Advance(time.Hour + 10*time.Second)
			if got := e.Expired(); len(got) != 2 {
				t.Errorf("idle after %v: %d of 2 conversations expired", idle, len(got))
			}
			if got := e.Failed(); len(got) != 3 {
				t.Errorf("idle after %v: %d failures were told, want 3", idle, len(got))
			}
		})
	}
}

// The deletion of one conversation is carried out at once, but the answer is lost, however often it is repeated.
func TestAnEventIsForgottenAlsoWhereTheAnswerToItsDeletionWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := hourly()
		config.EventsFor = 10 * time.Hour
		e := actorstest.Start(t, config)
		for i := range 40 { // while one fails, others go on
			e.Post(fmt.Sprintf("group:%d", i), "ann", 1)
			e.Advance(time.Second)
		}
		e.Store.SetFaults(persistencetest.Faults{AfterCommit: func(b persistence.Batch, _ []persistence.Result) error {
			for _, g := range b.Groups {
				if g.Requires == nil {
					continue
				}
				if name, _, _, err := persistence.ParseDueKey(g.Requires); err == nil && name == "group:3" {
					return errors.New("the answer was lost")
				}
			}
			return nil
		}})
		e.Advance(time.Hour + time.Minute)
		if got := e.Failed(); len(got) == 0 || got[0].What != "reaper" {
			t.Fatalf("failures: got %+v, want that the reaper set the conversation aside", got)
		}
		e.Store.SetFaults(persistencetest.Faults{})
		e.Advance(11 * time.Hour)
		left := kinds(t, e)
		delete(left, persistence.KindRemoval) // which are kept for longer
		if len(left) != 0 {
			t.Errorf("rows are left after they were to be forgotten, by kind: %v", left)
		}
	})
}

// The entry in the store stays where it was when the rows that would have moved it were dropped.
func TestAConversationWhoseReArmingWasDroppedExpiresAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		e.Post("group:bad", "ann", 1)
		e.Advance(30 * time.Minute)
		e.Post("group:bad", "ann", 2)
		e.Advance(30*time.Minute - time.Second)
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			for _, g := range b.Groups {
				for _, p := range g.Puts {
					if name, err := persistence.ParseHeadKey(p.Key); err == nil && name == "group:bad" {
						return errors.New("cannot write this")
					}
				}
			}
			return nil
		}})
		for i := range 20 { // others show that it is not the store
			e.Advance(100 * time.Millisecond)
			_, _ = e.Propose(t.Context(), &actors.Proposal{
				Conversation: "group:good", Change: &conversation.Post{Seq: uint64(i) + 1, Sender: "ann"}, Ack: actors.AckApplied,
			})
		}
		e.Advance(3 * time.Second)
		if got := e.Failed(); len(got) == 0 || got[0].What != "store" || got[0].Conversation != "group:bad" {
			t.Fatalf("failures: got %+v, want that the store did not take the rows of group:bad", got)
		}
		e.Store.SetFaults(persistencetest.Faults{})
		e.Advance(2 * time.Hour)
		if got := e.Expired(); len(got) != 2 {
			t.Errorf("expired: got %+v, want both conversations", got)
		}
	})
}
