package actorstest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
)

// took returns how long f takes.
func took(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

func TestWritesFailUntilTheStoreIsHealed(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		reason := errors.New("no such luck")
		e.Break(actorstest.WritesFail(reason))
		answered := make(chan actors.Reply, 1)
		go func() { answered <- e.Do("group:42", &conversation.Post{Seq: 1, Sender: "ann"}) }()
		e.Advance(time.Hour)
		if len(answered) != 0 {
			t.Fatal("a post was answered that is not in the store")
		}
		if err := e.Stats().Journal.Err; !errors.Is(err, reason) {
			t.Errorf("the store failed with %v, want %v", err, reason)
		}
		e.Heal()
		if r := <-answered; r.Err != nil || r.Ack != actors.AckCommitted {
			t.Errorf("after it was healed: %+v", r)
		}
	})
}

func TestAFaultForATimeEndsByItself(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.BreakFor(time.Minute, actorstest.WritesHang())
		if d := took(func() { e.Post("group:42", "ann", 1) }); d != time.Minute {
			t.Errorf("the post took %v, want a minute", d)
		}
		e.BreakFor(time.Minute, actorstest.WritesHang())
		e.Heal()
		e.Break(actorstest.WritesTake(time.Hour)) // which the end of the minute must not end
		e.Advance(2 * time.Minute)
		if d := took(func() { e.Post("group:42", "ann", 2) }); d != time.Hour {
			t.Errorf("the post took %v, want an hour", d)
		}
	})
}

func TestFaultsAddUp(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Break(actorstest.WritesTake(time.Second))
		e.BreakFor(10*time.Second, actorstest.WritesTake(time.Second), actorstest.ReadsTake(time.Millisecond))
		if d := took(func() { e.Post("group:42", "ann", 1) }); d < 2*time.Second || d > 2100*time.Millisecond {
			t.Errorf("a post took %v, want two seconds and a few reads", d)
		}
		e.Advance(10 * time.Second)
		if d := took(func() { e.Post("group:42", "ann", 2) }); d != time.Second {
			t.Errorf("with one fault over, a post took %v, want a second", d)
		}
	})
}

func TestReadsTakeTheirTime(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1)
		e.Restart()
		e.Break(actorstest.ReadsTake(time.Second))
		if d := took(func() { e.View("group:42", "ann") }); d < time.Second {
			t.Errorf("a view took %v, want seconds", d)
		}
		if d := took(func() { e.List("ann") }); d < time.Second {
			t.Errorf("a list took %v, want seconds", d)
		}
	})
}

func TestReadsThatFailMakeConversationsUnavailable(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Post("group:42", "ann", 1)
		e.Restart()
		e.Break(actorstest.ReadsFail(nil))
		r := e.Do("group:42", &conversation.Post{Seq: 2, Sender: "ann"})
		if !errors.Is(r.Err, conversation.ErrUnavailable) || !errors.Is(r.Err, actorstest.ErrBroken) {
			t.Errorf("a post: got %v, want ErrUnavailable", r.Err)
		}
		if _, err := e.Conversations(t.Context(), actors.ListQuery{User: "ann"}); !errors.Is(err, conversation.ErrUnavailable) {
			t.Errorf("a list: got %v, want ErrUnavailable", err)
		}
		e.Heal()
		e.Post("group:42", "ann", 2)
	})
}

func TestAnswersAreLostButNotWhatTheyAnswer(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Break(actorstest.AnswersAreLost())
		go e.Do("group:42", &conversation.Post{Seq: 1, Sender: "ann"})
		e.Await(time.Second, func(n actorstest.Note) bool {
			return n.Kind == actorstest.KindFlushEnd && errors.Is(n.Err(), actorstest.ErrBroken)
		})
		e.Crash()
		if v := e.View("group:42", ""); v == nil || v.LastSeq != 1 {
			t.Errorf("after a crash: got %+v, want the post, which was written", v)
		}
		e.Post("group:42", "ann", 2) // a crash heals
	})
}

func TestAHangingWriteIsNotCarriedOutAfterACrash(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Break(actorstest.WritesHang())
		refused := make(chan actors.Reply, 1)
		go func() { refused <- e.Do("group:42", &conversation.Post{Seq: 1, Sender: "ann"}) }()
		e.Advance(time.Second)
		e.Crash()
		if r := <-refused; !errors.Is(r.Err, conversation.ErrUnavailable) {
			t.Errorf("who waited: got %+v, want ErrUnavailable", r)
		}
		if v := e.View("group:42", ""); v != nil {
			t.Errorf("after a crash: got %+v, want nothing", v)
		}
	})
}

func TestRowsThatAreRefusedQuarantineTheirConversationAlone(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		e.Break(actorstest.RowsAreRefused("group:bad", nil))
		refused := make(chan actors.Reply, 1)
		go func() { refused <- e.Do("group:bad", &conversation.Post{Seq: 1, Sender: "ann"}) }()
		for i := range 20 {
			e.Post(fmt.Sprintf("group:%d", i), "ann", 1)
		}
		if r := <-refused; !errors.Is(r.Err, conversation.ErrQuarantined) {
			t.Errorf("its post: got %+v, want ErrQuarantined", r)
		}
		if got := e.Failed(); len(got) != 1 || got[0].Conversation != "group:bad" {
			t.Errorf("failures: got %+v, want that of group:bad", got)
		}
		e.Heal()
		e.Advance(time.Minute)
		e.Post("group:bad", "ann", 1)
	})
}
