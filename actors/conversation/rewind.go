package conversation

import (
	"fmt"

	"github.com/parley-im/parley/persistence"
)

// rewind cuts the memberships that are in memory as readers of the rows cut all others: they are not written for it.
func (a *applier) rewind(r *Rewind, alive bool) error {
	last := a.reached()
	switch {
	case a.Generation() == 0:
		return a.refuse(ErrNotFound, "", "no such conversation")
	case !alive && a.in.IfGeneration != 0:
		return a.refuse(ErrConflict, "if_generation", "is over")
	case last == r.To:
		return nil // a repetition
	case last != r.From:
		return a.refuse(ErrConflict, "rewind.from", fmt.Sprintf("is not the last message's number, which is %d", last))
	case alive && len(a.head.Rewinds) == persistence.MaxRewinds && a.head.Rewinds[persistence.MaxRewinds-1].To < r.To:
		return a.refuse(ErrInvalid, "rewind", fmt.Sprintf("was done %d times in this generation: delete it and begin the next", persistence.MaxRewinds))
	}
	if !alive {
		a.begin()
	}
	a.undo.keepAllSenders(&a.tail)
	a.undo.keepMembers(a.State)
	a.head.Rewind(r.To)
	a.floor.LastSeq = min(a.floor.LastSeq, r.To)
	a.tail.Rewind(r.To)
	a.headChanged, a.tailChanged, a.fewer = true, true, true
	for _, m := range a.members.list {
		if m.Membership != nil {
			m.Follow(&a.head)
		}
	}
	return nil
}
