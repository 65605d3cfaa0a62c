package actors_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func hourly() actors.Config {
	return actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}}
}

func TestAConversationExpiresAnHourAfterItsLastPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		e.Post("group:42", "ann", 1, "bob")
		e.Advance(59 * time.Minute)
		e.Post("group:42", "ann", 2)
		e.Advance(time.Hour - time.Microsecond)
		if v := e.View("group:42", "bob"); v == nil || v.Membership.Unread != 2 {
			t.Fatalf("just before its deadline: got %+v, want bob with 2 unread", v)
		}
		if got := e.Expired(); len(got) != 0 {
			t.Fatalf("expired before its deadline: %+v", got)
		}
		e.Advance(time.Microsecond)
		if v := e.View("group:42", "bob"); v != nil {
			t.Fatalf("at its deadline it is still shown: %+v", v)
		}
		e.Advance(time.Second)
		got := e.Expired()
		if len(got) != 1 || got[0].LastSeq != 2 || got[0].Reason != persistence.ReasonExpired || !slices.Equal(got[0].Users, []string{"ann", "bob"}) {
			t.Fatalf("expired: got %+v, want one generation of ann and bob with last seq 2", got)
		}
		if got[0].Lateness > 100*time.Millisecond {
			t.Errorf("it was deleted %v after its deadline", got[0].Lateness)
		}
	})
}

func TestNothingExpiresWithoutRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		e.Post("group:42", "ann", 1)
		e.Advance(300 * 24 * time.Hour)
		if v := e.View("group:42", ""); v == nil || !v.ExpiresAt.IsZero() {
			t.Fatalf("after three hundred days: got %+v, want a conversation that never expires", v)
		}
	})
}

func TestABusyConversationCostsOneIndexWriteInEachRetentionPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		for seq := range uint64(600) {
			e.Post("group:42", "ann", seq+1)
			e.Advance(time.Minute)
		}
		if got := e.Stats().Reaper; got.Judged > 11 || got.Rearmed != got.Judged || got.Expired != 0 {
			t.Fatalf("in ten hours of posts with a retention of one: %+v, want at most 11 judgements, all re-armed", got)
		}
	})
}

// The conversation is not in memory when its entry comes due, and the store still has the old deadline: the newer rows are in the overlay alone.
func TestAJudgeSeesRowsThatAreNotInTheStoreYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := hourly()
		config.IdleAfter, config.FlushInterval, config.MaxPackedBytes = time.Second, 24*time.Hour, -1
		e := actorstest.Start(t, config)
		e.Post("group:42", "ann", 1)
		e.Advance(30 * time.Minute)
		if _, err := e.Propose(t.Context(), &actors.Proposal{
			Conversation: "group:42", Change: &conversation.Post{Seq: 2, Sender: "ann"}, Ack: actors.AckApplied,
		}); err != nil {
			t.Fatal(err)
		}
		e.Advance(29 * time.Minute)
		if got := e.Stats(); got.Cells.Active != 0 || got.Journal.Rows == 0 {
			t.Fatalf("before the deadline in the store: %d active, %d rows in the journal; want none and some", got.Cells.Active, got.Journal.Rows)
		}
		e.Advance(2 * time.Minute)
		if v := e.View("group:42", "ann"); v == nil || v.LastSeq != 2 {
			t.Fatalf("after the deadline in the store: got %+v, want it alive with last seq 2", v)
		}
		if got := e.Stats(); got.Reaper.Rearmed != 1 || got.Cells.Activations != 2 {
			t.Fatalf("the entry was re-armed %d times with %d activations, want 1 and 2: the judgement needs no actor", got.Reaper.Rearmed, got.Cells.Activations)
		}
		e.Advance(29*time.Minute + time.Second)
		if got := e.Expired(); len(got) != 1 || got[0].LastSeq != 2 {
			t.Fatalf("expired: got %+v, want one generation with last seq 2", got)
		}
	})
}

// steps are the moments of an expiry at which something may come in between.
var steps = []struct {
	name string
	// reach brings the engine to that moment and returns what lets it go on.
	reach func(e *actorstest.Engine) (resume func())
}{
	{"before the deadline is noticed", func(*actorstest.Engine) func() {
		time.Sleep(time.Hour) // virtual: to the deadline, without waiting until all is quiet
		return func() {}
	}},
	{"while the rows are read that it is judged by", func(e *actorstest.Engine) func() {
		release, held := make(chan struct{}), atomic.Bool{}
		e.Store.SetFaults(persistencetest.Faults{Get: func(key []byte) error {
			if persistence.KindOf(key) == persistence.KindHead && held.CompareAndSwap(false, true) {
				<-release
			}
			return nil
		}})
		e.Advance(2 * time.Hour)
		return func() { close(release) }
	}},
	{"while the first snapshot is taken", atSnapshot(1)},
	{"while the second snapshot is taken", atSnapshot(2)},
	{"while the third snapshot is taken", atSnapshot(3)},
	{"while the batch waits for others", func(e *actorstest.Engine) func() {
		e.Advance(time.Hour)
		return func() {}
	}},
	{"before the deletion takes effect", func(e *actorstest.Engine) func() {
		return hold(e, func(f *persistencetest.Faults, stop func()) {
			f.BeforeCommit = func(b persistence.Batch) error {
				if deletes(b) {
					stop()
				}
				return nil
			}
		})
	}},
	{"after the deletion took effect", func(e *actorstest.Engine) func() {
		return hold(e, func(f *persistencetest.Faults, stop func()) {
			f.AfterCommit = func(b persistence.Batch, _ []persistence.Result) error {
				if deletes(b) {
					stop()
				}
				return nil
			}
		})
	}},
	{"after a deletion whose outcome is unknown", func(e *actorstest.Engine) func() {
		failed := false
		e.Store.SetFaults(persistencetest.Faults{AfterCommit: func(b persistence.Batch, _ []persistence.Result) error {
			if deletes(b) && !failed {
				failed = true
				return context.DeadlineExceeded
			}
			return nil
		}})
		e.Advance(time.Hour + 6*time.Millisecond)
		return func() {}
	}},
	{"after all is done", func(e *actorstest.Engine) func() {
		e.Advance(2 * time.Hour)
		return func() {}
	}},
}

func TestALateRepeatOfAnOldPostRevivesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := hourly()
		config.EventsFor = 24 * time.Hour
		e := actorstest.Start(t, config)
		e.Post("group:42", "ann", 7)
		e.Advance(2 * time.Hour)
		if r := e.Post("group:42", "ann", 7); r.Changed || r.LastSeq != 7 {
			t.Fatalf("a repeat of the last post: got %+v, want no change", r)
		}
		if v := e.View("group:42", ""); v != nil {
			t.Fatalf("the repeat revived it: %+v", v)
		}
		if r := e.Post("group:42", "ann", 8); !r.Changed || r.LastSeq != 8 {
			t.Fatalf("the next post: got %+v, want a new generation", r)
		}
		e.Advance(2 * time.Hour)
		e.Advance(24 * time.Hour)
		// What was kept against repeats is gone in the end, and what was kept for devices that ask what changed, a while after.
		if diff := cmp.Diff(map[persistence.Kind]int{persistence.KindRemoval: 2}, kinds(t, e)); diff != "" {
			t.Fatalf("rows a day after the last expiry (-want +got):\n%s", diff)
		}
		e.Advance(outdatedAfter)
		if n := e.Rows(); n != 0 {
			t.Fatalf("%v after that %d rows are left, want none", outdatedAfter, n)
		}
	})
}

func TestDeleteEndsAGenerationAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		r := e.Post("group:42", "ann", 3, "bob")
		propose := func(generation uint64) error {
			_, err := e.Propose(t.Context(), &actors.Proposal{Conversation: "group:42", Change: &conversation.Delete{}, IfGeneration: generation})
			return err
		}
		wantField(t, propose(0), conversation.ErrInvalid, "if_generation")
		wantField(t, propose(r.Generation+1), conversation.ErrConflict, "if_generation")
		if err := propose(r.Generation); err != nil {
			t.Fatal(err)
		}
		if v := e.View("group:42", "bob"); v != nil {
			t.Fatalf("deleted, it is shown: %+v", v)
		}
		e.Crash()
		if v := e.View("group:42", "bob"); v != nil {
			t.Fatalf("after a crash it is back: %+v", v)
		}
		wantField(t, propose(r.Generation), conversation.ErrNotFound, "")
		e.Advance(time.Second)
		if got := e.Expired(); len(got) != 1 || got[0].Reason != persistence.ReasonDeleted || got[0].LastSeq != 3 {
			t.Fatalf("expired: got %+v, want one generation, deleted", got)
		}
	})
}

func TestTheClockNeverGoesBackOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		e.Post("group:42", "ann", 1)
		e.Advance(time.Hour + time.Second)
		e.Post("group:43", "ann", 1)
		seen := e.Store.Meta().Clock
		e.Crash()
		e.Post("group:44", "ann", 1)
		if now := e.Store.Meta().Clock; now < seen {
			t.Fatalf("the clock went back from %v to %v", seen, now)
		}
	})
}

func TestAStoreThatFailsForAMinuteDelaysExpiryAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		for i := range 300 {
			e.Post(fmt.Sprintf("group:%d", i), "ann", 1, "bob")
		}
		e.Advance(time.Hour - time.Second)
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { return context.DeadlineExceeded }})
		e.Advance(time.Minute)
		if got := e.Expired(); len(got) != 0 {
			t.Fatalf("%d expired while nothing could be written", len(got))
		}
		if err := e.Stats().Reaper.Err; err == nil {
			t.Error("Stats does not tell that the reaper fails")
		}
		e.Store.SetFaults(persistencetest.Faults{})
		e.Advance(10 * time.Second)
		if got := e.Expired(); len(got) != 300 {
			t.Fatalf("ten seconds after the store came back %d of 300 are gone", len(got))
		}
	})
}

func TestAHeldConversationNeitherExpiresNorCanBeDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		r := e.Post("group:42", "ann", 1, "bob")
		e.Do("group:42", &conversation.Hold{On: true})
		e.Advance(24 * time.Hour)
		if v := e.View("group:42", "bob"); v == nil || !v.Held || !v.ExpiresAt.IsZero() {
			t.Fatalf("after a day: got %+v, want it held, with no deadline", v)
		}
		_, err := e.Propose(t.Context(), &actors.Proposal{Conversation: "group:42", Change: &conversation.Delete{}, IfGeneration: r.Generation})
		wantField(t, err, conversation.ErrHeld, "")
		e.Crash()
		e.Advance(24 * time.Hour)
		e.Do("group:42", &conversation.Hold{On: false})
		e.Advance(time.Second)
		if got := e.Expired(); len(got) != 1 || got[0].LastSeq != 1 {
			t.Fatalf("released long after its retention: got %+v, want it expired", got)
		}
	})
}
