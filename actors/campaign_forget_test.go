package actors_test

import (
	"slices"
	"time"

	"github.com/parley-im/parley/persistence"
)

// nobody is whose the messages are of a user who was forgotten.
const nobody = persistence.Nobody

// forget has a user forgotten, to the end. Conversations do it one after the other while time goes by; those that are over by then say nothing of whether they did.
func (c *campaign) forget(user string) {
	c.t.Helper()
	c.Heal()
	c.barrier()
	c.note("forget " + user)
	began := time.Now().UnixMicro()
	for c.order(user); c.order(user) > 0; {
		if c.Advance(time.Millisecond); c.Stats().Forget.Oldest > time.Minute {
			c.t.Fatalf("%s is not forgotten: %+v", user, c.Stats().Forget)
		}
	}
	now := time.Now().UnixMicro()
	for _, a := range c.accounts {
		switch {
		case a.alive(now) && a.forget(user):
			c.tally["forgotten"]++
		case a.alive(began) && !a.alive(now):
			a.perhaps = append(slices.Clip(a.perhaps), user)
		}
	}
	if traces := tracesOf(c.t, c.Engine, user); len(traces) > 0 {
		c.t.Fatalf("%d rows name %s, such as %q", len(traces), user, traces[0])
	}
	c.look(c.names...)
}

func (c *campaign) order(user string) uint64 {
	c.t.Helper()
	return order(c.t, c.Engine, user)
}

// forget removes a user, and reports whether there was anything of them.
func (a *account) forget(user string) bool {
	if _, ok := a.members[user]; !ok {
		return false
	}
	before, last := a.face(), a.face().last
	delete(a.members, user)
	noted := false
	a.posts = slices.Clone(a.posts)
	for i, s := range a.posts {
		if s.Sender == user {
			post := *s.Post
			post.Sender = nobody
			a.posts[i].Post = &post
			noted = noted || (s.known && last-s.Seq < knownSenders)
		}
	}
	if noted || a.face() != before {
		a.version++
	}
	return true
}
