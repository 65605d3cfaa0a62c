package conversation_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// unreadKept is a conversation of ann and bob that keeps what is unread, with n messages of ann's, whose retention has run out.
func unreadKept(t tester, n uint64) *world {
	t.Helper()
	w := newWorld(t)
	w.policy.KeepUnread = true
	for seq := range n {
		w.do(say(seq+1, "ann", "ann", "bob"))
	}
	w.advance(time.Hour)
	return w
}

// judged requires what a judgement comes to now, and whether the head then has a witness.
func (w *world) judged(want conversation.Verdict, witness string) {
	w.Helper()
	verdict, out := w.judge()
	if verdict != want || (out.Ended != nil) != (want == conversation.Over) {
		w.Fatalf("judged %v, want %v", verdict, want)
	}
	if got := w.head().Witness; got != witness {
		w.Fatalf("the witness is %q, want %q", got, witness)
	}
}

func TestWhatSomebodyHasUnreadIsKeptUntilTheyReadOrLeaveOrItIsTakenBack(t *testing.T) {
	for what, ends := range map[string]conversation.Change{
		"read": &conversation.Read{User: "bob", Seq: 3}, "clear": &conversation.Clear{User: "bob", Seq: 3}, "leave": leave("bob"),
		"rewind": &conversation.Rewind{From: 3, To: 0},
	} {
		for _, passivated := range []bool{false, true} {
			t.Run(what, func(t *testing.T) {
				w := unreadKept(t, 3)
				w.judged(conversation.Later, "bob")
				if dues := w.rows.dues(); len(dues) != 0 {
					t.Fatalf("while bob is known to have something unread, %d entries are due", len(dues))
				}
				w.advance(100 * time.Hour)
				w.do(&conversation.Read{User: "bob", Seq: 2}, &conversation.Read{User: "ann", Seq: 3}, &conversation.Set{User: "bob", Pin: new(uint64(1))})
				if w.head().Due != 0 {
					t.Fatal("a read that leaves something unread has it judged")
				}
				if passivated {
					w.reload()
				}
				w.do(ends)
				w.due(w.now)
				w.judged(conversation.Over, "")
				w.over(w.now)
			})
		}
	}
}

func TestARetractedOrSilentOrOwnMessageKeepsNothing(t *testing.T) {
	w := unreadKept(t, 1)
	w.judged(conversation.Later, "bob")
	w.do(&conversation.Amend{Seq: 1, Retracted: true})
	w.judged(conversation.Over, "")

	w = newWorld(t)
	w.policy.KeepUnread = true
	w.do(&conversation.Post{Seq: 1, Sender: "ann", Members: []string{"bob"}, Silent: true, Unattended: true})
	w.advance(time.Hour)
	w.judged(conversation.Over, "")
}

// The number in between counts as unread until it is known to have been silent.
func TestALateSilentMessageMayBeTheLastThatKeptIt(t *testing.T) {
	w := newWorld(t)
	w.policy.KeepUnread = true
	w.do(say(1, "ann", "bob"), &conversation.Post{Seq: 3, Sender: "ann", Silent: true}, &conversation.Read{User: "bob", Seq: 1})
	w.advance(time.Hour)
	w.judged(conversation.Later, "bob")
	w.do(&conversation.Post{Seq: 2, Sender: "ann", Silent: true})
	w.due(w.now)
	w.judged(conversation.Over, "")
}

func TestAMutedMemberKeepsWhatTheyHaveUnreadAndAMarkAloneKeepsNothing(t *testing.T) {
	w := unreadKept(t, 1)
	w.do(&conversation.Set{User: "bob", MutedUntil: new(w.now.Add(1000 * time.Hour).Time())})
	w.judged(conversation.Later, "bob")
	w.do(&conversation.Read{User: "bob", Seq: 1}, &conversation.MarkUnread{User: "bob"})
	w.judged(conversation.Over, "")
}

func TestAPostHasTheRetentionOfWhatIsKeptCountAnew(t *testing.T) {
	w := unreadKept(t, 1)
	w.judged(conversation.Later, "bob")
	w.do(say(2, "ann"), &conversation.Read{User: "bob", Seq: 2})
	w.due(w.now.Add(time.Hour))
	w.advance(time.Hour - time.Microsecond)
	w.judged(conversation.Later, "")
	w.advance(time.Microsecond)
	w.judged(conversation.Over, "")
}

