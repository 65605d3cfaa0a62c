package conversation_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
)

// rewound is a conversation of ten messages in which a wrong number got in, was seen by everyone, and was taken back.
func rewound(t *testing.T) *world {
	t.Helper()
	w := two(t, 10)
	w.do(&conversation.Read{User: "bob", Seq: 4})
	w.do(&conversation.Post{Seq: 900_000, Sender: "bob", Mentions: []string{"ann"}, Preview: []byte("wrong")})
	w.do(&conversation.Join{Users: []string{"cid"}})
	w.do(&conversation.Read{User: "ann", Seq: 900_000})
	w.do(&conversation.Rewind{From: 900_000, To: 10})
	return w
}

func TestAfterARewindTheNextMessagesAreNews(t *testing.T) {
	for _, passivated := range []bool{false, true} {
		w := rewound(t)
		if passivated {
			w.reload()
		}
		if v := w.view("ann"); v.LastSeq != 10 || v.LastSender != "" || v.Preview != nil || v.Membership.ReadSeq != 10 || v.Membership.Mentions != 0 {
			t.Errorf("after the rewind ann sees %+v, %+v", v, v.Membership)
		}
		w.do(&conversation.Post{Seq: 11, Sender: "bob", Mentions: []string{"ann"}, Preview: []byte("right")})
		for user, want := range map[string]uint64{"ann": 1, "bob": 0, "cid": 1} {
			if v := w.view(user); v.LastSeq != 11 || string(v.Preview) != "right" || v.Membership.Unread != want {
				t.Errorf("passivated %v: %s sees %d unread of %d, want %d of 11: %+v", passivated, user, v.Membership.Unread, v.LastSeq, want, v)
			}
		}
		if v := w.view("ann"); v.Membership.Mentions != 1 {
			t.Errorf("ann has %d mentions, want that in the message that came after the rewind", v.Membership.Mentions)
		}
	}
}

func TestARewindWritesNoMembership(t *testing.T) {
	w := two(t, 10)
	out := w.do(&conversation.Rewind{From: 10, To: 5})
	if out.Rows() != 2 {
		t.Errorf("%d rows were written, want the head and the tail", out.Rows())
	}
}

func TestARepeatOfARewindTakesNothingMoreBack(t *testing.T) {
	w := rewound(t)
	w.repeat(&conversation.Rewind{From: 900_000, To: 10})
	w.do(say(11, "ann"))
	w.refused(&conversation.Rewind{From: 900_000, To: 10}, conversation.ErrConflict, "rewind.from")
	if v := w.view("ann"); v.LastSeq != 11 {
		t.Errorf("last seq is %d, want 11", v.LastSeq)
	}
}

func TestPostingTheLastMessageAgainBringsItsPreviewBack(t *testing.T) {
	w := rewound(t)
	again := &conversation.Post{Seq: 10, Sender: "ann", Preview: []byte("ten")}
	w.do(again)
	if v := w.view("bob"); v.LastSender != "ann" || string(v.Preview) != "ten" {
		t.Errorf("bob sees %q of %q", v.Preview, v.LastSender)
	}
	w.repeat(again)
}

func TestARewindMovesNoDeadline(t *testing.T) {
	w := two(t, 10)
	before := w.view("ann").ExpiresAt
	w.advance(time.Minute)
	w.do(&conversation.Rewind{From: 10, To: 5})
	if got := w.view("ann").ExpiresAt; !got.Equal(before) {
		t.Errorf("expires at %v, want %v as before", got, before)
	}
}

// A wrong number must not keep the conversation silent for ever just because it expired meanwhile: what a generation had reached, posts of the next must exceed.
func TestAConversationThatIsOverCanBeRewound(t *testing.T) {
	for _, buried := range []bool{false, true} {
		w := two(t, 10)
		w.do(say(900_000, "bob"))
		w.advance(2 * time.Hour)
		if _, out := w.judge(); buried {
			w.reap(out.Ended)
			w.reload()
		}
		w.repeat(say(11, "ann"))
		w.refused(&conversation.Rewind{From: 10, To: 5}, conversation.ErrConflict, "rewind.from")
		w.do(&conversation.Rewind{From: 900_000, To: 10})
		w.repeat(say(10, "ann")) // a late repeat from before
		w.do(say(11, "ann", "bob"))
		if v := w.view("bob"); v.LastSeq != 11 || v.Members != 2 || v.Membership.Unread != 1 {
			t.Errorf("buried %v: bob sees %+v, %+v", buried, v, v.Membership)
		}
		w.reload()
		w.repeat(say(10, "ann"))
	}
}

func TestWhatIsUnknownCannotBeRewound(t *testing.T) {
	w := newWorld(t)
	w.refused(&conversation.Rewind{From: 10, To: 5}, conversation.ErrNotFound, "")
	w.refused(&conversation.Rewind{From: 10, To: 10}, conversation.ErrInvalid, "rewind.to")
	w.refused(&conversation.Rewind{}, conversation.ErrInvalid, "rewind.to")
	w = two(t, 10)
	w.ifGeneration = 1
	w.refused(&conversation.Rewind{From: 10, To: 5}, conversation.ErrConflict, "if_generation")
}

func TestTooManyRewindsAreRefused(t *testing.T) {
	w := two(t, 1)
	for i := range uint64(64) {
		w.do(say(i+1_000, "ann"), &conversation.Rewind{From: i + 1_000, To: i})
	}
	w.do(say(1_000, "ann"))
	before := w.view("ann")
	w.refused(&conversation.Rewind{From: 1_000, To: 900}, conversation.ErrInvalid, "rewind")
	if diff := cmp.Diff(before, w.view("ann")); diff != "" {
		t.Errorf("the refused one changed what ann sees:\n%s", diff)
	}
	w.do(&conversation.Rewind{From: 1_000, To: 3})
}
