package conversation_test

import (
	"testing"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func unreadFrom(user string, seq uint64) *conversation.MarkUnread {
	return &conversation.MarkUnread{User: user, Seq: seq}
}

// marked requires that the conversation is, or is not, marked as unread for the user.
func (w *world) marked(user string, want bool) {
	w.Helper()
	if m := w.member(user); m.MarkedUnread != want {
		w.Fatalf("marked as unread for %s: %v, want %v", user, m.MarkedUnread, want)
	}
}

func TestAMessageThatWasReadBecomesTheFirstUnreadOne(t *testing.T) {
	w := two(t, 10)
	w.do(&conversation.Read{User: "bob", Seq: 10}, unreadFrom("bob", 4))
	for range 2 {
		w.marked("bob", true)
		w.unread("bob", 7)
		w.unread("ann", 0)
		w.marked("ann", false)
		w.reload()
	}
	w.repeat(unreadFrom("bob", 4), unreadFrom("bob", 6)) // six is unread already
	w.unread("bob", 7)
	w.do(unreadFrom("bob", 1))
	w.unread("bob", 10)
}

func TestTheMarkAloneLeavesReadToWhereItIs(t *testing.T) {
	w := two(t, 10)
	w.do(&conversation.Read{User: "bob", Seq: 10}, unreadFrom("bob", 0))
	w.marked("bob", true)
	w.unread("bob", 0)
	w.repeat(unreadFrom("bob", 0))
	w.do(say(11, "ann"))
	w.marked("bob", true)
	w.unread("bob", 1)
}

func TestMarkingUnreadAfterOnesOwnLastMessageShowsTheMark(t *testing.T) {
	w := two(t, 3)
	w.do(say(4, "bob"), unreadFrom("bob", 4))
	w.marked("bob", true)
	w.unread("bob", 0) // one's own messages do not count
	w.do(unreadFrom("bob", 2))
	w.unread("bob", 2)
	w.do(&conversation.Read{User: "bob", Seq: 4})
	w.marked("bob", false)
	w.unread("bob", 0)
}

func TestTheNextReadEndsTheMark(t *testing.T) {
	for _, seq := range []uint64{1, 9, 10, 500} {
		w := two(t, 10)
		w.do(&conversation.Read{User: "bob", Seq: 10}, unreadFrom("bob", 10))
		w.do(&conversation.Read{User: "bob", Seq: seq})
		for range 2 {
			w.marked("bob", false)
			if got, want := w.member("bob").ReadSeq, max(seq, 9); got != want {
				t.Fatalf("read up to %d ends the mark, and read-to is %d, want %d", seq, got, want)
			}
			w.reload()
		}
		w.repeat(&conversation.Read{User: "bob", Seq: seq})
	}
}

func TestSendingIsReadingAndEndsTheMark(t *testing.T) {
	w := two(t, 10)
	w.do(unreadFrom("bob", 0), &conversation.Post{Seq: 11, Sender: "bob", Unattended: true}, say(12, "ann"))
	w.marked("bob", true)
	w.do(say(13, "bob"))
	w.marked("bob", false)
	w.unread("bob", 0)
}

func TestARepeatOfOnesOwnMessageDoesNotUndoTheMark(t *testing.T) {
	w := two(t, 3)
	w.do(say(4, "bob"), say(5, "ann"), say(6, "bob"), unreadFrom("bob", 1))
	for range 2 {
		w.repeat(say(4, "bob"), say(6, "bob"))
		w.marked("bob", true)
		w.unread("bob", 4)
		w.reload()
	}
}

func TestReadToGoesBackOnlyByMarkingUnread(t *testing.T) {
	w := two(t, 10)
	w.do(&conversation.Read{User: "bob", Seq: 8})
	w.do(
		&conversation.Read{User: "ann", Seq: 10},
		&conversation.Clear{User: "bob", Seq: 3, Hide: true},
		&conversation.Deliver{User: "bob", Seq: 3},
		&conversation.Set{User: "bob", Pin: new(uint64(1))},
		retract(8),
		&conversation.Hold{On: true},
		leave("bob"),
		&conversation.Join{Users: []string{"bob"}, VisibleFrom: 1, UnreadFrom: 1},
	)
	w.repeat(&conversation.Read{User: "bob", Seq: 2}, unreadOfOlderRevision(w))
	if seq := w.member("bob").ReadSeq; seq != 8 {
		t.Fatalf("read-to is %d, want 8", seq)
	}
	w.revision = 0
	w.do(unreadFrom("bob", 5))
	if seq := w.member("bob").ReadSeq; seq != 4 {
		t.Fatalf("read-to is %d, want 4, the message before the first unread one", seq)
	}
}

// unreadOfOlderRevision lets bob have a newer revision applied than the one that the next proposals carry.
func unreadOfOlderRevision(w *world) conversation.Change {
	w.revision = 9
	w.do(&conversation.Set{User: "bob"})
	w.revision = 8
	return unreadFrom("bob", 1)
}

func TestMarkingUnreadReachesAsFarBackAsSendersAreKnown(t *testing.T) {
	w := two(t, 1)
	const last = persistence.TailSenders + 10
	w.do(say(last, "ann"), &conversation.Read{User: "bob", Seq: last})
	w.refused(unreadFrom("bob", 10), conversation.ErrInvalid, "mark_unread.seq")
	w.refused(unreadFrom("bob", last+1), conversation.ErrInvalid, "mark_unread.seq")
	w.marked("bob", false)
	w.do(unreadFrom("bob", last))
	w.unread("bob", 1)
	w.do(unreadFrom("bob", 11))
	w.unread("bob", persistence.TailSenders)
}

func TestAnEmptyConversationCanBeMarked(t *testing.T) {
	w := newWorld(t)
	w.do(join("ann"))
	w.refused(unreadFrom("ann", 1), conversation.ErrInvalid, "mark_unread.seq")
	w.do(unreadFrom("ann", 0))
	w.marked("ann", true)
	w.unread("ann", 0)
}

func TestMarkingUnreadDoesNotShowWhatWasClearedOrFromBefore(t *testing.T) {
	w := two(t, 5)
	w.do(join("carl"), &conversation.Clear{User: "bob", Seq: 3}, &conversation.Read{User: "bob", Seq: 5})
	w.do(unreadFrom("bob", 1), unreadFrom("carl", 1))
	w.unread("bob", 2)
	w.unread("carl", 0)
	w.marked("carl", true)
}

func TestRevisionsOrderMarksAndSettingsAmongEachOther(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Read{User: "bob", Seq: 5})
	w.revision = 5
	w.do(&conversation.Set{User: "bob", Tags: new(uint64(1))})
	w.revision = 4
	w.repeat(unreadFrom("bob", 1), &conversation.Set{User: "bob", Tags: new(uint64(2))}, leave("bob"))
	w.revision = 5
	w.repeat(unreadFrom("bob", 1), &conversation.Set{User: "bob", Tags: new(uint64(2))})
	w.revision = 7
	w.do(unreadFrom("bob", 0))
	w.do(&conversation.Set{User: "ann", Tags: new(uint64(3))}) // each user has an order of their own
	w.reload()
	w.revision = 6
	w.repeat(&conversation.Set{User: "bob", Tags: new(uint64(2))})
	w.revision = 8
	w.do(unreadFrom("bob", 0)) // changes nothing but the revision
	w.revision = 0
	w.repeat(unreadFrom("bob", 0))
	w.do(&conversation.Set{User: "bob", Tags: new(uint64(4))})
	if m := w.member("bob"); m.Tags != 4 || !m.MarkedUnread || m.ReadSeq != 5 {
		t.Fatalf("tags %d, marked %v, read up to %d; want 4, marked, 5", m.Tags, m.MarkedUnread, m.ReadSeq)
	}
}
