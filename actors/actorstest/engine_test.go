package actorstest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Thirty days of a conversation take as long as the work in them.
func TestThirtyDaysGoByInAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{Default: conversation.Policy{ExpireAfter: 36 * time.Hour}})
		began := time.Now()
		for day := range uint64(30) {
			e.Post("group:42", "ann", day+1, "bob")
			e.Advance(24 * time.Hour)
		}
		if got := e.Expired(); len(got) != 0 {
			t.Fatalf("a conversation with a post each day expired: %+v", got)
		}
		if got := time.Since(began); got != 30*24*time.Hour {
			t.Fatalf("the bubble's clock went on by %v, want thirty days", got)
		}
		e.Advance(12*time.Hour + time.Second)
		got := e.Expired()
		if len(got) != 1 || got[0].LastSeq != 30 {
			t.Fatalf("expired: got %+v, want the conversation, 36 hours after its last post", got)
		}
		if n := e.Rows(); n != 2 {
			t.Errorf("%d rows are left, want the tombstone and the event", n)
		}
	})
}

func TestACrashTakesBackWhatWasOnlyApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{FlushInterval: time.Hour})
		e.Post("group:42", "ann", 1)
		if _, err := e.Propose(t.Context(), &actors.Proposal{
			Conversation: "group:42", Change: &conversation.Post{Seq: 2, Sender: "ann"}, Ack: actors.AckApplied,
		}); err != nil {
			t.Fatal(err)
		}
		e.Crash()
		if v := e.View("group:42", ""); v == nil || v.LastSeq != 1 {
			t.Errorf("after a crash: got %+v, want what was committed, last seq 1", v)
		}
		e.Restart()
		if v := e.View("group:42", ""); v == nil || v.LastSeq != 1 {
			t.Errorf("after a restart: got %+v, want last seq 1", v)
		}
	})
}
