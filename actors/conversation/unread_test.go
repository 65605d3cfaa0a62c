package conversation_test

import (
	"testing"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

func TestOnesOwnMessagesAreNotUnread(t *testing.T) {
	w := newWorld(t)
	w.do(say(1, "ann", "bob"), say(2, "bob"), say(3, "ann"))
	w.unread("bob", 1)
	w.unread("ann", 0)
}

func TestOnesOwnMessageThatWasOvertakenIsNotUnread(t *testing.T) {
	w := newWorld(t)
	w.do(say(1, "ann", "bob"), say(3, "ann"), say(2, "bob"))
	w.unread("bob", 1)
	w.unread("ann", 0)
}

func TestAnUnattendedMessageIsNotUnreadForItsSenderAndLeavesTheOthersSo(t *testing.T) {
	w := newWorld(t)
	w.do(say(1, "ann", "bot"), &conversation.Post{Seq: 2, Sender: "bot", Unattended: true}, say(3, "ann"))
	w.unread("bot", 2)
	if read := w.member("bot").ReadSeq; read != 0 {
		t.Fatalf("an unattended message moved its sender's read-to to %d", read)
	}
}

func TestOnlyTheLatestSendersAreKnownSoOlderUnattendedMessagesCount(t *testing.T) {
	w := newWorld(t)
	const said = persistence.TailSenders + 5
	for seq := range uint64(said) {
		w.do(&conversation.Post{Seq: seq + 1, Sender: "bot", Unattended: true})
	}
	w.unread("bot", said-persistence.TailSenders)
}

func TestSilentMessagesCountForNobody(t *testing.T) {
	w := two(t, 2)
	w.do(&conversation.Post{Seq: 3, Sender: "ann", Silent: true}, say(4, "ann"), &conversation.Post{Seq: 5, Sender: "ann", Silent: true})
	w.unread("bob", 3)
	w.reload()
	w.unread("bob", 3)
}

func TestASilentMessageThatWasOvertakenCountsForNobody(t *testing.T) {
	w := two(t, 2)
	w.do(say(4, "ann"))
	w.unread("bob", 4)
	w.do(&conversation.Post{Seq: 3, Sender: "ann", Silent: true})
	w.unread("bob", 3)
}

func TestMessagesThatWereNeverProposedCount(t *testing.T) {
	w := two(t, 2)
	w.do(say(10, "ann"))
	w.unread("bob", 10)
}

func TestUnreadIsExactAtAThousandWithSilentOnesAmongThem(t *testing.T) {
	w := newWorld(t)
	var silent uint64
	for seq := uint64(1); seq <= 1_000; seq++ {
		post := say(seq, "ann", "bob")
		if post.Silent = seq%7 == 0; post.Silent {
			silent++
		}
		w.do(post)
	}
	w.unread("bob", 1_000-silent)
	w.reload()
	w.unread("bob", 1_000-silent)
	for read := uint64(100); read <= 1_000; read += 300 {
		w.do(&conversation.Read{User: "bob", Seq: read})
		w.unread("bob", 1_000-read-(silent-read/7))
	}
}

func TestBeyondTheTailSilentMessagesCountAsNumbered(t *testing.T) {
	w := newWorld(t)
	const said = persistence.TailMessages + 100
	for seq := uint64(1); seq <= said; seq++ {
		w.do(&conversation.Post{Seq: seq, Sender: "ann", Members: []string{"bob"}, Silent: seq%2 == 0})
	}
	w.unread("bob", 100+persistence.TailMessages/2)
	w.do(&conversation.Read{User: "bob", Seq: 100})
	w.unread("bob", persistence.TailMessages/2)
}

func TestClearedMessagesAreNotUnread(t *testing.T) {
	w := two(t, 10)
	w.do(&conversation.Clear{User: "bob", Seq: 7})
	w.unread("bob", 3)
	w.do(&conversation.Read{User: "bob", Seq: 5})
	w.unread("bob", 3)
	w.do(&conversation.Read{User: "bob", Seq: 8})
	w.unread("bob", 2)
}

func TestUnreadIsNeverNegative(t *testing.T) {
	w := two(t, 3)
	w.do(&conversation.Read{User: "bob", Seq: 100}, &conversation.Clear{User: "bob", Seq: 200})
	w.unread("bob", 0)
	w.do(&conversation.Leave{Users: []string{"bob"}, Keep: true}, &conversation.Read{User: "bob", Seq: 300})
	w.unread("bob", 0)
}

func TestAnEmptyConversationHasNothingUnread(t *testing.T) {
	for _, from := range []uint64{0, 1, 5} {
		w := newWorld(t)
		w.do(&conversation.Join{Users: []string{"ann", "bob"}, VisibleFrom: from, UnreadFrom: from})
		w.unread("bob", 0)
		w.do(&conversation.Leave{Users: []string{"bob"}, Keep: true})
		w.unread("bob", 0)
	}
}

func TestANewMemberHasNothingUnreadButWhatComes(t *testing.T) {
	w := two(t, 10)
	w.do(&conversation.Join{Users: []string{"carl"}})
	w.unread("carl", 0)
	w.do(say(11, "ann"))
	w.unread("carl", 1)
	w.do(say(12, "ann", "dora"))
	w.unread("dora", 1)
}

func TestWhatWasSaidWhileAKeptMemberIsGoneIsNotUnread(t *testing.T) {
	w := two(t, 4)
	w.do(&conversation.Leave{Users: []string{"bob"}, Keep: true}, say(5, "ann"), say(6, "ann"))
	w.unread("bob", 4)
	if seq := w.view("bob").LastSeq; seq != 4 {
		t.Fatalf("the conversation goes to %d for bob; it is frozen at 4", seq)
	}
}
