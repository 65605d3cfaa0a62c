package conversation_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

var (
	held     = &conversation.Hold{On: true}
	released = &conversation.Hold{}
)

// over requires that the conversation is over from that moment on; persistence.Never where it is not to end at all.
func (w *world) over(want persistence.Instant) {
	w.Helper()
	if got := w.head().Deadline; got != want {
		w.Fatalf("the conversation is over at %d, want %d", got, want)
	}
}

func TestAHeldConversationDoesNotExpire(t *testing.T) {
	for _, passivated := range []bool{false, true} {
		w := two(t, 5)
		w.do(held)
		w.over(persistence.Never)
		w.due(start.Add(time.Hour)) // an entry that is too early costs nothing until it comes due
		w.advance(time.Hour)
		if passivated {
			w.reload()
		}
		if verdict, out := w.judge(); verdict != conversation.Later || out.Ended != nil {
			t.Fatalf("judged %v, ended %+v; want later", verdict, out.Ended)
		}
		if head := w.head(); head.Due != 0 || len(w.rows.dues()) != 0 {
			t.Fatalf("it is due at %d, with %d entries; want none", head.Due, len(w.rows.dues()))
		}
		w.advance(100_000 * time.Hour)
		w.placed("bob", listed)
		if v := w.view("ann"); !v.Held || !v.ExpiresAt.IsZero() {
			t.Fatalf("held: %v, expires at %v; want held, and never", v.Held, v.ExpiresAt)
		}
	}
}

func TestAHeldConversationCannotBeDeleted(t *testing.T) {
	w := two(t, 1)
	w.do(held)
	for range 2 {
		w.ifGeneration = uint64(w.state.Generation())
		w.refused(&conversation.Delete{}, conversation.ErrHeld, "")
		w.placed("bob", listed)
		w.reload()
	}
	w.do(released, &conversation.Delete{})
	w.placed("bob", absent)
}

func TestAHeldConversationIsOtherwiseLikeAnyOther(t *testing.T) {
	w := two(t, 5)
	w.do(held)
	w.advance(2 * time.Hour)
	w.do(&conversation.Clear{User: "bob", Seq: 5, Hide: true})
	w.placed("bob", hidden)
	out := w.do(say(6, "ann"))
	w.over(persistence.Never)
	if out.Due != 0 {
		t.Fatalf("a post to a held conversation wrote an entry due at %d", out.Due)
	}
	w.placed("bob", listed)
	w.unread("bob", 1)
	w.do(leave("bob"), join("bob"), retract(6))
	w.over(persistence.Never)
}

func TestRetentionCountsFromTheLastActivityWhenAHoldIsReleased(t *testing.T) {
	for _, passivated := range []bool{false, true} {
		w := two(t, 5)
		w.do(held)
		w.advance(90 * time.Minute)
		w.judge() // which removes the due entry
		w.do(say(6, "ann"))
		w.advance(10 * time.Minute)
		if passivated {
			w.reload()
		}
		out := w.do(released)
		want := start.Add(150 * time.Minute)
		w.over(want)
		w.due(want)
		if out.Due != want || out.Ended != nil {
			t.Fatalf("the release is due at %d, ended %+v; want %d, and not over yet", out.Due, out.Ended, want)
		}
		if v := w.view(""); v.Held || !v.ExpiresAt.Equal(want.Time()) {
			t.Fatalf("held: %v, expires at %v; want released, at %v", v.Held, v.ExpiresAt, want.Time())
		}
	}
}

func TestAReleasedConversationWhoseRetentionHasPassedIsOverAtOnce(t *testing.T) {
	for _, judged := range []bool{false, true} {
		w := two(t, 5)
		generation := w.state.Generation()
		w.do(held)
		w.advance(3 * time.Hour)
		if judged {
			w.judge()
		}
		w.do(released)
		w.over(w.now)
		w.placed("bob", absent)
		w.refused(&conversation.Read{User: "bob", Seq: 5}, conversation.ErrNotFound, "")
		w.repeat(say(5, "ann", "bob"))
		due := start.Add(time.Hour) // the entry that nobody looked at yet
		if judged {
			due = w.now
		}
		w.due(due)
		w.reload()
		verdict, out := w.judge()
		if verdict != conversation.Over || out.Ended == nil || out.Ended.Deadline != w.now || out.Ended.Reason != persistence.ReasonExpired {
			t.Fatalf("judged %v, ended %+v; want over, expired at %d", verdict, out.Ended, w.now)
		}
		w.do(say(6, "ann", "bob"))
		if w.state.Generation() == generation || w.view("").Held {
			t.Fatalf("the next life is generation %d, held: %v; want another than %d, not held", w.state.Generation(), w.view("").Held, generation)
		}
		w.reap(out.Ended)
		w.unread("bob", 1)
	}
}

func TestAReleaseBeforeTheDeadlineLeavesItAndItsEntry(t *testing.T) {
	w := two(t, 5)
	w.advance(time.Minute)
	w.do(held)
	w.advance(time.Minute)
	if out := w.do(released); out.Due != 0 {
		t.Fatalf("the release wrote another entry, due at %d", out.Due)
	}
	w.over(start.Add(time.Hour))
	w.due(start.Add(time.Hour))
}

func TestARepeatedHoldChangesNothing(t *testing.T) {
	w := two(t, 5)
	w.repeat(released)
	version := w.view("").Version
	w.do(held)
	w.advance(time.Minute)
	w.repeat(held)
	w.reload()
	w.repeat(held)
	w.do(released)
	w.repeat(released)
	if got := w.view("").Version; got != version+2 {
		t.Fatalf("a hold and its release moved the head's version from %d to %d, want two more", version, got)
	}
}

func TestWithoutRetentionAReleasedConversationStays(t *testing.T) {
	w := newWorld(t)
	w.policy.ExpireAfter = 0
	w.do(say(1, "ann", "bob"), held, released)
	w.over(persistence.Never)
	if dues := w.rows.dues(); len(dues) != 0 {
		t.Fatalf("due entries: %+v; want none", dues)
	}
}

func TestAnExpiredConversationCannotBeHeld(t *testing.T) {
	w := two(t, 5)
	w.advance(time.Hour)
	w.refused(held, conversation.ErrNotFound, "")
}
