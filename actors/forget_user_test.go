package actors_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestAUserIsGoneAtOnceAndFromEveryRowInTheEnd(t *testing.T) {
	actorstest.Run(t, forgetting(), func(t *testing.T, e *actorstest.Engine) {
		memberships := takePart(e)
		e.Advance(20 * time.Minute)
		page, err := e.Sync(t.Context(), actors.SyncQuery{User: "bob", Limit: actors.MaxPage})
		if err != nil {
			t.Fatal(err)
		}
		if remaining := order(t, e, "bob"); remaining != uint64(memberships) {
			t.Errorf("%d remain when the order is given, want all %d", remaining, memberships)
		}
		wantAbsent(t, e, "long:talks0", "long:reads0", "long:left0", "short:held0")
		if s := e.Stats().Forget; s.Users != 1 || s.Remaining == 0 {
			t.Errorf("being forgotten: %+v", s)
		}
		e.Advance(time.Minute)
		if remaining := order(t, e, "bob"); remaining != 0 {
			t.Errorf("%d remain a minute later", remaining)
		}
		wantForgotten(t, e, "bob")
		if s := e.Stats().Forget; s.Forgotten != uint64(memberships) || s.Done != 2 {
			t.Errorf("%d conversations forgot, and %d orders were carried out; want %d and 2", s.Forgotten, s.Done, memberships)
		}
		if v := e.View("long:talks0", "ann"); v.LastSender != "" || v.Members != 1 || v.Membership.Unread != 1 {
			t.Errorf("ann sees %+v", v)
		}
		told := map[string]persistence.Reason{}
		for next := page.Cursor; ; {
			page, err := e.Sync(t.Context(), actors.SyncQuery{User: "bob", Cursor: next})
			if err != nil || page.Full || len(page.Changed) > 0 {
				t.Fatalf("full %v, %d changed, %v", page.Full, len(page.Changed), err)
			}
			for _, removal := range page.Removed {
				told[removal.Conversation] = removal.Reason
			}
			if next = page.Cursor; !page.More {
				break
			}
		}
		for _, name := range []string{"long:talks0", "long:reads3", "short:held1", "long:left0"} {
			if told[name] != persistence.ReasonForgotten {
				t.Errorf("bob's device was told that %s is gone because it is %s, want forgotten", name, told[name])
			}
		}
	})
}

func TestWhatIsProposedAfterAnOrderIsNotMeant(t *testing.T) {
	config := forgetting()
	config.Reaper.MinRowsPerSecond, config.Reaper.MaxRowsPerSecond = 5, 5 // most have not had their turn when bob comes back
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		takePart(e)
		order(t, e, "bob")
		joined := e.Do("long:reads3", &conversation.Join{Users: []string{"bob"}})
		if !joined.Changed || joined.Membership.Pin != 0 || joined.Membership.VisibleFrom != 2 {
			t.Errorf("bob joined again: %+v, %+v", joined, joined.Membership)
		}
		if r := e.Do("long:talks3", &conversation.Read{User: "bob", Seq: 1}); !errors.Is(r.Err, conversation.ErrNotFound) {
			t.Errorf("bob, who is no member, has read: %v", r.Err)
		}
		e.Do("long:held2", &conversation.Post{Seq: 1, Sender: "ann", Mentions: []string{"bob"}, Members: []string{"bob"}})
		e.Do("short:talks3", &conversation.Post{Seq: 2, Sender: "ann", Mentions: []string{"bob"}})
		e.Crash()
		e.Advance(50 * time.Minute)
		if s := e.Stats().Forget; s.Users != 0 {
			t.Fatalf("still being forgotten: %+v", s)
		}
		for _, name := range []string{"long:reads3", "long:held2"} {
			if v := e.View(name, "bob"); v.Membership == nil || v.Membership.Draft != nil || v.Membership.Pin != 0 || v.Membership.Tags != 0 {
				t.Errorf("bob's membership of %s, which is new, is %+v", name, v.Membership)
			}
		}
		if list := e.List("bob"); len(list) != 2 {
			t.Errorf("bob has %d conversations, want those two that he came to", len(list))
		}
		order(t, e, "bob") // at the same moment of the clock as what follows
		e.Do("long:reads3", &conversation.Join{Users: []string{"bob"}})
		e.Advance(time.Hour)
		if list := e.List("bob"); len(list) != 1 || list[0].Conversation != "long:reads3" {
			t.Errorf("after the next order and the next join bob has %d conversations", len(list))
		}
		order(t, e, "bob")
		e.Advance(time.Hour)
		wantForgotten(t, e, "bob")
	})
}

