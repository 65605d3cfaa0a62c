package actors_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestAMassIsJudgedWithoutItsConversations(t *testing.T) {
	for _, packed := range []int{-1, packedInTests} {
		t.Run(fmt.Sprintf("packed in %d bytes", packed), func(t *testing.T) {
			const n = 700
			config := hourly()
			config.IdleAfter, config.MaxPackedBytes = time.Minute, packed
			actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
				multitude(t, e, n)
				e.Advance(10 * time.Minute)
				before := e.Stats()
				if c := before.Cells; c.Known != 0 || (c.Packed > 0) != (packed > 0) {
					t.Fatalf("%+v, want no cell, and whether they are packed as it was asked for", c)
				}
				e.Advance(time.Hour)
				got := e.Stats()
				if got.Reaper.Judged != n || got.Reaper.Expired != n {
					t.Fatalf("%d were judged and %d expired, want all %d", got.Reaper.Judged, got.Reaper.Expired, n)
				}
				c := got.Cells
				if c.Activations != before.Cells.Activations || c.Visits != before.Cells.Visits || c.Known != 0 {
					t.Errorf("%+v, before %+v: want that no conversation was brought into memory", c, before.Cells)
				}
				if c.Packed != 0 {
					t.Errorf("%d are packed, all of which are over", c.Packed)
				}
			})
		})
	}
}

// Who has been talked to lately, or whose rows are in the journal, is left to its conversation: one of each, among others.
func TestADocketLeavesToItsConversationWhatIsNotPlain(t *testing.T) {
	config := hourly()
	config.IdleAfter, config.MaxPackedBytes = 24*time.Hour, -1
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:talked", "ann", 1)
		e.Post("group:silent", "ann", 1)
		e.Advance(30 * time.Minute)
		e.Post("group:talked", "ann", 2)
		e.Advance(30*time.Minute + time.Second)
		if got := e.Expired(); len(got) != 1 || got[0].Conversation != "group:silent" {
			t.Fatalf("expired: %+v, want the one that was silent", got)
		}
		if r := e.Stats().Reaper; r.Judged != 2 || r.Rearmed != 1 {
			t.Errorf("%+v, want two judgements, and one that is due later", r)
		}
		e.Advance(30 * time.Minute)
		if got := e.Expired(); len(got) != 2 {
			t.Errorf("expired: %+v, want both in the end", got)
		}
	})
}

func TestWhereNoRowsCanBeReadNothingIsJudgedOver(t *testing.T) {
	config := hourly()
	config.IdleAfter = time.Minute
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		multitude(t, e, 10)
		e.Advance(59 * time.Minute)
		var broken atomic.Bool
		broken.Store(true)
		e.Store.SetFaults(persistencetest.Faults{Get: func(key []byte) error {
			if kind := persistence.KindOf(key); broken.Load() && (kind == persistence.KindHead || kind == persistence.KindRoster) {
				return actorstest.ErrBroken
			}
			return nil
		}})
		e.Advance(time.Minute)
		if r := e.Stats().Reaper; r.Judged == 0 || r.Expired != 0 {
			t.Fatalf("%+v, want that all were judged in vain", r)
		}
		broken.Store(false)
		e.Advance(2 * time.Second)
		if r := e.Stats().Reaper; r.Expired != 10 {
			t.Errorf("%+v, want that all expired", r)
		}
	})
}

// The reaper begins anew while a docket is being read, which nobody waits for any more.
func TestADocketOfAReaperThatFailedIsJudgedAgainByTheNext(t *testing.T) {
	config := actors.Config{Default: hourly().Default, IdleAfter: time.Minute}
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		multitude(t, e, 10)
		e.Advance(59 * time.Minute)
		release, held := make(chan struct{}), atomic.Bool{}
		e.Store.SetFaults(persistencetest.Faults{Get: func([]byte) error {
			if held.CompareAndSwap(false, true) {
				<-release
			}
			return nil
		}})
		e.Advance(time.Minute)
		e.FailReaper()
		e.Advance(time.Second)
		if got := e.Expired(); len(got) != 10 {
			t.Errorf("%d expired, want all 10, by the next reaper", len(got))
		}
		close(release)
		e.Advance(time.Second)
		if got := e.Expired(); len(got) != 10 {
			t.Errorf("%d were told, want each once", len(got))
		}
		e.Check()
	})
}

// The post was accepted before the deadline, and the conversation's rows are being read for it when that comes.
func TestAPostThatHasNotHadItsTurnAtTheDeadlineKeepsTheConversation(t *testing.T) {
	config := hourly()
	config.IdleAfter, config.MaxPackedBytes = time.Minute, -1
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		first := e.Post("group:42", "ann", 1, "bob")
		e.Advance(time.Hour - time.Second)
		release, held := make(chan struct{}), atomic.Bool{}
		e.Store.SetFaults(persistencetest.Faults{Get: func(key []byte) error {
			if persistence.KindOf(key) == persistence.KindHead && held.CompareAndSwap(false, true) {
				<-release
			}
			return nil
		}})
		var reply atomic.Pointer[actors.Reply]
		e.ProposeFunc(&actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 2, Sender: "ann"}}, func(r *actors.Reply) { answered := *r; reply.Store(&answered) })
		e.Advance(10 * time.Second)
		if got := e.Stats().Reaper; got.Judged != 1 || got.Expired != 0 {
			t.Fatalf("%+v, want that it was asked and has not answered", got)
		}
		close(release)
		e.Advance(time.Second)
		if r := reply.Load(); r == nil || r.Err != nil || r.Generation != first.Generation {
			t.Fatalf("the post: %+v, want it in generation %d", r, first.Generation)
		}
		if got := e.Stats().Reaper; got.Rearmed != 1 || got.Expired != 0 {
			t.Errorf("%+v, want that it is due later", got)
		}
		e.Advance(time.Hour)
		if got := e.Expired(); len(got) != 1 || got[0].LastSeq != 2 {
			t.Errorf("expired: %+v, want it once, with the second post", got)
		}
	})
}

// The post was added where the conversation lies packed, and its rows are in nobody's hands when the old deadline comes.
func TestADocketSeesWhatWasPostedWhereAConversationLies(t *testing.T) {
	config := packing()
	config.FlushInterval, config.MaxFlushInterval = 24*time.Hour, 24*time.Hour
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		post := func(seq uint64) {
			p := &actors.Proposal{Conversation: "group:42", Ack: actors.AckApplied, Change: &conversation.Post{Seq: seq, Sender: "ann"}}
			if _, err := e.Propose(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		e.Post("group:42", "ann", 1)
		post(2)
		if err := e.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		e.Advance(20 * time.Minute) // it has no cell any more
		post(3)
		if c := e.Stats().Cells; c.Known != 0 || c.Packed != 1 {
			t.Fatalf("%+v, want it to lie packed, without a cell", c)
		}
		e.Advance(41 * time.Minute)
		if r := e.Stats().Reaper; r.Judged != 1 || r.Rearmed != 1 || r.Expired != 0 {
			t.Fatalf("at its first deadline: %+v, want that it is due later", r)
		}
		if v := e.View("group:42", "ann"); v == nil || v.LastSeq != 3 {
			t.Errorf("after its first deadline: %+v, want it with three posts", v)
		}
		e.Advance(time.Hour)
		if got := e.Expired(); len(got) != 1 || got[0].LastSeq != 3 {
			t.Errorf("expired: %+v, want it once, with three posts", got)
		}
	})
}
