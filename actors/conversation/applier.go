package conversation

import (
	"slices"
	"sync"

	"github.com/parley-im/parley/persistence"
)

// applier carries one change through: the rules mark what they changed, and finish turns the marks into rows.
type applier struct {
	*State

	progress

	in  Input
	now persistence.Instant

	changed touchedSet // memberships
	undo    undo
}

// progress is what a change has come to so far.
type progress struct {
	headChanged bool // what its version stands for
	headTouched bool // something else in it
	tailChanged bool
	fewer       bool // messages may count as unread than did: of members who are not among those changed, too
	deleted     bool
	forgets     bool // the change is the engine's own, and puts no deadline off
	ended       *Ending
	writes      []Write
}

// appliers are at rest. What they undo is overwritten by the next change.
var appliers = sync.Pool{New: func() any { return &applier{} }} //nolint:gochecknoglobals // as pools are meant to be used

func newApplier(s *State, in Input, now persistence.Instant) *applier {
	a := appliers.Get().(*applier) //nolint:forcetypeassert,errcheck // nothing else is put into it
	a.State, a.in, a.now = s, in, now
	a.undo.begin(s)
	return a
}

// rest puts the applier back. What it has returned stays: nothing of that is used again.
func (a *applier) rest() {
	a.State, a.in, a.progress = nil, Input{}, progress{}
	a.changed.reset()
	a.undo.reset()
	appliers.Put(a)
}

// takeBack undoes what was done so far.
func (a *applier) takeBack() { a.undo.restore(a.State, &a.changed) }

// touch returns a user's membership to be changed, and marks it.
func (a *applier) touch(user string) *persistence.Membership {
	was := member{user: user}
	at := a.members.find(user)
	if at >= 0 {
		was = a.members.list[at]
	}
	m := was.Membership
	if a.changed.find(user) == nil {
		a.changed.add(touched{user: was.user, before: a.before(m), held: m, unknown: at < 0, dirty: was.dirty})
	}
	if m == nil {
		m = &persistence.Membership{Generation: a.head.Generation, Rewinds: a.head.LastRewind(), Outlived: a.outlives(user)}
		a.members.set(user, m)
	}
	return m
}

// begin starts the next generation. What came before it, if it is still there, is over.
func (a *applier) begin() {
	alone := !a.present
	if a.present {
		old := a.head
		a.floor = persistence.Tombstone{Generation: old.Generation, LastSeq: old.LastSeq}
		a.ended = a.ending(&old)
		record := persistence.Due{
			Ended: &persistence.Ended{Reason: old.Reason, LastSeq: old.LastSeq, Deadline: old.Deadline, Users: a.roster.Users},
			Index: old.Index(),
		}
		a.writes = append(a.writes, Write{
			Key:       persistence.DueKey(a.name, old.Due, old.Generation),
			Value:     record.Encode(),
			IfPresent: true, // the reaper may have deleted the generation, and the entry with it
		})
		a.unlist(&old)
	}
	a.present = true
	a.head = persistence.Head{
		Generation: a.in.Next(),
		Born:       a.now,
		Floor:      a.floor.LastSeq,
		LastSeq:    a.floor.LastSeq,
		LoudSeq:    a.floor.LastSeq,
		Ordered:    a.now,
		Reason:     persistence.ReasonExpired,
		Alone:      alone,
	}
	a.undo.begun = true
	a.tail = persistence.Tail{Generation: a.head.Generation, Last: a.head.LastSeq}
	a.roster = persistence.Roster{Generation: a.head.Generation}
	a.tailChanged = true
	a.headChanged = true
	a.members, a.complete = members{}, true
	a.dirty = dirty{} // the rows of the one before are the reaper's
	a.head.Activity = a.now
}

// arm sees to it that the due entry is not later than the deadline. An earlier one is left: it is moved when it comes due, so that a busy conversation
// costs one index write in each retention period.
func (a *applier) arm(out *Outcome) {
	if at := judgedAt(&a.head); at == persistence.Never || (a.head.Due != 0 && a.head.Due <= max(a.now, at)) {
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
	if at := judgedAt(&s.head); at != persistence.Never {
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
		Pins:         head.Pins,
		Alone:        head.Alone,
		Index:        head.Index(),
		Users:        slices.Clone(s.roster.Users),
	}
}

// finish numbers what changed and returns it as rows.
func (a *applier) finish() Outcome {
	out := Outcome{Ended: a.ended, Writes: a.writes}
	out.Changed = a.headChanged || a.tailChanged || len(a.changed.all) > 0
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
	a.changed.sort()
	a.index(&out)
	if a.headChanged {
		a.head.Version++
	}
	if a.headChanged || a.headTouched {
		a.arm(&out)
		if a.deleted {
			out.Ended = a.ending(&a.head)
		}
		a.soilHead(&out)
	}
	if a.tailChanged {
		a.tail.Version++
		a.soilTail(&out)
	}
	for i := range a.changed.all {
		user := a.changed.all[i].user
		if a.in.Users {
			out.Users = append(out.Users, user)
		}
		m := a.members.get(user)
		if m == nil {
			a.removed(&out, user)
			continue
		}
		m.Version++
		if !a.changed.all[i].before.fresh {
			a.soilMember(&out, user)
		} else {
			// At once: whoever looks for a user's rows among those that are not in the store must find that there is one.
			out.Writes = append(out.Writes, Write{Key: persistence.MembershipKey(user, a.name), Value: m.Encode(), User: user}, Write{
				Key:   persistence.MemberKey(a.name, user),
				Value: persistence.Member{Generation: a.head.Generation}.Encode(),
				User:  user,
			})
		}
	}
	return out
}
