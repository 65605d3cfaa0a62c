package persistencetest

import (
	"slices"

	"github.com/parley-im/parley/persistence"
)

// judgeSenders reports users whom a live head or its tail names though they have no membership any more.
func (c *checker) judgeSenders(name string, of *conversation) {
	if of.head == nil || of.ended() >= of.head.Generation {
		return
	}
	known := func(user string) bool {
		m := of.memberships[user]
		return user == "" || user == persistence.Nobody || (m != nil && m.Generation == of.head.Generation)
	}
	if user := of.head.LastSender; !known(user) {
		c.report(persistence.HeadKey(name), "the last sender, %q, has no membership", user)
	}
	if of.tail == nil || of.tail.Generation != of.head.Generation {
		return
	}
	for _, user := range sendersOf(of.tail) {
		if !known(user) {
			c.report(persistence.TailKey(name), "the sender %q has no membership", user)
		}
	}
}

// sendersOf returns the users whom a tail names, each once, in order.
func sendersOf(t *persistence.Tail) (users []string) {
	for i := range min(t.Last, persistence.TailSenders) {
		if user := t.Senders.Of(t.Last - i); user != "" {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	return slices.Compact(users)
}

// judgeOrders compares the memberships of users who are being forgotten with the order for it.
func (c *checker) judgeOrders(name string, of *conversation) {
	for user, m := range of.memberships {
		if at, ok := c.orders[user]; ok && m.Outlived > at {
			c.report(persistence.MembershipKey(user, name), "it outlived an order of %d, the one that is being carried out is of %d", m.Outlived, at)
		}
	}
}
