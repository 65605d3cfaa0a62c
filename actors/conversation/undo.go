package conversation

import (
	"slices"

	"github.com/parley-im/parley/persistence"
)

// undo is what a State was before a change: one that panics half-way leaves no trace, so that the changes before it, which may be nowhere but in memory, are not lost with it.
type undo struct {
	state   State                    // but for what its fields refer to
	marks   [2]persistence.MarkWords // what those of state.tail refer to
	senders []placed
	begun   bool                              // the change has begun a generation: head and tail are others
	members map[string]persistence.Membership // all that were in memory, where the change cuts all
}

// placed is who had sent a message, by the message's place among the tail's senders.
type placed struct {
	seq  uint64
	user string
}

// begin keeps what is copied in any case.
func (u *undo) begin(s *State) {
	u.state = *s
	for i, words := range u.state.marked() {
		if words != nil {
			u.marks[i] = *words
		}
	}
}

// marked returns the tail's marks that were there before.
func (s *State) marked() [2]*persistence.MarkWords {
	return [...]*persistence.MarkWords{s.tail.Uncounted.Words(), s.tail.Everyone.Words()}
}

// keepSenders keeps the senders at the places of the messages after one, up to another.
func (u *undo) keepSenders(t *persistence.Tail, after, upTo uint64) {
	if upTo-after > persistence.TailSenders {
		after = upTo - persistence.TailSenders
	}
	for seq := after + 1; seq <= upTo; seq++ {
		u.senders = append(u.senders, placed{seq, t.Senders.Of(seq)})
	}
}

// keepAllSenders keeps all of them.
func (u *undo) keepAllSenders(t *persistence.Tail) { u.keepSenders(t, 0, persistence.TailSenders) }

// keepMembers keeps all memberships that are in memory.
func (u *undo) keepMembers(s *State) {
	u.members = make(map[string]persistence.Membership, s.members.len())
	for _, m := range s.members.list {
		if m.Membership != nil {
			u.members[m.user] = *m.Membership
		}
	}
}

// restore makes the State what it was.
func (u *undo) restore(s *State, changed *touchedSet) {
	senders := s.tail.Senders
	*s = u.state
	for i, words := range s.marked() {
		if words != nil {
			*words = u.marks[i]
		}
	}
	if u.begun {
		return // what is touched since is the next generation's
	}
	s.tail.Senders = senders
	for _, p := range slices.Backward(u.senders) {
		s.tail.Senders.Set(p.seq, p.user)
	}
	for user, m := range u.members {
		*s.members.get(user) = m
	}
	for i := range changed.all {
		t := &changed.all[i]
		switch {
		case t.held != nil:
			*t.held = t.copied
			s.members.set(t.user, t.held)
		case t.unknown:
			delete(s.members.places, t.user) // the list is without it again
		default:
			s.members.set(t.user, nil)
		}
		if !t.unknown {
			s.members.list[s.members.find(t.user)].dirty = t.dirty
		}
	}
}

// reset lets go of what is not overwritten by the next change.
func (u *undo) reset() { u.senders, u.begun, u.members = u.senders[:0], false, nil }