// What changes after the question was asked decides whether the answer holds.
func TestAnAnswerHoldsOnlyWhereNobodyCanHaveMoreUnreadSince(t *testing.T) {
	tests := map[string]struct {
		change conversation.Change
		want   conversation.Verdict
	}{
		"nothing":     {nil, conversation.Over},
		"a read":      {&conversation.Read{User: "bob", Seq: 4}, conversation.Over},
		"a setting":   {&conversation.Set{User: "bob", Pin: new(uint64(2))}, conversation.Over},
		"a mark":      {&conversation.MarkUnread{User: "bob", Seq: 3}, conversation.Unsure},
		"a join":      {&conversation.Join{Users: []string{"cid"}, VisibleFrom: 1, UnreadFrom: 1}, conversation.Unsure},
		"a silent":    {&conversation.Post{Seq: 4, Sender: "bob", Silent: true}, conversation.Unsure},
		"a loud post": {say(4, "ann"), conversation.Later},
		"a hold":      {&conversation.Hold{On: true}, conversation.Later},
	}
	for what, test := range tests {
		t.Run(what, func(t *testing.T) {
			w := unreadKept(t, 3)
			w.do(&conversation.Read{User: "bob", Seq: 3})
			head := w.head()
			if verdict, _ := w.state.Judge(head.Generation, head.Due, w.now); verdict != conversation.Unsure {
				t.Fatalf("judged %v, want unsure", verdict)
			}
			answer := w.answer(w.state.Ask())
			if answer.User != "" {
				t.Fatalf("%q has something unread", answer.User)
			}
			if test.change != nil {
				w.do(test.change)
			}
			if verdict, _ := w.conclude(answer); verdict != test.want {
				t.Errorf("concluded %v, want %v", verdict, test.want)
			}
		})
	}
}

func TestAnAnswerToAnotherStateOrOfOneWhoHasReadSinceIsNone(t *testing.T) {
	w := unreadKept(t, 3)
	answer := w.answer(w.state.Ask())
	w.do(&conversation.Read{User: "bob", Seq: 3})
	if verdict, _ := w.conclude(answer); answer.User != "bob" || verdict != conversation.Unsure {
		t.Errorf("%q has read since: concluded %v, want unsure", answer.User, verdict)
	}
	w.reload()
	answer = w.answer(w.state.Ask())
	w.do(&conversation.MarkUnread{User: "bob", Seq: 3})
	w.reload()
	if verdict, _ := w.conclude(answer); answer.User != "" || verdict != conversation.Unsure {
		t.Errorf("the answer to a state that is gone: concluded %v, want unsure", verdict)
	}
}

func TestALargeConversationIsNotKept(t *testing.T) {
	w := newWorld(t)
	w.policy.KeepUnread, w.policy.KeepUnreadUpTo = true, 2
	w.do(say(1, "ann", "bob"))
	said := w.now
	w.over(persistence.Never)
	w.do(join("cid"))
	w.over(said.Add(time.Hour))
	w.do(leave("cid"))
	w.over(persistence.Never)
}

func TestAGenerationThatWasFoundOverStaysOverForStatesToCome(t *testing.T) {
	w := unreadKept(t, 1)
	w.do(&conversation.Read{User: "bob", Seq: 1})
	w.judged(conversation.Over, "")
	w.advance(-time.Minute)
	for range 2 {
		w.refused(&conversation.Read{User: "bob", Seq: 1}, conversation.ErrNotFound, "")
		w.reload()
	}
}

