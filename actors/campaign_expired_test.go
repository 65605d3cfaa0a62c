package actors_test

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/persistence"
)

type past struct {
	name       string
	generation uint64
}

// lookAtTheExpired requires that what was deleted was over, and reads as the model says.
func (c *campaign) lookAtTheExpired() {
	c.t.Helper()
	c.mu.Lock()
	told := c.expired
	c.expired = nil
	c.mu.Unlock()
	if len(told) == 0 {
		return
	}
	for _, key := range c.gone {
		delete(c.past, key)
	}
	last := len(c.gone)
	now := time.Now().UnixMicro()
	for _, info := range told {
		if strings.HasPrefix(info.Conversation, "barrier:") {
			continue
		}
		key := past{info.Conversation, info.Generation}
		a := c.past[key]
		current := c.accounts[info.Conversation]
		alive := current.alive(now) && current.generation == info.Generation
		if a == nil && current.life != nil && current.generation == info.Generation && !current.alive(now) {
			a = &account{policy: current.policy, life: current.life} // current goes on to the next life
		}
		if (a == nil || a.told) && info.Event == 0 && !alive {
			continue // the answer to a deletion was lost, and so nobody could know that it had been told of already
		}
		if a == nil || a.told {
			c.differ(info.Conversation, "deleted, though it was not over, or a second time: %+v", info)
			continue
		}
		a.told = true
		c.tally["deleted"]++
		c.past[key], c.gone = a, append(c.gone, key)
		reason := persistence.ReasonExpired
		if a.deleted != 0 {
			reason = persistence.ReasonDeleted
		}
		if f := a.face(); info.LastSeq != f.last || micros(info.Deadline) != a.deadline() || info.At.Before(info.Deadline) || info.Reason != reason ||
			!c.usersAre(a, info) {
			c.differ(info.Conversation, "deleted: got %+v; want last seq %d, deadline %v, reason %v, users %v",
				info, f.last, time.UnixMicro(a.deadline()).UTC(), reason, slices.Sorted(maps.Keys(a.members)))
		}
	}
	c.gone = c.gone[last:]
}

// usersAre reports whether all users of a generation were told of, and nobody else. Rows of all generations up to the one deleted go with it: those who took part in a later
// one by then may be missing, and those of an earlier one that is yet to be deleted may be among them.
func (c *campaign) usersAre(a *account, info actors.ExpiredInfo) bool {
	if info.Event == 0 {
		return true // it was deleted by a try before, of which nobody could know that: then only the event says who took part
	}
	latest := c.accounts[info.Conversation].life == a.life
	for _, user := range people {
		_, was := a.members[user]
		told := slices.Contains(info.Users, user)
		if slices.Contains(a.perhaps, user) {
			continue
		}
		if told != was && (latest || told) && !(told && c.tookPartBefore(user, info)) {
			return false
		}
	}
	return true
}

// tookPartBefore reports whether a user was in a generation before, of which nothing was told until the last time.
func (c *campaign) tookPartBefore(user string, info actors.ExpiredInfo) bool {
	for p, a := range c.past {
		if _, was := a.members[user]; was && p.name == info.Conversation && p.generation < info.Generation {
			return true
		}
	}
	return false
}
