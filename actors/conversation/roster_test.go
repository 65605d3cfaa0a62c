package conversation_test

import (
	"testing"

	"github.com/parley-im/parley/actors/conversation"
)

// part requires that the user does, or does not, take part.
func (w *world) part(user string, want bool) {
	w.Helper()
	if got := w.takesPart(user); got != want {
		w.Fatalf("%s takes part: %v, want %v", user, got, want)
	}
}

func join(users ...string) *conversation.Join { return &conversation.Join{Users: users} }

func leave(users ...string) *conversation.Leave { return &conversation.Leave{Users: users} }

func TestAddingAMemberAgainKeepsTheirUnread(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Read{User: "bob", Seq: 2})
	w.repeat(join("bob"), say(5, "ann", "bob"), &conversation.Join{Users: []string{"bob"}, VisibleFrom: 1, UnreadFrom: 1})
	w.unread("bob", 3)
	w.revision = 9
	w.do(join("bob")) // notes the revision
	w.unread("bob", 3)
}

func TestWhoComesBackHasReadWhatTheyHadRead(t *testing.T) {
	w := two(t, 5)
	w.do(&conversation.Read{User: "bob", Seq: 4}, leave("bob"), &conversation.Join{Users: []string{"bob"}, VisibleFrom: 1, UnreadFrom: 1})
	w.unread("bob", 1)
	if from := w.member("bob").VisibleFrom; from != 1 {
		t.Fatalf("bob sees messages from %d on, want 1", from)
	}
}

func TestAKickedMembersLateMessageDoesNotBringThemBack(t *testing.T) {
	w := two(t, 5)
	w.do(leave("bob"), say(6, "bob"), say(7, "ann"))
	w.part("bob", false)
	w.placed("bob", absent)
	w.do(say(8, "ann", "ann", "bob"))
	w.part("bob", true)
	w.unread("bob", 1)
}

func TestARepeatedPostDoesNotBringBackAMemberWhoLeftSince(t *testing.T) {
	w := two(t, 5)
	w.do(leave("bob"))
	w.repeat(say(5, "ann", "ann", "bob"), say(3, "ann", "bob"))
	w.reload()
	w.repeat(say(5, "ann", "ann", "bob"))
	w.part("bob", false)
}

func TestMembersOfAMessageThatWasOvertakenSeeItsSuccessors(t *testing.T) {
	w := two(t, 1)
	w.do(say(4, "ann", "carl"), say(2, "ann", "carl"), say(3, "ann", "carl"))
	w.unread("carl", 3)
	if members := w.view("").Members; members != 3 {
		t.Fatalf("there are %d members, want ann, bob and carl", members)
	}
}

func TestAMessageFromWhileAMemberWasAwayDoesNotShowThemMore(t *testing.T) {
	w := two(t, 5)
	w.do(leave("bob"), say(7, "ann", "bob"), say(6, "bob"))
	if m := w.member("bob"); m.VisibleFrom != 7 {
		t.Fatalf("bob, who was away at 6, sees messages from %d on", m.VisibleFrom)
	}
}

func TestAnOlderRevisionChangesNothing(t *testing.T) {
	w := two(t, 5)
	w.revision = 10
	w.do(join("carl"))
	w.revision = 9
	w.repeat(leave("carl"))
	w.revision = 10
	w.repeat(leave("carl"))
	w.part("carl", true)
	w.revision = 11
	w.do(leave("carl"))
	w.part("carl", false)
	w.reload()
	w.revision = 10
	w.repeat(join("carl"))
	w.part("carl", false)
	w.revision = 0
	w.do(join("carl"))
	w.part("carl", true)
}

func TestALeaveThatOvertookItsJoinWins(t *testing.T) {
	w := two(t, 5)
	w.revision = 2
	w.do(leave("carl"))
	w.part("carl", false)
	w.placed("carl", absent)
	w.reload()
	w.revision = 1
	w.repeat(join("carl"))
	w.part("carl", false)
	w.revision = 3
	w.do(join("carl"))
	w.part("carl", true)
	w.unread("carl", 0)
}

func TestARevisionThatChangesNothingElseStillCountsAsApplied(t *testing.T) {
	w := two(t, 5)
	w.revision = 5
	w.do(join("bob"))
	w.revision = 4
	w.repeat(leave("bob"))
	w.revision = 6
	w.do(leave("bob"))
	w.revision = 8
	w.do(leave("bob"))
	w.revision = 7
	w.repeat(join("bob"))
	w.part("bob", false)
}

func TestUsersNamedTwiceCountOnce(t *testing.T) {
	w := newWorld(t)
	w.do(join("ann", "bob", "ann"), say(1, "ann", "bob", "bob", "carl"))
	if members := w.view("").Members; members != 3 {
		t.Fatalf("there are %d members, want ann, bob and carl", members)
	}
	w.do(leave("bob", "bob"))
	if members := w.view("").Members; members != 2 {
		t.Fatalf("there are %d members, want ann and carl", members)
	}
	w.repeat(leave("bob", "bob"))
}

func TestAThousandJoinAtOnce(t *testing.T) {
	w := two(t, 1)
	w.do(join(crowd(0, conversation.MaxUsers)...))
	w.do(say(2, "ann", crowd(conversation.MaxUsers, conversation.MaxUsers)...))
	if members := w.view("").Members; members != 2+2*conversation.MaxUsers {
		t.Fatalf("there are %d members, want 2,002", members)
	}
	w.unread("user-0", 1)
	w.unread("user-1999", 1)
	w.check()
}
