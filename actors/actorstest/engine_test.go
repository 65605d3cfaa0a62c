package actorstest_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
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
		if n := e.Rows(); n != 4 {
			t.Errorf("%d rows are left, want the tombstone, the event, and what tells the devices of ann and of bob", n)
		}
	})
}

func TestARestartKeepsWhatWasOnlyApplied(t *testing.T) {
	actorstest.Run(t, actors.Config{FlushInterval: time.Hour}, func(t *testing.T, e *actorstest.Engine) {
		e.Send(&actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 1, Sender: "ann"}, Ack: actors.AckApplied})
		before := e.Engine
		e.Restart()
		if v := e.View("group:42", ""); v == nil || v.LastSeq != 1 {
			t.Errorf("after a restart: got %+v, want last seq 1", v)
		}
		if e.Engine == before {
			t.Error("the engine is the one of before")
		}
	})
}

func TestAnEngineThatIsFencedStopsByItselfAndTheNextGoesOn(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1)
		e.Fence()
		if r := e.Do("group:42", &conversation.Post{Seq: 2, Sender: "ann"}); !errors.Is(r.Err, conversation.ErrUnavailable) {
			t.Errorf("a post after the fence: got %+v, want ErrUnavailable", r)
		}
		<-e.Done()
		if !errors.Is(e.Err(), persistence.ErrFenced) {
			t.Errorf("the engine ended because of %v, want ErrFenced", e.Err())
		}
		e.Restart()
		if v := e.View("group:42", ""); v == nil || v.LastSeq != 1 {
			t.Errorf("the next engine has %+v, want what was committed before the fence", v)
		}
		e.Post("group:42", "ann", 2)
	})
}

// A fenced engine that never wrote again does not know. Ending the test in that state is no failure.
func TestATestMayEndWithAFencedEngine(t *testing.T) {
	actorstest.Run(t, actors.Config{FlushInterval: time.Hour}, func(_ *testing.T, e *actorstest.Engine) {
		e.Send(&actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 1, Sender: "ann"}, Ack: actors.AckApplied})
		e.Fence()
	})
}

func TestATestMayEndWhileTheStoreIsBroken(t *testing.T) {
	for _, fault := range []actorstest.Fault{actorstest.WritesFail(nil), actorstest.WritesHang(), actorstest.DiskIsFull(), actorstest.AnswersAreLost(), actorstest.ReadsFail(nil)} {
		actorstest.Run(t, actors.Config{}, func(_ *testing.T, e *actorstest.Engine) {
			e.Post("group:42", "ann", 1)
			e.Break(fault)
			e.Send(&actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 2, Sender: "ann"}, Ack: actors.AckApplied})
			e.Advance(time.Minute)
		})
	}
}