func TestWhatWasAcceptedBeforeAnOrderIsMeantThoughItIsAppliedLater(t *testing.T) {
	actorstest.Run(t, forgetting(), func(t *testing.T, e *actorstest.Engine) {
		e.Do("long:a", &conversation.Post{Seq: 1, Sender: "ann"})
		e.Crash() // so that it must be read
		// The conversations alone cannot be read for a while, nothing else.
		e.Store.SetFaults(persistencetest.Faults{Get: func(key []byte) error {
			if persistence.KindOf(key) == persistence.KindHead {
				time.Sleep(time.Second) // virtual: the order overtakes what waits for this read
			}
			return nil
		}})
		applied := make(chan actors.Reply, 2)
		for _, name := range []string{"long:a", "long:b"} {
			e.ProposeFunc(&actors.Proposal{Conversation: name, Change: &conversation.Join{Users: []string{"bob"}}}, func(r *actors.Reply) { applied <- *r })
		}
		order(t, e, "bob")
		for range 2 {
			if r := <-applied; !r.Changed {
				t.Errorf("bob did not join: %+v", r)
			}
		}
		e.Heal()
		e.Advance(time.Minute)
		wantForgotten(t, e, "bob")
	})
}

func TestAGenerationThatIsOverRemainsUntilTheReaperHasDeletedIt(t *testing.T) {
	actorstest.Run(t, forgetting(), func(t *testing.T, e *actorstest.Engine) {
		for i := range 3 {
			e.Do(fmt.Sprintf("short:%d", i), &conversation.Post{Seq: 1, Sender: "bob", Members: []string{"ann"}})
		}
		e.Advance(59 * time.Minute)
		e.Store.SetFaults(persistencetest.Faults{BeforeCommit: func(b persistence.Batch) error {
			if len(b.Groups) > 0 && b.Groups[0].Requires != nil {
				return context.Canceled // deletions alone
			}
			return nil
		}})
		e.Advance(10 * time.Minute)
		e.Do("short:2", &conversation.Post{Seq: 2, Sender: "ann"}) // the next generation, without bob
		for range 10 {
			if remaining := order(t, e, "bob"); remaining == 0 {
				t.Fatal("done, and bob is there")
			}
			e.Advance(10 * time.Second)
		}
		if remaining := order(t, e, "bob"); remaining != 3 {
			t.Errorf("%d remain, want 3", remaining)
		}
		wantAbsent(t, e)
		e.Heal()
		e.Advance(time.Minute)
		wantForgotten(t, e, "bob")
	})
}

func TestConversationsThatExpireOrAreDeletedMeanwhileAreForgottenWithTheOthers(t *testing.T) {
	config := forgetting()
	config.Reaper.MinRowsPerSecond, config.Reaper.MaxRowsPerSecond = 2, 2
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		takePart(e)
		e.Advance(59 * time.Minute)
		order(t, e, "bob")
		for i := range 4 {
			name := fmt.Sprintf("long:talks%d", i)
			e.Send(&actors.Proposal{Conversation: name, Change: &conversation.Delete{}, IfGeneration: e.View(name, "").Generation})
			e.Advance(20 * time.Second)
			e.Do(name, &conversation.Join{Users: []string{"ann"}})
		}
		e.Advance(2 * time.Hour)
		wantForgotten(t, e, "bob")
	})
}

