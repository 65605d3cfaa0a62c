package conversation_test

import (
	"testing"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func TestMentionsAreCountedAmongTheUnreadMessages(t *testing.T) {
	w := two(t, 2)
	w.do(
		&conversation.Post{Seq: 3, Sender: "ann", Mentions: []string{"bob", "bob", "nobody"}},
		&conversation.Post{Seq: 4, Sender: "ann", MentionAll: true},
		&conversation.Post{Seq: 5, Sender: "ann", MentionAll: true, Mentions: []string{"bob"}},
		&conversation.Post{Seq: 6, Sender: "bob", MentionAll: true, Mentions: []string{"bob", "ann"}, Unattended: true},
	)
	w.mentioned("bob", 3)
	w.mentioned("ann", 1)
	w.do(&conversation.Read{User: "bob", Seq: 3})
	w.mentioned("bob", 2)
	w.do(&conversation.Clear{User: "bob", Seq: 4})
	w.mentioned("bob", 1)
	w.reload()
	w.do(&conversation.Read{User: "bob", Seq: 6})
	w.mentioned("bob", 0)
	if w.takesPart("nobody") {
		t.Fatal("being mentioned made somebody a member")
	}
}

func TestASilentMessageMentionsNobody(t *testing.T) {
	w := two(t, 2)
	w.do(&conversation.Post{Seq: 3, Sender: "ann", Mentions: []string{"bob"}, MentionAll: true, Silent: true})
	w.mentioned("bob", 0)
}

func TestMentionsAreExactToSixtyFour(t *testing.T) {
	for _, said := range []uint64{63, 64, 65, 200} {
		w := two(t, 1)
		for seq := said + 1; seq > 1; seq-- { // each overtaken by the next
			w.do(&conversation.Post{Seq: seq, Sender: "ann", Mentions: []string{"bob"}})
		}
		w.mentioned("bob", uint32(min(said, persistence.MaxMentions)))
		w.do(&conversation.Read{User: "bob", Seq: said - 9})
		w.mentioned("bob", 10)
	}
}

func TestMentionsOfAllAreExactWithinTheTail(t *testing.T) {
	w := two(t, 1)
	const said = persistence.TailMessages + 10
	for seq := range uint64(said) {
		w.do(&conversation.Post{Seq: seq + 2, Sender: "ann", MentionAll: true})
	}
	w.mentioned("bob", persistence.TailMessages)
}

func TestARepeatedMentionIsCountedOnce(t *testing.T) {
	w := two(t, 2)
	post := &conversation.Post{Seq: 3, Sender: "ann", Mentions: []string{"bob"}, MentionAll: true}
	w.do(post, say(4, "ann"))
	w.repeat(post)
	w.reload()
	w.repeat(post)
	w.mentioned("bob", 1)
}

func TestAMentionThatWasOvertakenByALeaveCountsForWhoKeepsTheConversation(t *testing.T) {
	w := two(t, 2)
	w.do(say(4, "ann"), &conversation.Leave{Users: []string{"bob"}, Keep: true})
	w.do(&conversation.Post{Seq: 3, Sender: "ann", Mentions: []string{"bob"}})
	w.mentioned("bob", 1)
	w.do(&conversation.Post{Seq: 5, Sender: "ann", Mentions: []string{"bob"}})
	w.mentioned("bob", 1)
}
