package persistencetest

import (
	"slices"

	"github.com/parley-im/parley/persistence"
)

// judgeIndex compares the entries that there are with those that members should have.
func (c *checker) judgeIndex(name string, of *conversation) {
	want := map[string]bool{}
	if of.head != nil && of.ended() < of.head.Generation {
		c.judgeRoster(name, of)
		c.judgeReach(name, of.head)
		for user, m := range of.memberships {
			if m.Generation == of.head.Generation {
				for _, key := range entriesOf(name, user, of.head, m) {
					want[key] = true
				}
			}
		}
	}
	for key := range want {
		if of.entries[key] != of.head.Generation {
			c.report([]byte(key), "generation %d of %q has no such entry", of.head.Generation, name)
		}
	}
	for key, generation := range of.entries {
		user, kind, at, _, err := persistence.ParseEntryKey([]byte(key))
		switch {
		case err != nil:
			c.report([]byte(key), "%v", err)
		case kind != persistence.EntryOwn && of.beganWithout(generation):
			c.report([]byte(key), "generation %d of %q has left this entry, and the head says that it left nothing", generation, name)
		case want[key] || generation <= of.ended():
		case kind != persistence.EntryOwn:
			c.report([]byte(key), "generation %d of %q should not have this entry", generation, name)
		case of.head != nil && generation == of.head.Generation && (of.memberships[user] == nil || of.memberships[user].Noticed != at):
			c.report([]byte(key), "the membership of generation %d of %q does not know this entry", generation, name)
		}
	}
}

// entriesOf returns the keys of a member's entries but for EntryOwn.
func entriesOf(name, user string, head *persistence.Head, m *persistence.Membership) (keys []string) {
	add := func(kind persistence.EntryKind, at persistence.Instant) {
		keys = append(keys, string(persistence.EntryKey(user, kind, at, name)))
	}
	switch {
	case m.Left && !m.Keep:
		return nil
	case m.Left || head.Large:
		add(persistence.EntryMerged, 0)
	default:
		add(persistence.EntryActive, head.Listed)
		if head.Noticed != 0 {
			add(persistence.EntryNoticed, head.Noticed)
		}
	}
	if m.Pin != 0 {
		add(persistence.EntryPinned, 0)
	}
	return keys
}

// judgeReach looks whether entries stand where readers look for them.
func (c *checker) judgeReach(name string, head *persistence.Head) {
	if head.Listed == 0 {
		return
	}
	if active := max(1, head.Ordered); head.Listed > active || active-head.Listed >= persistence.EntryReach {
		c.report(persistence.HeadKey(name), "the active entries of generation %d stand at %d, which does not reach its last activity at %d", head.Generation, head.Listed, head.Ordered)
	}
	if last := max(head.Listed, head.Noticed); head.Changed-last >= persistence.EntryReach {
		c.report(persistence.HeadKey(name), "the entries of generation %d stand at %d or before, which does not reach its last change at %d", head.Generation, last, head.Changed)
	}
}

func (c *checker) judgeRoster(name string, of *conversation) {
	var members, roster []string
	if of.roster != nil && of.roster.Generation == of.head.Generation {
		roster = of.roster.Users
	}
	for user, m := range of.memberships {
		if m.Generation == of.head.Generation && !m.Left && !of.head.Large {
			members = append(members, user)
		}
	}
	slices.Sort(members)
	if !slices.Equal(members, roster) {
		c.report(persistence.RosterKey(name), "the roster of generation %d is %q, the members are %q", of.head.Generation, roster, members)
	}
}
