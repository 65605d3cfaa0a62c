package conversation_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// forget has the conversation forget a user by an order of now, as the engine does, and requires that nothing is left of them.
func (w *world) forget(user string) conversation.Outcome {
	w.Helper()
	return w.forgetBy(user, w.now)
}

func (w *world) forgetBy(user string, order persistence.Instant) conversation.Outcome {
	w.Helper()
	change := &conversation.Forget{User: user, Order: order}
	for _, missing := range w.state.Missing(change, w.now) {
		if err := w.state.Learn(missing, w.rows[membershipKey(missing)]); err != nil {
			w.Fatalf("learn of %s: %v", missing, err)
		}
	}
	out, err := w.state.Apply(conversation.Input{Change: change, At: w.now, Now: w.now, Policy: w.policy})
	if err != nil {
		w.Fatalf("forget %s: %v", user, err)
	}
	w.write(out, false)
	return out
}

func (w *world) noTraceOf(user string) {
	w.Helper()
	traces, err := persistencetest.Traces(context.Background(), w.rows, user)
	if err != nil {
		w.Fatalf("%v", err)
	}
	for _, key := range traces {
		w.Fatalf("%q names %s still", key, user)
	}
}

func TestForgettingIsNobodysToPropose(t *testing.T) {
	w := two(t, 1)
	w.refused(&conversation.Forget{User: "bob", Order: w.now}, conversation.ErrInvalid, "change")
}

func TestNothingNamesAUserWhoWasForgottenButTheRemoval(t *testing.T) {
	pin := uint64(7)
	for state, do := range map[string][]conversation.Change{
		"a member":                                 nil,
		"the last sender":                          {say(6, "bob")},
		"one who reads and drafts":                 {&conversation.Read{User: "bob", Seq: 3}, draft("bob", "hello", time.Second)},
		"one who pins":                             {&conversation.Set{User: "bob", Pin: &pin}},
		"one who hides":                            {&conversation.Clear{User: "bob", Seq: 5, Hide: true}},
		"one who was mentioned":                    {&conversation.Post{Seq: 6, Sender: "ann", Mentions: []string{"bob"}}},
		"one who left":                             {say(6, "bob"), leave("bob")},
		"one who left and keeps it":                {&conversation.Set{User: "bob", Pin: &pin}, &conversation.Leave{Users: []string{"bob"}, Keep: true}},
		"one whose leaving came before their join": {leave("cid")},
	} {
		for _, large := range []bool{false, true} {
			for _, held := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, large %v, held %v", state, large, held), func(t *testing.T) {
					w := two(t, 5)
					if large {
						w.do(joining(0, 70))
					}
					w.advance(2 * time.Minute)
					for i, change := range do {
						w.revision = uint64(i + 1)
						w.do(change)
					}
					w.revision = 0
					w.do(&conversation.Hold{On: held})
					w.advance(time.Minute)
					w.reload()
					user := "bob"
					if w.rows[membershipKey("cid")] != nil {
						user = "cid"
					}
					over := w.head().Deadline
					if out := w.forget(user); !out.Changed {
						t.Fatal("there was nothing to forget")
					}
					w.check()
					w.noTraceOf(user)
					removal, err := persistence.DecodeRemoval(w.rows[string(persistence.RemovalKey(user, uint64(w.now), name))])
					if err != nil || removal.Reason != persistence.ReasonForgotten || removal.Generation != w.state.Generation() {
						t.Fatalf("the removal is %+v, %v; want that generation %d has forgotten them", removal, err, w.state.Generation())
					}
					w.over(over)
					before := fmt.Sprint(w.rows)
					w.reload()
					if out := w.forget(user); out.Changed || fmt.Sprint(w.rows) != before {
						t.Fatal("they were forgotten, and are forgotten again")
					}
				})
			}
		}
	}
}

func TestWhatOthersHaveYetToReadStaysWhenASenderIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.do(say(1, "ann", "ann", "bob", "cid"), say(2, "bob"), &conversation.Post{Seq: 3, Sender: "bob", MentionAll: true}, say(4, "cid"), say(5, "bob"))
	before := map[string]conversation.MembershipView{}
	for _, user := range []string{"ann", "cid"} {
		before[user] = *w.view(user).Membership
	}
	w.forget("bob")
	w.reload()
	for user, want := range before {
		if diff := cmp.Diff(want, *w.view(user).Membership); diff != "" {
			t.Errorf("%s (-before +after bob was forgotten):\n%s", user, diff)
		}
	}
	if v := w.view("ann"); v.LastSender != "" || v.LastSeq != 5 || v.Members != 2 {
		t.Errorf("ann sees the last message, %d, of %q, and %d members; want 5, of nobody, and 2", v.LastSeq, v.LastSender, v.Members)
	}
}

func TestALateRepeatBringsNobodyBackWhoWasForgotten(t *testing.T) {
	w := two(t, 5)
	w.do(say(6, "bob"), say(7, "ann"), say(8, "bob"))
	w.forget("bob")
	w.reload()
	w.repeat(say(8, "bob"), say(6, "bob", "ann", "bob"))
	w.noTraceOf("bob")
}

