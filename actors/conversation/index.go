package conversation

import (
	"slices"
	"time"

	"github.com/parley-im/parley/persistence"
)

const (
	// minute is what the moments under which entries stand are multiples of. So times that are a little older than the last, as those of another clock are, move nothing.
	minute = persistence.Instant(time.Minute / time.Microsecond)
	// entryJitter is by how many minutes, at most, entries stay for less long than persistence.EntryReach.
	entryJitter = 15
)

// minuteOf returns the beginning of the minute that a moment is in: what the key of an entry has.
func minuteOf(at persistence.Instant) persistence.Instant {
	return max(1, at-at%minute) // zero stands for "none"
}

// EntryStays returns until when, from the moment under which it stands, an entry of a conversation is not moved: three quarters of [persistence.EntryReach] to all of it, by its name. So the entries of conversations that
// moved at the same time, as those of many do that were begun together, do not move together for ever.
func EntryStays(name string, at persistence.Instant) persistence.Instant {
	return at + persistence.EntryReach - persistence.Instant(persistence.Hash(name)%(entryJitter+1))*minute
}

// listed reports whether the entries of the members stand where the conversation's last activity is found.
func listed(h *persistence.Head, name string) bool {
	return h.Listed != 0 && h.Listed <= h.Ordered && h.Ordered < EntryStays(name, h.Listed)
}

// standing is how a user's index finds a conversation.
type standing uint8

const (
	absent   standing = iota // not at all: no member, or left
	rostered                 // by entries that stand where those of all other members do
	merged                   // by one that says to look at the head
)

// before is what a membership was when a change began.
type before struct {
	fresh    bool // there was none in this generation
	standing standing
	pinned   bool
	noticed  persistence.Instant
}

func (a *applier) before(m *persistence.Membership) before {
	b := before{fresh: m == nil, standing: a.standing(m)}
	b.pinned = b.standing != absent && m.Pin != 0
	if m != nil {
		b.noticed = m.Noticed
	}
	return b
}

func (a *applier) standing(m *persistence.Membership) standing {
	switch {
	case m == nil || (m.Left && !m.Keep):
		return absent
	case m.Left || a.head.Large:
		return merged
	}
	return rostered
}

// index sees to it that whoever reads a user's list finds the conversation less than persistence.EntryReach before its last activity, and whoever asks what changed finds it less than that before its last
// change, or after it. A post moves the entries of all members about once an hour; where there are many, it moves none.
func (a *applier) index(out *Outcome) {
	stamp := max(a.in.Now, a.in.At, a.head.Changed)
	out.Stamp = stamp
	if a.headChanged {
		a.head.Changed = stamp
	}
	old, users := a.head.Index(), a.roster.Users
	if !old.Large {
		a.enroll(out)
		a.place(stamp)
		a.move(out, users, old)
	}
	for i := range a.changed.all {
		a.refile(out, &a.changed.all[i], old, stamp)
	}
}

// unlist removes the entries of a generation that is over from where only its head says that they are. Its members may be listed as those of the next one by the time that it
// is deleted, and if that next one is deleted before it, nobody would know whose entries there are.
func (a *applier) unlist(old *persistence.Head) {
	var out Outcome
	for _, user := range a.roster.Users {
		a.shift(&out, user, persistence.EntryActive, old.Listed, 0)
		a.shift(&out, user, persistence.EntryNoticed, old.Noticed, 0)
	}
	for _, w := range out.Writes {
		w.IfPresent = true // the reaper may have deleted the generation
		a.writes = append(a.writes, w)
	}
}

// enroll keeps the roster, until the conversation becomes large.
func (a *applier) enroll(out *Outcome) {
	users, changed := a.roster.Users, false
	for i := range a.changed.all {
		t := &a.changed.all[i]
		user := t.user
		is := a.standing(a.members.get(user)) == rostered
		if is == (t.before.standing == rostered) {
			continue
		}
		if !changed {
			users, changed = slices.Clone(users), true
		}
		i, found := slices.BinarySearch(users, user)
		switch {
		case is && !found:
			users = slices.Insert(users, i, user)
		case !is && found:
			users = slices.Delete(users, i, i+1)
		}
	}
	switch {
	case !changed:
	case len(users) > persistence.MaxRoster:
		a.head.Large = true
		out.Writes = append(out.Writes, Write{Key: persistence.RosterKey(a.name), Delete: true})
		a.roster = persistence.Roster{Generation: a.head.Generation}
	default:
		a.roster = persistence.Roster{Generation: a.head.Generation, Version: a.roster.Version + 1, Users: users}
		out.Writes = append(out.Writes, Write{Key: persistence.RosterKey(a.name), Value: a.roster.Encode()})
	}
}

