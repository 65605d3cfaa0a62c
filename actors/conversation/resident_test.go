package conversation_test

import (
	"fmt"
	"testing"

	"github.com/parley-im/parley/actors/conversation"
)

// crowd names n users, from the given one on.
func crowd(from, n int) []string {
	users := make([]string, n)
	for i := range users {
		users[i] = fmt.Sprint("user-", from+i)
	}
	return users
}

// residents is a bound on how many memberships stay in memory, as they can be counted from outside: those that need not be learnt again.
func (w *world) residents(users []string) (n int) {
	for _, user := range users {
		if len(w.state.Missing(&conversation.Read{User: user, Seq: 1}, w.now)) == 0 {
			n++
		}
	}
	return n
}

const bound = 4096 + conversation.MaxUsers

func TestMembersOfALargeGroupStayInMemoryOnlySoMany(t *testing.T) {
	w := two(t, 1)
	everybody := crowd(0, 8*conversation.MaxUsers)
	for i := 0; i < len(everybody); i += conversation.MaxUsers {
		w.do(join(everybody[i : i+conversation.MaxUsers]...))
	}
	if n := w.residents(everybody); n > bound {
		t.Fatalf("%d memberships are in memory after joins, want at most %d", n, bound)
	}
	w.do(say(2, "ann"))
	for _, user := range []string{"user-0", "user-7999"} {
		w.unread(user, 1)
		w.do(&conversation.Read{User: user, Seq: 2})
		w.unread(user, 0)
	}
	w.check()
}

func TestRefusalsAndRepetitionsDoNotFillTheMemory(t *testing.T) {
	w := two(t, 1)
	members := crowd(0, 6*conversation.MaxUsers)
	for i := 0; i < len(members); i += conversation.MaxUsers {
		w.do(join(members[i : i+conversation.MaxUsers]...))
	}
	w.reload()
	for _, user := range members {
		w.repeat(&conversation.Read{User: user, Seq: 1})
	}
	if n := w.residents(members); n > bound {
		t.Fatalf("%d memberships are in memory after as many repetitions, want at most %d", n, bound)
	}
	strangers := crowd(len(members), 6*conversation.MaxUsers)
	for _, user := range strangers {
		if _, err := w.propose(&conversation.Read{User: user, Seq: 1}); err == nil {
			t.Fatalf("%s is no member", user)
		}
	}
	if n := w.residents(strangers); n > bound {
		t.Fatalf("%d users who are no members are in memory, want at most %d", n, bound)
	}
}

func TestAReplyHasTheMembershipHoweverLargeTheGroup(t *testing.T) {
	w := two(t, 1)
	for i := range 5 {
		w.do(join(crowd(i*conversation.MaxUsers, conversation.MaxUsers)...))
		user := fmt.Sprint("single-", i)
		w.do(join(user))
		if w.state.MembershipView(user) == nil {
			t.Fatalf("the membership that the %d,001st join made is not to be had for its reply", i+1)
		}
	}
}

func TestNoMembershipIsAskedForThatIsKnown(t *testing.T) {
	w := two(t, 1)
	post := &conversation.Post{Seq: 2, Sender: "ann", Members: []string{"bob"}, Mentions: []string{"carl"}}
	if missing := w.state.Missing(post, w.now); len(missing) != 0 {
		t.Fatalf("%v are asked for though the conversation began in memory", missing)
	}
	w.reload()
	if missing := w.state.Missing(post, w.now); fmt.Sprint(missing) != "[ann bob carl]" {
		t.Fatalf("after activation %v are asked for, want ann, bob and carl", missing)
	}
	w.do(post)
	if missing := w.state.Missing(post, w.now); len(missing) != 0 {
		t.Fatalf("%v are asked for again", missing)
	}
	w.now = w.head().Deadline
	w.reload()
	if missing := w.state.Missing(post, w.now); len(missing) != 0 {
		t.Fatalf("%v are asked for though the generation is over", missing)
	}
}