func TestAPolicyIsReconsideredAsTheNextChangeWouldHaveItButIsNoChange(t *testing.T) {
	reconsider := func(w *world) conversation.Outcome {
		w.Helper()
		head := w.head()
		applied := conversation.Applied(w.policy, name, head, w.now)
		out := w.state.Reconsider(w.policy, w.now)
		if applied != (out.Rows() == 0) {
			w.Fatalf("applied: %v, and %d writes", applied, out.Rows())
		}
		w.write(out, true)
		if out := w.state.Reconsider(w.policy, w.now); out.Rows() > 0 {
			w.Fatalf("it was reconsidered twice")
		}
		if w.head().Version != head.Version {
			w.Fatalf("it moved the head's version")
		}
		return out
	}
	t.Run("earlier", func(t *testing.T) {
		w := two(t, 3)
		said := w.now
		w.advance(10 * time.Minute)
		w.policy.ExpireAfter = 30 * time.Minute
		reconsider(w)
		w.over(said.Add(30 * time.Minute))
		w.due(said.Add(30 * time.Minute))
	})
	t.Run("past", func(t *testing.T) {
		w := two(t, 3)
		w.advance(10 * time.Minute)
		w.policy.ExpireAfter = time.Minute
		reconsider(w)
		w.over(w.now)
		w.judged(conversation.Over, "")
	})
	t.Run("later", func(t *testing.T) {
		w := two(t, 3)
		said := w.now
		w.policy.ExpireAfter = 3 * time.Hour
		reconsider(w)
		w.over(said.Add(3 * time.Hour))
		w.due(said.Add(time.Hour)) // it is moved when it comes due
	})
	t.Run("first", func(t *testing.T) {
		w := newWorld(t)
		w.policy.ExpireAfter = 0
		w.do(say(1, "ann", "bob"))
		w.over(persistence.Never)
		w.policy.ExpireAfter = time.Hour
		reconsider(w)
		w.due(w.now.Add(time.Hour))
	})
	t.Run("held", func(t *testing.T) {
		w := two(t, 3)
		w.do(held)
		w.policy.ExpireAfter = time.Minute
		reconsider(w)
		w.over(persistence.Never)
	})
	t.Run("over", func(t *testing.T) {
		w := two(t, 3)
		w.advance(2 * time.Hour)
		w.policy.ExpireAfter = 24 * time.Hour
		if out := reconsider(w); out.Rows() != 0 {
			t.Fatal("what was over is alive")
		}
	})
	t.Run("unread", func(t *testing.T) {
		w := two(t, 3)
		w.policy.KeepUnread, w.policy.ExpireAfter = true, time.Minute
		w.advance(10 * time.Minute)
		reconsider(w)
		w.due(w.now)
		w.judged(conversation.Later, "bob")
	})
	// When it was touched last is known where idleness counted before; else it counts from now.
	t.Run("idle", func(t *testing.T) {
		w := two(t, 3)
		w.advance(10 * time.Minute)
		w.policy = conversation.Policy{ExpireIdle: time.Hour}
		reconsider(w)
		w.over(w.now.Add(time.Hour))
		touched := w.now
		w.advance(10 * time.Minute)
		w.policy.ExpireIdle = 30 * time.Minute
		reconsider(w)
		w.over(touched.Add(30 * time.Minute))
	})
}

func TestALimitOfANamespaceIsRefusedByItsField(t *testing.T) {
	w := newWorld(t)
	w.policy.MaxMembers, w.policy.MaxPreview = 3, 4
	w.refused(&conversation.Post{Seq: 1, Sender: "ann", Preview: []byte("hello")}, conversation.ErrInvalid, "post.preview")
	w.refused(say(1, "ann", "bob", "cid", "dan"), conversation.ErrInvalid, "post.members")
	w.refused(join("ann", "bob", "cid", "dan"), conversation.ErrInvalid, "join.users")
	w.do(say(1, "ann", "ann", "bob", "cid", "bob"))
	w.refused(&conversation.Amend{Seq: 1, Preview: []byte("hello")}, conversation.ErrInvalid, "amend.preview")
	w.refused(say(2, "dan"), conversation.ErrInvalid, "post.sender")
	w.refused(join("dan"), conversation.ErrInvalid, "join.users")
	w.repeat(join("ann", "bob"))
	w.do(leave("cid"), join("dan"))
	w.refused(say(2, "ann", "cid"), conversation.ErrInvalid, "post.members")
	w.do(say(2, "cid")) // who left stays left
	w.policy.MaxMembers = 1
	w.do(say(3, "ann", "bob")) // who is in stays
}
