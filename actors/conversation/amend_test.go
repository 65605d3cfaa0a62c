package conversation_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func retract(seq uint64) *conversation.Amend { return &conversation.Amend{Seq: seq, Retracted: true} }

func TestARetractedMessageNoLongerCounts(t *testing.T) {
	for _, test := range []struct {
		retracted []uint64
		unread    uint64
		mentions  uint32
	}{
		{nil, 5, 2},
		{[]uint64{3}, 4, 1},
		{[]uint64{4}, 4, 1},
		{[]uint64{5}, 4, 2},
		{[]uint64{3, 4, 5}, 2, 0},
	} {
		w := two(t, 2)
		w.do(
			&conversation.Post{Seq: 3, Sender: "ann", Mentions: []string{"bob"}},
			&conversation.Post{Seq: 4, Sender: "ann", MentionAll: true},
			say(5, "ann"),
		)
		for _, seq := range test.retracted {
			w.do(retract(seq))
		}
		for range 2 {
			w.unread("bob", test.unread)
			w.mentioned("bob", test.mentions)
			w.reload()
		}
	}
}

func TestARepeatedRetractionChangesNothing(t *testing.T) {
	w := two(t, 5)
	w.do(retract(3))
	w.repeat(retract(3))
	w.reload()
	w.repeat(retract(3), &conversation.Amend{Seq: 3}) // what was taken back stays so
	w.unread("bob", 4)
}

func TestTheRetractionOfASilentMessageChangesNothing(t *testing.T) {
	w := two(t, 2)
	w.do(&conversation.Post{Seq: 3, Sender: "ann", Silent: true})
	w.repeat(retract(3))
	w.unread("bob", 2)
}

func TestRetractionsReachAsFarBackAsTheTail(t *testing.T) {
	w := two(t, 1)
	const said = persistence.TailMessages + 1
	w.do(say(said, "ann"))
	w.repeat(retract(1))
	w.unread("bob", said)
	w.do(retract(2))
	w.unread("bob", said-1)
	w.do(say(said+1, "ann")) // the retracted one is no longer in the tail
	w.unread("bob", said+1)
}

func TestALateRepeatOfThePostDoesNotUndoARetraction(t *testing.T) {
	post := &conversation.Post{Seq: 3, Sender: "ann", Preview: []byte("regretted"), Mentions: []string{"bob"}, MentionAll: true}
	w := two(t, 2)
	w.do(post, &conversation.Amend{Seq: 3, Preview: []byte{}, Retracted: true})
	for range 2 {
		w.repeat(post)
		w.unread("bob", 2)
		w.mentioned("bob", 0)
		if v := w.view("bob"); len(v.Preview) != 0 {
			t.Fatalf("a repeat brought the preview %q back", v.Preview)
		}
		w.reload()
	}
}

func TestARetractedMessageThatComesLateDoesNotCount(t *testing.T) {
	w := two(t, 2)
	w.do(say(4, "ann"), retract(3), &conversation.Post{Seq: 3, Sender: "ann", Mentions: []string{"bob"}, MentionAll: true})
	w.unread("bob", 3)
	w.mentioned("bob", 0)
}

func TestThePreviewChangesOnlyWhereTheMessageIsTheLast(t *testing.T) {
	w := two(t, 1)
	w.do(secret(2), secret(3))
	w.repeat(&conversation.Amend{Seq: 2, Preview: []byte("edited")}, &conversation.Amend{Seq: 3}, &conversation.Amend{Seq: 3, Preview: []byte("secret")})
	w.previewed("bob", "secret")
	w.do(&conversation.Amend{Seq: 3, Preview: []byte("edited")})
	w.previewed("bob", "edited")
	w.repeat(secret(3), &conversation.Amend{Seq: 3, Preview: []byte("edited")})
	w.reload()
	w.previewed("bob", "edited")
	w.do(retract(3))
	w.previewed("bob", "edited") // the host says what stands in its place
	w.do(&conversation.Amend{Seq: 3, Preview: []byte{}})
	if v := w.view("bob"); len(v.Preview) != 0 || v.LastSender != "ann" {
		t.Fatalf("an emptied preview shows %q from %q, want nothing from ann", v.Preview, v.LastSender)
	}
}

func TestAnAmendmentOfAnOlderLifeChangesNothing(t *testing.T) {
	for _, begin := range []conversation.Change{join("ann", "bob"), say(11, "ann", "bob")} {
		reborn(t, func(w *world) {
			w.do(begin)
			before := w.member("bob").Unread
			w.repeat(&conversation.Amend{Seq: 10, Preview: []byte("edited"), Retracted: true}, retract(1))
			w.reload()
			w.repeat(&conversation.Amend{Seq: 10, Preview: []byte("edited"), Retracted: true})
			w.unread("bob", before)
			if v := w.view(""); len(v.Preview) != 0 {
				t.Fatalf("the preview is %q", v.Preview)
			}
		})
	}
}

func TestAnAmendmentThatOvertookItsPostIsRefused(t *testing.T) {
	w := two(t, 5)
	w.refused(&conversation.Amend{Seq: 6, Preview: []byte("edited")}, conversation.ErrInvalid, "amend.seq")
	empty := newWorld(t)
	empty.do(join("ann"))
	empty.refused(retract(1), conversation.ErrInvalid, "amend.seq")
}

func TestAnAmendmentMovesTheHeadsVersionButNotItsDeadline(t *testing.T) {
	w := two(t, 5)
	for _, change := range []conversation.Change{retract(2), &conversation.Amend{Seq: 5, Preview: []byte("edited")}} {
		before := w.view("")
		w.advance(time.Minute)
		w.do(change)
		after := w.view("")
		if after.Version != before.Version+1 || !after.ExpiresAt.Equal(before.ExpiresAt) || !after.LastActivity.Equal(before.LastActivity) {
			t.Fatalf("%+v moved the head from %+v to %+v", change, before, after)
		}
	}
}