func TestCallsForOneUserShareAnOrderAndThoseForOthersDoNotWait(t *testing.T) {
	config := forgetting()
	config.MaxForgetting = 2
	config.Reaper.MinRowsPerSecond, config.Reaper.MaxRowsPerSecond = 10, 10
	actorstest.Run(t, config, func(t *testing.T, e *actorstest.Engine) {
		takePart(e)
		e.Advance(time.Minute) // all is in the store, so that some remain after the first step, whoever asks then
		answers := make(chan error, 10)
		for range cap(answers) {
			go func() {
				remaining, err := e.ForgetUser(context.Background(), "bob")
				if err == nil && remaining == 0 {
					err = errors.New("nothing remains")
				}
				answers <- err
			}()
		}
		synctest.Wait()
		for range cap(answers) {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		if s := e.Stats().Forget; s.Users != 1 {
			t.Errorf("%d users are being forgotten, want 1", s.Users)
		}
		order(t, e, "ann")
		_, err := e.ForgetUser(t.Context(), "cid")
		refusal, ok := errors.AsType[*conversation.Error](err)
		if !ok || !errors.Is(err, conversation.ErrOverloaded) || refusal.RetryAfter == 0 {
			t.Errorf("a third user: %v, want overloaded", err)
		}
		e.Advance(time.Hour)
		wantForgotten(t, e, "bob")
		wantForgotten(t, e, "ann")
		if remaining := order(t, e, "cid"); remaining != 0 {
			t.Errorf("of cid, who is in nothing, %d remain", remaining)
		}
	})
}

func TestForgettingIsRefusedWithWhatIsWrong(t *testing.T) {
	actorstest.Run(t, forgetting(), func(t *testing.T, e *actorstest.Engine) {
		takePart(e)
		for _, user := range []string{"", "a\x00", "\xff"} {
			_, err := e.ForgetUser(t.Context(), user)
			if refusal, ok := errors.AsType[*conversation.Error](err); !ok || !errors.Is(err, conversation.ErrInvalid) || refusal.Field != "user" {
				t.Errorf("%q: %v; want invalid, of the field user", user, err)
			}
		}
		e.Break(actorstest.DiskIsFull())
		if _, err := e.ForgetUser(t.Context(), "bob"); !errors.Is(err, conversation.ErrOverloaded) || !errors.Is(err, persistence.ErrStoreFull) {
			t.Errorf("on a full disk: %v", err)
		}
		e.Heal()
		if v := e.View("long:reads0", "bob"); v.Membership == nil {
			t.Error("what was refused was done")
		}
		e.Break(actorstest.WritesFail(nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := e.ForgetUser(ctx, "bob"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while nothing can be written: %v", err)
		}
		e.Heal()
		e.Advance(time.Minute)
		wantForgotten(t, e, "bob") // it was tried until it was certain
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := e.ForgetUser(t.Context(), "bob"); !errors.Is(err, conversation.ErrUnavailable) || !errors.Is(err, actors.ErrStopped) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestWhoOnlyAsksHowFarAForgettingIsOrdersNothing(t *testing.T) {
	actorstest.Run(t, forgetting(), func(t *testing.T, e *actorstest.Engine) {
		ask := func(want uint64) {
			t.Helper()
			if got, err := e.Forgetting(t.Context(), "bob"); err != nil || got != want {
				t.Errorf("%d remain, %v; want %d", got, err, want)
			}
		}
		e.Join("long:1", "ann", "bob")
		ask(0)
		if s := e.Stats().Forget; s.Users != 0 || s.Done != 0 || e.View("long:1", "bob").Membership == nil {
			t.Fatalf("asking ordered it: %+v", s)
		}
		e.Break(actorstest.WritesHang())
		ordered := make(chan uint64)
		go func() {
			remaining, err := e.ForgetUser(context.Background(), "bob")
			if err != nil {
				t.Error(err)
			}
			ordered <- remaining
		}()
		e.Advance(time.Second)
		e.Heal()
		if remaining := <-ordered; remaining != 1 {
			t.Errorf("the order was answered with %d, want 1", remaining)
		}
		e.Advance(time.Second)
		e.Join("long:1", "bob")
		ask(0)
		e.Advance(time.Second)
		if s := e.Stats().Forget; s.Done != 1 || e.View("long:1", "bob").Membership == nil {
			t.Errorf("asking after all was done: %+v, and bob is shown %+v; want one order, and that who came back stays", s, e.View("long:1", "bob"))
		}
		if _, err := e.Forgetting(t.Context(), ""); !errors.Is(err, conversation.ErrInvalid) {
			t.Errorf("a user without a name: %v", err)
		}
	})
}
