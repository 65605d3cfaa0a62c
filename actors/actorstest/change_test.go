package actorstest_test

import (
	"testing"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
)

func TestEveryVerbProposesWhatItsNameSays(t *testing.T) {
	const name = "group:42"
	member := func(e *actorstest.Engine, user string) conversation.MembershipView {
		if v := e.View(name, user); v != nil && v.Membership != nil {
			return *v.Membership
		}
		return conversation.MembershipView{}
	}
	pin := uint64(7)
	for _, test := range []struct {
		verb string
		do   func(e *actorstest.Engine) actors.Reply
		want func(e *actorstest.Engine) bool
	}{
		{
			"post", func(e *actorstest.Engine) actors.Reply { return e.Post(name, "bob", 4, "cyd") },
			func(e *actorstest.Engine) bool {
				return e.View(name, "").LastSender == "bob" && member(e, "cyd").Unread == 1
			},
		},
		{
			"edit", func(e *actorstest.Engine) actors.Reply { return e.Edit(name, 3, "better") },
			func(e *actorstest.Engine) bool { return string(e.View(name, "").Preview) == "better" },
		},
		{
			"retract", func(e *actorstest.Engine) actors.Reply { return e.Retract(name, 2) },
			func(e *actorstest.Engine) bool { return member(e, "bob").Unread == 2 },
		},
		{
			"join", func(e *actorstest.Engine) actors.Reply { return e.Join(name, "cyd", "dan") },
			func(e *actorstest.Engine) bool { return len(e.MembersOf(name)) == 4 },
		},
		{
			"leave", func(e *actorstest.Engine) actors.Reply { return e.Leave(name, "bob") },
			func(e *actorstest.Engine) bool { return len(e.MembersOf(name)) == 1 && len(e.List("bob")) == 0 },
		},
		{
			"read", func(e *actorstest.Engine) actors.Reply { return e.Read(name, "bob", 2) },
			func(e *actorstest.Engine) bool {
				badge := e.BadgeOf("bob")
				return badge.Unread == 1 && badge.Conversations == 1
			},
		},
		{
			"deliver", func(e *actorstest.Engine) actors.Reply { return e.Deliver(name, "bob", 2) },
			func(e *actorstest.Engine) bool { return member(e, "bob").DeliveredSeq == 2 },
		},
		{
			"mark unread", func(e *actorstest.Engine) actors.Reply { return e.MarkUnread(name, "ann", 2) },
			func(e *actorstest.Engine) bool { return member(e, "ann").MarkedUnread && member(e, "ann").ReadSeq == 1 },
		},
		{
			"clear", func(e *actorstest.Engine) actors.Reply { return e.Clear(name, "bob", 3) },
			func(e *actorstest.Engine) bool {
				return member(e, "bob").ClearedSeq == 3 && member(e, "bob").Unread == 0
			},
		},
		{
			"set", func(e *actorstest.Engine) actors.Reply { return e.Set(name, conversation.Set{User: "bob", Pin: &pin}) },
			func(e *actorstest.Engine) bool { return member(e, "bob").Pin == pin },
		},
		{
			"hold", func(e *actorstest.Engine) actors.Reply { return e.Hold(name, true) },
			func(e *actorstest.Engine) bool { return e.View(name, "").Held },
		},
		{
			"delete", func(e *actorstest.Engine) actors.Reply { return e.Delete(name) },
			func(e *actorstest.Engine) bool {
				e.Advance(0)
				return e.View(name, "") == nil && e.MembersOf(name) == nil
			},
		},
	} {
		t.Run(test.verb, func(t *testing.T) {
			actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
				for seq := range uint64(3) {
					e.Post(name, "ann", seq+1, "bob")
				}
				if r := test.do(e); !r.Changed || r.Ack != actors.AckCommitted {
					t.Errorf("the reply: got %+v, want a change that is committed", r)
				}
				if !test.want(e) {
					t.Errorf("it did not do that: %+v, members %+v", e.View(name, "bob"), e.MembersOf(name))
				}
			})
		})
	}
}

func TestListsAndMembersAreOfAllPages(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		users := make([]string, actors.MaxPage)
		for i := range users {
			users[i] = userName(i)
		}
		e.Join("group:42", users...)
		e.Join("group:42", userName(len(users)))
		if got := len(e.MembersOf("group:42")); got != actors.MaxPage+1 {
			t.Errorf("%d members, want %d", got, actors.MaxPage+1)
		}
		for i := range actors.MaxPage + 1 {
			e.Send(&actors.Proposal{Conversation: "group:" + userName(i), Change: &conversation.Join{Users: []string{"ann"}}, Ack: actors.AckApplied})
		}
		if got := len(e.List("ann")); got != actors.MaxPage+1 {
			t.Errorf("%d conversations, want %d", got, actors.MaxPage+1)
		}
	})
}

func userName(i int) string {
	return "user" + string(rune('a'+i/676%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i%26))
}

func TestNothingIsSeenOfWhatIsNotThere(t *testing.T) {
	actorstest.Run(t, actors.Config{}, func(t *testing.T, e *actorstest.Engine) {
		if v, l, m, b := e.View("group:42", "ann"), e.List("ann"), e.MembersOf("group:42"), e.BadgeOf("ann"); v != nil || l != nil || m != nil || b != (actors.Badge{}) {
			t.Errorf("got %+v, %+v, %+v, %+v; want nothing", v, l, m, b)
		}
		if n := e.Rows(); n != 0 {
			t.Errorf("%d rows, want none", n)
		}
	})
}
