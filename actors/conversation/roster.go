package conversation

import (
	"fmt"
)

func (a *applier) join(j *Join, alive bool) error {
	if !alive && a.in.IfGeneration != 0 {
		return a.refuse(ErrConflict, "if_generation", "is over")
	}
	last := a.reached()
	limit := last + a.in.Policy.maxSeqJump()
	for _, from := range [...]struct {
		field string
		seq   uint64
	}{{"join.visible_from", j.VisibleFrom}, {"join.unread_from", j.UnreadFrom}} {
		if from.seq > limit {
			return a.refuse(ErrInvalid, from.field, fmt.Sprintf("must be at most %d", limit))
		}
	}
	if err := a.checkJoin(j, alive); err != nil {
		return err
	}
	if !alive {
		a.begin()
	}
	visibleFrom, unreadFrom := j.VisibleFrom, j.UnreadFrom
	if visibleFrom == 0 {
		visibleFrom = last + 1
	}
	if unreadFrom == 0 {
		unreadFrom = last + 1
	}
	for _, user := range j.Users {
		m := a.members.get(user)
		if m != nil && a.outdated(m.Revision) {
			continue
		}
		if m != nil && !m.Left {
			a.revise(user, m.Revision)
			continue
		}
		m = a.touch(user)
		m.Left, m.Keep, m.Frozen, m.VisibleFrom = false, false, 0, visibleFrom
		m.ReadSeq = max(m.ReadSeq, unreadFrom-1)
		m.Revision = max(m.Revision, a.in.Revision)
		a.enter(m)
	}
	return nil
}

func (a *applier) leave(l *Leave) {
	for _, user := range l.Users {
		m := a.members.get(user)
		switch {
		case m == nil && a.in.Revision == 0:
			continue
		case m == nil:
			// The join may be on its way: remember that it was overtaken.
			m = a.touch(user)
			m.VisibleFrom = a.head.LastSeq + 1
		case a.outdated(m.Revision):
			continue
		case m.Left:
			if m.Keep != l.Keep {
				a.touch(user).Keep = l.Keep
			}
			a.revise(user, m.Revision)
			continue
		default:
			m = a.touch(user)
			a.head.Members--
			a.headChanged = true
			if m.Pin != 0 {
				a.head.Pins--
			}
		}
		m.Left, m.Keep, m.VisibleTo, m.Frozen = true, l.Keep, a.head.LastSeq, a.head.Ordered
		m.Revision = max(m.Revision, a.in.Revision)
	}
}

// outdated reports whether the proposal's revision is not newer than one applied.
func (a *applier) outdated(applied uint64) bool {
	return a.in.Revision != 0 && a.in.Revision <= applied
}

// revise notes a newer revision that changed nothing else, so that an older one which comes later changes nothing either.
func (a *applier) revise(user string, applied uint64) {
	if a.in.Revision > applied {
		a.touch(user).Revision = a.in.Revision
	}
}
