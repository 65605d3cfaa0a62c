package conversation

import (
	"maps"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// applier carries one change through: the rules mark what they changed, and finish turns the marks into rows.
type applier struct {
	*State

	in  Input
	now persistence.Instant

	headChanged bool // what its version stands for
	headTouched bool // something else in it
	tailChanged bool
	fewer       bool              // messages may count as unread than did: of members who are not among those changed, too
	changed     map[string]before // memberships
	deleted     bool
	forgets     bool // the change is the engine's own, and puts no deadline off
	ended       *Ending
	writes      []Write
}

// touch returns a user's membership to be changed, and marks it.
func (a *applier) touch(user string) *persistence.Membership {
	if a.changed == nil {
		a.changed = make(map[string]before, 2)
	}
	m := a.members[user]
	if _, marked := a.changed[user]; !marked {
		a.changed[user] = a.before(m)
	}
	if m == nil {
		m = &persistence.Membership{Generation: a.head.Generation, Rewinds: a.head.LastRewind(), Outlived: a.outlives(user)}
		a.members[user] = m
	}
	return m
}

// begin starts the next generation. What came before it, if it is still there, is over.
func (a *applier) begin() {
	old := a.head
	if old != nil {
		a.floor = persistence.Tombstone{Generation: old.Generation, LastSeq: old.LastSeq}
		a.ended = a.ending(old)
		record := persistence.Due{
			Ended: &persistence.Ended{Reason: old.Reason, LastSeq: old.LastSeq, Deadline: old.Deadline, Users: a.roster.Users},
			Index: old.Index(),
		}
		a.writes = append(a.writes, Write{
			Key:       persistence.DueKey(a.name, old.Due, old.Generation),
			Value:     record.Encode(),
			IfPresent: true, // the reaper may have deleted the generation, and the entry with it
		})
		a.unlist(old)
	}
	a.head = &persistence.Head{
		Generation: a.in.Next(),
		Born:       a.now,
		Floor:      a.floor.LastSeq,
		LastSeq:    a.floor.LastSeq,
		LoudSeq:    a.floor.LastSeq,
		Ordered:    a.now,
		Reason:     persistence.ReasonExpired,
	}
	a.tail = persistence.Tail{Generation: a.head.Generation, Last: a.head.LastSeq}
	a.roster = &persistence.Roster{Generation: a.head.Generation}
	a.tailChanged = true
	a.headChanged = true
	a.members, a.complete = map[string]*persistence.Membership{}, true
	a.head.Activity = a.now
}

// arm sees to it that the due entry is not later than the deadline. An earlier one is left: it is moved when it comes due, so that a busy conversation
// costs one index write in each retention period.
func (a *applier) arm(out *Outcome) {
	if at := judgedAt(a.head); at == persistence.Never || (a.head.Due != 0 && a.head.Due <= max(a.now, at)) {
		return
	}
	a.rearm(out, a.now)
}

// rearm has the due entry stand where it must, but not before now.
func (s *State) rearm(out *Outcome, now persistence.Instant) {
	if s.head.Due != 0 {
		out.Writes = append(out.Writes, Write{Key: persistence.DueKey(s.name, s.head.Due, s.head.Generation), Delete: true})
	}
	s.head.Due = 0
	if at := judgedAt(s.head); at != persistence.Never {
		s.head.Due = min(max(now, at), s.head.Deadline)
		out.Due = s.head.Due
		out.Writes = append(out.Writes, Write{Key: persistence.DueKey(s.name, s.head.Due, s.head.Generation)})
	}
}

func (s *State) ending(head *persistence.Head) *Ending {
	return &Ending{
		Conversation: s.name,
		Generation:   head.Generation,
		Reason:       head.Reason,
		LastSeq:      head.LastSeq,
		Deadline:     head.Deadline,
		Due:          head.Due,
		Members:      head.Members,
		Index:        head.Index(),
		Users:        s.roster.Users,
	}
}

// finish numbers what changed and returns it as rows.
func (a *applier) finish() Outcome {
	out := Outcome{Ended: a.ended, Writes: a.writes}
	out.Changed = a.headChanged || a.tailChanged || len(a.changed) > 0
	if !out.Changed {
		return out
	}
	a.retain(a.now)
	switch a.in.Change.(type) {
	case *Read, *Deliver, *Clear, *Set, *Hold, *Amend, *Leave: // by these nobody has more unread than before
	default:
		a.raised++
	}
	a.headChanged = a.headChanged || a.tailChanged // of what the tail knows, members are shown something
	out.Everyone = a.headChanged
	a.index(&out)
	if a.headChanged {
		a.head.Version++
	}
	if a.headChanged || a.headTouched {
		a.arm(&out)
		if a.deleted {
			out.Ended = a.ending(a.head)
		}
		out.Writes = append(out.Writes, Write{Key: persistence.HeadKey(a.name), Value: a.head.Encode()})
	}
	if a.tailChanged {
		a.tail.Version++
		out.Writes = append(out.Writes, Write{Key: persistence.TailKey(a.name), Value: a.tail.Encode()})
	}
	for _, user := range slices.Sorted(maps.Keys(a.changed)) {
		m := a.members[user]
		if m == nil {
			a.removed(&out, user)
			continue
		}
		m.Version++
		out.Writes = append(out.Writes, Write{Key: persistence.MembershipKey(user, a.name), Value: m.Encode(), User: user})
		if a.changed[user].fresh {
			out.Writes = append(out.Writes, Write{
				Key:   persistence.MemberKey(a.name, user),
				Value: persistence.Member{Generation: a.head.Generation}.Encode(),
				User:  user,
			})
		}
	}
	return out
}