func TestWhoComesAfterBeingForgottenBeginsAfresh(t *testing.T) {
	pin := uint64(7)
	for back, do := range map[string]conversation.Change{
		"joins": join("bob"), "posts": say(6, "bob"), "is posted to": say(6, "ann", "bob"),
	} {
		t.Run(back, func(t *testing.T) {
			w := two(t, 5)
			w.do(&conversation.Set{User: "bob", Pin: &pin, Tags: &pin, Custom: []byte("x")}, draft("bob", "hello", time.Second),
				&conversation.Clear{User: "bob", Seq: 2}, &conversation.Read{User: "bob", Seq: 4}, unreadFrom("bob", 0))
			w.forget("bob")
			w.do(do)
			m := w.view("bob").Membership
			want := &conversation.MembershipView{User: "bob", VisibleFrom: 6, ReadSeq: m.ReadSeq, DeliveredSeq: m.ReadSeq, ReadAt: m.ReadAt, Unread: m.Unread}
			if diff := cmp.Diff(want, m); diff != "" {
				t.Errorf("bob's membership (-want +got):\n%s", diff)
			}
			w.check()
		})
	}
}

func TestAMembershipThatBeginsAfterAnOrderOutlivesItAndNoLaterOne(t *testing.T) {
	w := two(t, 5)
	order := w.now
	w.forgetBy("bob", order)
	w.order = func(user string) persistence.Instant {
		if user == "bob" {
			return order
		}
		return 0
	}
	w.do(join("bob"))
	w.reload()
	if out := w.forgetBy("bob", order); out.Changed {
		t.Error("bob joined after the order, and was forgotten by it")
	}
	if out := w.forgetBy("bob", order+1); !out.Changed {
		t.Error("bob joined before the next order, and was not forgotten by it")
	}
}

func TestAConversationThatIsOverForgetsNobody(t *testing.T) {
	w := two(t, 5)
	w.advance(time.Hour)
	change := &conversation.Forget{User: "bob", Order: w.now}
	if _, err := w.state.Apply(conversation.Input{Change: change, At: w.now, Now: w.now, Policy: w.policy}); err == nil {
		t.Error("it forgot bob: the reaper may have deleted the rows that this writes")
	}
	if got := w.state.Forgotten(join("bob"), w.now, func(string) persistence.Instant { return w.now }); got != nil {
		t.Errorf("before the next generation, %+v", got)
	}
}

func TestForgettingPutsNoDeadlineOff(t *testing.T) {
	w := newWorld(t)
	w.policy = conversation.Policy{ExpireIdle: time.Hour, KeepPinned: true}
	w.do(say(1, "ann", "ann", "bob", "cid"))
	over := w.head().Deadline
	w.advance(30 * time.Minute)
	w.forget("bob")
	w.over(over)
	pin := uint64(1)
	w.do(&conversation.Set{User: "cid", Pin: &pin})
	w.over(persistence.Never)
	w.forget("cid")
	w.over(w.now.Add(time.Hour)) // the pin that kept it is gone, as if it had been taken away
}

// Whatever happened before, after a user was forgotten no row names them, the rows agree, and everybody else is shown what they were but for the user.
func TestAfterAnyHistoryAForgottenUserLeavesNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		users := []string{"ann", "bob", "cid"}
		user := rapid.SampledFrom(users)
		seq := rapid.Uint64Range(1, 12)
		w.do(say(1, "ann"))
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			who := user.Draw(t, "user")
			n := seq.Draw(t, "seq")
			var change conversation.Change
			switch rapid.IntRange(0, 9).Draw(t, "change") {
			case 0, 1:
				change = say(n, who)
			case 2:
				change = &conversation.Post{Seq: n, Sender: who, Mentions: users, Silent: n%2 == 0}
			case 3:
				change = join(who)
			case 4:
				change = &conversation.Leave{Users: []string{who}, Keep: n%2 == 0}
			case 5:
				change = &conversation.Read{User: who, Seq: n}
			case 6:
				pin := n % 2
				change = &conversation.Set{User: who, Pin: &pin}
			case 7:
				change = &conversation.Clear{User: who, Seq: n, Hide: n%2 == 0}
			case 8:
				w.advance(time.Duration(n) * time.Minute)
				w.reload()
				continue
			case 9:
				w.forget(who)
				w.noTraceOf(who)
				continue
			}
			_, _ = w.propose(change) // it may be refused
		}
		if !w.view("ann").ExpiresAt.After(w.now.Time()) {
			return
		}
		gone := user.Draw(t, "forgotten")
		others := map[string]*conversation.MembershipView{}
		for _, other := range users {
			if other != gone {
				others[other] = w.view(other).Membership
			}
		}
		w.forget(gone)
		w.noTraceOf(gone)
		for other, want := range others {
			if diff := cmp.Diff(want, w.view(other).Membership); diff != "" {
				t.Fatalf("%s (-before +after %s was forgotten):\n%s", other, gone, diff)
			}
		}
		if slices.ContainsFunc(w.entries(), func(line string) bool { return strings.HasPrefix(line, gone+" ") }) {
			t.Fatalf("the entries are %q", w.entries())
		}
	})
}
