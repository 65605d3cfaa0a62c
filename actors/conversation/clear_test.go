package conversation_test

import (
	"testing"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func (w *world) placed(user string, want place) {
	w.Helper()
	if got := w.place(user); got != want {
		w.Fatalf("the conversation is %s for %s, want %s", got, user, want)
	}
}

func TestClearedToNeverGoesBack(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Clear{User: "bob", Seq: 4})
	w.repeat(&conversation.Clear{User: "bob", Seq: 2}, &conversation.Clear{User: "bob", Seq: 4})
	if seq := w.member("bob").ClearedSeq; seq != 4 {
		t.Fatalf("cleared up to %d, want 4", seq)
	}
}

func TestAClearedConversationStaysHiddenUntilTheNextMessage(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Clear{User: "bob", Seq: 5, Hide: true})
	w.placed("bob", hidden)
	w.placed("ann", listed)
	w.reload()
	w.do(&conversation.Read{User: "bob", Seq: 5}, &conversation.Post{Seq: 6, Sender: "ann", Silent: true})
	w.repeat(say(5, "ann", "bob"))
	w.placed("bob", hidden)
	if hide := w.member("bob").Hide; hide != persistence.HideUntilMessage {
		t.Fatalf("while it is hidden, hide is %d", hide)
	}
	w.do(say(7, "ann"))
	w.placed("bob", listed)
	if hide := w.member("bob").Hide; hide != persistence.HideNone {
		t.Fatalf("when the next message came, hide is still %d", hide)
	}
}

func TestARepeatedClearDoesNotHideTheMessageThatCameMeanwhile(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Clear{User: "bob", Seq: 5, Hide: true}, say(6, "ann"))
	w.repeat(&conversation.Clear{User: "bob", Seq: 5, Hide: true})
	w.placed("bob", listed)
	w.unread("bob", 1)
}

func TestAMessageThatWasSaidBeforeTheClearArrivedIsNotHidden(t *testing.T) {
	w := two(t, 6)
	w.do(&conversation.Clear{User: "bob", Seq: 5, Hide: true})
	w.placed("bob", listed)
	w.unread("bob", 1)
}

func TestAClearThatOvertookItsMessagesHidesThemToo(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Clear{User: "bob", Seq: 7, Hide: true}, say(6, "ann"), say(7, "ann"))
	w.placed("bob", hidden)
	w.unread("bob", 0)
	w.do(say(8, "ann"))
	w.placed("bob", listed)
}

func TestClearingWithoutHidingLeavesTheConversationListed(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Clear{User: "bob", Seq: 5})
	w.placed("bob", listed)
	w.do(&conversation.Clear{User: "bob", Seq: 5, Hide: true})
	w.placed("bob", hidden)
}

func TestWhatIsSaidAfterAKeptMemberLeftDoesNotUnhideTheirConversation(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Leave{Users: []string{"bob"}, Keep: true}, &conversation.Clear{User: "bob", Seq: 5, Hide: true}, say(6, "ann"))
	w.placed("bob", hidden)
}
