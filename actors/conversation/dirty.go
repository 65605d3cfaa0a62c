package conversation

import (
	"github.com/parley-im/parley/persistence"
)

// dirty is which rows of a State have changed since they were last encoded: a row that changes a hundred times between two flushes is encoded once.
type dirty struct {
	members    int32 // how many memberships, of which each is marked
	head, tail bool
}

// Dirty returns how many rows have changed since they were last taken by [State.TakeDirty].
func (s *State) Dirty() int {
	n := int(s.dirty.members)
	if s.dirty.head {
		n++
	}
	if s.dirty.tail {
		n++
	}
	return n
}

// TakeDirty returns the rows that changes have left dirty, as they are by now: the head, the tail and memberships. Together with all Writes of the outcomes so far they are what all
// changes come to; without them the rows are not whole. They share their memory.
func (s *State) TakeDirty() []Write {
	n := s.Dirty()
	if n == 0 {
		return nil
	}
	rows, writes := encodings.Get().(*encoding), make([]Write, 0, n) //nolint:forcetypeassert,errcheck // nothing else is put into it
	defer encodings.Put(rows)
	if s.dirty.head {
		rows.bytes = persistence.AppendHeadKey(rows.bytes, s.name)
		key := len(rows.bytes)
		rows.bytes = s.head.Append(rows.bytes)
		writes = rows.add(writes, key, "")
	}
	if s.dirty.tail {
		rows.bytes = persistence.AppendTailKey(rows.bytes, s.name)
		key := len(rows.bytes)
		rows.bytes = s.tail.Append(rows.bytes)
		writes = rows.add(writes, key, "")
	}
	for i := 0; s.dirty.members > 0; i++ {
		m := &s.members.list[i]
		if !m.dirty {
			continue
		}
		m.dirty = false
		s.dirty.members--
		rows.bytes = persistence.AppendMembershipKey(rows.bytes, m.user, s.name)
		key := len(rows.bytes)
		rows.bytes = m.Append(rows.bytes)
		writes = rows.add(writes, key, m.user)
	}
	rows.settle(writes)
	s.dirty = dirty{}
	return writes
}

// soilHead marks the head to be written.
func (s *State) soilHead(out *Outcome) {
	s.dirty.head = true
	out.Dirtied++
}

func (s *State) soilTail(out *Outcome) {
	s.dirty.tail = true
	out.Dirtied++
}

// soilMember marks a user's membership to be written, which is known.
func (s *State) soilMember(out *Outcome, user string) {
	if m := &s.members.list[s.members.find(user)]; !m.dirty {
		m.dirty = true
		s.dirty.members++
	}
	out.Dirtied++
}

// cleanMember takes the mark away that a membership is to be written.
func (s *State) cleanMember(user string) {
	if i := s.members.find(user); i >= 0 && s.members.list[i].dirty {
		s.members.list[i].dirty = false
		s.dirty.members--
	}
}
