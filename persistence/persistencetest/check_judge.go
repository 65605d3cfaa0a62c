package persistencetest

import (
	"github.com/parley-im/parley/persistence"
)

// judge compares the rows that were read.
func (c *checker) judge() {
	for name, of := range c.conversations {
		c.judgeHead(name, of)
		c.judgeDues(name, of)
		c.judgeRows(name, of)
		c.judgeIndex(name, of)
		c.judgeSenders(name, of)
		c.judgeOrders(name, of)
		c.judgeEvents(name, of)
	}
	for shard, next := range c.next {
		if last := c.last[shard]; last >= next && last != 0 {
			c.report(persistence.EventKey(shard, last), "the shard's next event would have the number %d", next)
		}
	}
}

// current returns the generation of the live head or the tombstone; zero: there is neither.
func (of *conversation) current() persistence.Generation {
	switch {
	case of.head != nil:
		return of.head.Generation
	case of.tombstone != nil:
		return of.tombstone.Generation
	default:
		return 0
	}
}

// ended returns the latest generation that a due entry says has ended. It and all before it are being deleted; zero: none is.
func (of *conversation) ended() (latest persistence.Generation) {
	for _, due := range of.dues {
		if due.ended != nil {
			latest = max(latest, due.generation)
		}
	}
	return latest
}

// beganWithout reports whether a live head says that nothing of a generation before it was left when it began.
func (of *conversation) beganWithout(generation persistence.Generation) bool {
	return of.head != nil && of.head.Alone && generation < of.head.Generation
}

func (c *checker) judgeHead(name string, of *conversation) {
	head := of.head
	if head == nil {
		return
	}
	key := persistence.HeadKey(name)
	if head.Generation == 0 {
		c.report(key, "its generation is zero")
	}
	if head.LoudSeq > head.LastSeq {
		c.report(key, "the last loud message, %d, is behind the last one, %d", head.LoudSeq, head.LastSeq)
	}
	if head.Due > head.Deadline {
		c.report(key, "it is due at %d, which is after its deadline %d", head.Due, head.Deadline)
	}
	if head.Due == 0 {
		if head.Deadline != persistence.Never {
			c.report(key, "generation %d is over at %d, but nothing is due", head.Generation, head.Deadline)
		} else if head.Kept != 0 && head.Witness == "" {
			c.report(key, "generation %d is kept while somebody has something unread, nobody is known to, and nothing is due", head.Generation)
		}
	} else if !of.hasDue(head.Due, head.Generation) {
		c.report(persistence.DueKey(name, head.Due, head.Generation), "the live head of %q has no such due entry", name)
	}
	if of.tail != nil && of.tail.Generation != head.Generation {
		c.report(persistence.TailKey(name), "the tail has generation %d, the head %d", of.tail.Generation, head.Generation)
	}
	if of.ended() >= head.Generation {
		return
	}
	var members uint64
	for _, membership := range of.memberships {
		if membership.Generation == head.Generation && !membership.Left {
			members++
		}
	}
	if head.Witness != "" {
		if m := of.memberships[head.Witness]; head.Kept == 0 {
			c.report(key, "%q is a witness of nothing: the generation is not kept", head.Witness)
		} else if m == nil || m.Generation != head.Generation || m.Left {
			c.report(key, "the witness %q is no member", head.Witness)
		}
	}
	if members != head.Members {
		c.report(key, "the head counts %d members, there are %d", head.Members, members)
	}
}

func (of *conversation) hasDue(deadline persistence.Instant, generation persistence.Generation) bool {
	for _, due := range of.dues {
		if due.deadline == deadline && due.generation == generation {
			return true
		}
	}
	return false
}

func (c *checker) judgeDues(name string, of *conversation) {
	seen := make(map[persistence.Generation][]byte)
	for _, due := range of.dues {
		if before, ok := seen[due.generation]; ok {
			c.report(due.key, "generation %d of %q has another due entry: %q", due.generation, name, before)
		}
		seen[due.generation] = due.key
		switch current := of.current(); {
		case due.generation > current:
			c.report(due.key, "%q has no generation %d, the latest is %d", name, due.generation, current)
		case due.ended != nil:
		case of.head == nil || due.generation < current:
			c.report(due.key, "generation %d of %q is not the current one, and its due entry does not say how it ended", due.generation, name)
		case due.deadline != of.head.Due:
			c.report(due.key, "the head of %q is due at %d", name, of.head.Due)
		}
	}
}

// judgeRows reports rows of generations that are neither alive nor being deleted.
func (c *checker) judgeRows(name string, of *conversation) {
	stray := func(key []byte, generation persistence.Generation) {
		switch {
		case of.head != nil && generation == of.head.Generation:
		case of.beganWithout(generation):
			c.report(key, "generation %d of %q is left, and the head says that none was when it began", generation, name)
		case generation > of.current() && of.current() != 0:
			c.report(key, "generation %d is later than the latest of %q, %d", generation, name, of.current())
		case generation > of.ended():
			c.report(key, "generation %d of %q is gone, and nothing says that it is being deleted", generation, name)
		}
	}
	if of.tail != nil {
		stray(persistence.TailKey(name), of.tail.Generation)
	}
	if of.roster != nil {
		stray(persistence.RosterKey(name), of.roster.Generation)
	}
	for user, generation := range of.members {
		key := persistence.MemberKey(name, user)
		stray(key, generation)
		if membership := of.memberships[user]; membership == nil {
			c.report(key, "generation %d has no membership: %q", generation, persistence.MembershipKey(user, name))
		} else if membership.Generation != generation {
			c.report(key, "generation %d has a membership of generation %d", generation, membership.Generation)
		}
	}
	for user, membership := range of.memberships {
		key := persistence.MembershipKey(user, name)
		stray(key, membership.Generation)
		if _, ok := of.members[user]; !ok {
			c.report(key, "generation %d has no member row: %q", membership.Generation, persistence.MemberKey(name, user))
		}
	}
}

func (c *checker) judgeEvents(name string, of *conversation) {
	for generation, key := range of.graves {
		if of.head != nil && generation >= of.head.Generation {
			c.report(key, "generation %d of %q is buried, but the head has generation %d", generation, name, of.head.Generation)
		}
		for _, due := range of.dues {
			if due.generation == generation {
				c.report(key, "generation %d of %q is buried, but is due: %q", generation, name, due.key)
			}
		}
	}
	for generation, key := range of.events {
		if of.head != nil && generation >= of.head.Generation {
			c.report(key, "generation %d of %q expired, but the head has generation %d", generation, name, of.head.Generation)
		}
		for _, due := range of.dues {
			if due.generation == generation {
				c.report(key, "generation %d of %q expired, but is due: %q", generation, name, due.key)
			}
		}
	}
}
