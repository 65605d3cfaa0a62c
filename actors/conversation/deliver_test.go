package conversation_test

import (
	"testing"

	"github.com/parley-im/parley/actors/conversation"
)

func delivery(user string, seq uint64) *conversation.Deliver {
	return &conversation.Deliver{User: user, Seq: seq}
}

// delivered requires that messages up to that one were delivered to the user.
func (w *world) delivered(user string, want uint64) {
	w.Helper()
	if m := w.member(user); m.DeliveredSeq != want {
		w.Fatalf("delivered to %s up to %d, want %d", user, m.DeliveredSeq, want)
	}
}

func TestDeliveredToNeverGoesBack(t *testing.T) {
	w := two(t, 5)
	w.do(delivery("bob", 4))
	w.repeat(delivery("bob", 2), delivery("bob", 4))
	w.reload()
	w.repeat(delivery("bob", 4))
	w.delivered("bob", 4)
	w.unread("bob", 5)
}

func TestDeliveredIsNeverBelowRead(t *testing.T) {
	w := two(t, 5)
	w.do(delivery("bob", 2), &conversation.Read{User: "bob", Seq: 4})
	w.delivered("bob", 4)
	w.do(delivery("bob", 5))
	w.delivered("bob", 5)
	w.delivered("ann", 5) // who sent them
}

func TestWhatWasReadStaysDeliveredWhenItIsMarkedUnread(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Read{User: "bob", Seq: 5}, unreadFrom("bob", 2))
	w.delivered("bob", 5)
	w.reload()
	w.delivered("bob", 5)
}

func TestDeliveriesRunAheadNoFurtherThanPosts(t *testing.T) {
	w := two(t, 5)
	w.policy.MaxSeqJump = 3
	w.refused(delivery("bob", 9), conversation.ErrInvalid, "deliver.seq")
	w.do(delivery("bob", 8), say(6, "ann"))
	w.delivered("bob", 8)
}

func TestReceiptsAreOffInAConversationWithMoreMembersThanTheNamespaceAllows(t *testing.T) {
	w := two(t, 5)
	w.policy.ReceiptsUpTo = 2
	w.do(delivery("bob", 3), join("carl"))
	w.repeat(delivery("bob", 4))
	w.delivered("bob", 3)
	w.refused(delivery("dora", 4), conversation.ErrNotFound, "deliver.user")
	w.do(&conversation.Read{User: "bob", Seq: 4}) // which is no receipt
	w.delivered("bob", 4)
	w.do(leave("carl"), delivery("bob", 5))
	w.delivered("bob", 5)
	w.policy.ReceiptsUpTo = 0
	w.do(join(crowd(0, 100)...), delivery("bob", 6))
	w.delivered("bob", 6)
}

func TestADeliveryDoesNotMoveTheHead(t *testing.T) {
	w := two(t, 5)
	before := w.view("").Version
	w.do(delivery("bob", 4), unreadFrom("bob", 3), &conversation.Set{User: "bob", Pin: new(uint64(7))})
	if after := w.view("").Version; after != before {
		t.Fatalf("a member's own marks moved the head's version from %d to %d", before, after)
	}
}