// place decides where the entries of the members stand from now on.
func (a *applier) place(stamp persistence.Instant) {
	if !a.headChanged {
		return
	}
	h := &a.head
	if h.Large {
		h.Listed, h.Noticed = 0, 0
		return
	}
	if !listed(h, a.name) {
		h.Listed = minuteOf(h.Ordered)
	}
	if EntryStays(a.name, max(h.Listed, h.Noticed)) <= stamp {
		h.Noticed = minuteOf(stamp)
	} else if h.Noticed <= h.Listed {
		h.Noticed = 0
	}
}

// move moves the entries of those who were members and are.
func (a *applier) move(out *Outcome, users []string, old persistence.Index) {
	now := a.head.Index()
	if now == old {
		return
	}
	for _, user := range users {
		touched := a.changed.find(user) != nil
		if touched && !now.Large && a.standing(a.members.get(user)) != rostered {
			continue // refile sees to it
		}
		a.shift(out, user, persistence.EntryActive, old.Listed, now.Listed)
		a.shift(out, user, persistence.EntryNoticed, old.Noticed, now.Noticed)
		if now.Large && !touched {
			a.put(out, user, persistence.EntryMerged, 0)
		}
	}
}

// refile keeps the entries of one whose membership changed.
func (a *applier) refile(out *Outcome, t *touched, old persistence.Index, stamp persistence.Instant) {
	user, was := t.user, t.before
	m, now := a.members.get(user), a.head.Index()
	is := a.standing(m)
	switch {
	case was.standing == rostered && is != rostered && !now.Large:
		a.shift(out, user, persistence.EntryActive, old.Listed, 0)
		a.shift(out, user, persistence.EntryNoticed, old.Noticed, 0)
	case was.standing != rostered && is == rostered:
		a.shift(out, user, persistence.EntryActive, 0, now.Listed)
		a.shift(out, user, persistence.EntryNoticed, 0, now.Noticed)
	}
	a.keep(out, user, persistence.EntryMerged, was.standing == merged, is == merged)
	a.keep(out, user, persistence.EntryPinned, was.pinned, is != absent && m.Pin != 0)
	if m == nil {
		a.shift(out, user, persistence.EntryOwn, was.noticed, 0)
		return // the removal tells
	}
	m.Changed = max(m.Changed, stamp)
	if found := a.headChanged && is != absent; found {
		return // as every other member finds the change
	}
	if EntryStays(a.name, m.Noticed) <= m.Changed {
		last := minuteOf(m.Changed)
		a.shift(out, user, persistence.EntryOwn, m.Noticed, last)
		m.Noticed = last
	}
}

// shift moves an entry from one instant to another; zero stands for none.
func (a *applier) shift(out *Outcome, user string, kind persistence.EntryKind, from, to persistence.Instant) {
	if from == to {
		return
	}
	if from != 0 {
		out.Writes = append(out.Writes, Write{Key: persistence.EntryKey(user, kind, from, a.name), Delete: true, User: user})
	}
	if to != 0 {
		a.put(out, user, kind, to)
	}
}

// keep has an entry that has no instant, or has it no more.
func (a *applier) keep(out *Outcome, user string, kind persistence.EntryKind, was, is bool) {
	switch {
	case is && !was:
		a.put(out, user, kind, 0)
	case was && !is:
		out.Writes = append(out.Writes, Write{Key: persistence.EntryKey(user, kind, 0, a.name), Delete: true, User: user})
	}
}

func (a *applier) put(out *Outcome, user string, kind persistence.EntryKind, at persistence.Instant) {
	out.Writes = append(out.Writes, Write{
		Key:   persistence.EntryKey(user, kind, at, a.name),
		Value: persistence.Member{Generation: a.head.Generation}.Encode(),
		User:  user,
	})
}
