package conversation_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
)

func TestReadToNeverGoesBack(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Read{User: "bob", Seq: 4})
	w.advance(time.Second)
	w.repeat(&conversation.Read{User: "bob", Seq: 2}, &conversation.Read{User: "bob", Seq: 4})
	m := w.member("bob")
	if m.ReadSeq != 4 || !m.ReadAt.Equal(start.Time()) {
		t.Fatalf("read up to %d at %v; want 4 at %v, when that was first said", m.ReadSeq, m.ReadAt, start.Time())
	}
}

func TestAReadThatOvertookItsMessageIsNotLost(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Read{User: "bob", Seq: 7})
	w.unread("bob", 0)
	w.reload()
	w.do(say(6, "ann"), say(7, "ann"))
	w.unread("bob", 0)
	w.do(say(8, "ann"))
	w.unread("bob", 1)
}

func TestReadsRunAheadNoFurtherThanPosts(t *testing.T) {
	w := two(t, 5)
	w.policy.MaxSeqJump = 3
	w.refused(&conversation.Read{User: "bob", Seq: 9}, conversation.ErrInvalid, "read.seq")
	w.refused(&conversation.Clear{User: "bob", Seq: 9}, conversation.ErrInvalid, "clear.seq")
	w.refused(say(9, "ann"), conversation.ErrInvalid, "post.seq")
	w.refused(&conversation.Join{Users: []string{"carl"}, VisibleFrom: 9}, conversation.ErrInvalid, "join.visible_from")
	w.refused(&conversation.Join{Users: []string{"carl"}, UnreadFrom: 9}, conversation.ErrInvalid, "join.unread_from")
	w.do(
		&conversation.Read{User: "bob", Seq: 8},
		&conversation.Clear{User: "bob", Seq: 8},
		&conversation.Join{Users: []string{"carl"}, VisibleFrom: 8, UnreadFrom: 8},
		say(8, "ann"),
	)
}

func TestSendingIsReading(t *testing.T) {
	w := two(t, 5)
	w.advance(time.Second)
	w.do(say(6, "bob"))
	if m := w.member("bob"); m.ReadSeq != 6 || !m.ReadAt.Equal(w.now.Time()) {
		t.Fatalf("read up to %d at %v, want 6 at %v", m.ReadSeq, m.ReadAt, w.now.Time())
	}
	w.repeat(say(6, "bob"), say(3, "bob"))
}

func TestReadingDoesNotMoveTheHead(t *testing.T) {
	w := two(t, 5)
	before := w.view("")
	w.advance(time.Minute)
	w.do(&conversation.Read{User: "bob", Seq: 4}, &conversation.Clear{User: "bob", Seq: 5, Hide: true})
	if after := w.view(""); after.Version != before.Version || after.ExpiresAt != before.ExpiresAt {
		t.Fatalf("a member's marks moved the head from %+v to %+v", before, after)
	}
}
