package conversation

import (
	"slices"

	"github.com/parley-im/parley/persistence"
)

// dirty is which rows of a State have changed since they were last encoded: a row that changes a hundred times between two flushes is encoded once.
type dirty struct {
	head, tail bool
	users      names // whose memberships
}

// Dirty returns how many rows have changed since they were last taken by [State.TakeDirty].
func (s *State) Dirty() int {
	n := s.dirty.users.len()
	if s.dirty.head {
		n++
	}
	if s.dirty.tail {
		n++
	}
	return n
}

// TakeDirty returns the rows that changes have left dirty, as they are by now: the head, the tail and memberships. Together with all Writes of the outcomes so far they are what all
// changes come to; without them the rows are not whole.
func (s *State) TakeDirty() []Write {
	n := s.Dirty()
	if n == 0 {
		return nil
	}
	writes := make([]Write, 0, n)
	if s.dirty.head {
		writes = append(writes, Write{Key: persistence.HeadKey(s.name), Value: s.head.Encode()})
	}
	if s.dirty.tail {
		writes = append(writes, Write{Key: persistence.TailKey(s.name), Value: s.tail.Encode()})
	}
	for user := range s.dirty.users.each {
		writes = append(writes, Write{Key: persistence.MembershipKey(user, s.name), Value: s.members.get(user).Encode(), User: user})
	}
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

func (s *State) soilMember(out *Outcome, user string) {
	s.dirty.users.add(user)
	out.Dirtied++
}

// fewNames is how many names are looked through one by one.
const fewNames = 8

// names is a set of names, in the order in which they came.
type names struct {
	list  []string
	index map[string]struct{} // where there are many
}

func (n *names) len() int { return len(n.list) }

func (n *names) has(name string) bool {
	if n.index != nil {
		_, has := n.index[name]
		return has
	}
	return slices.Contains(n.list, name)
}

func (n *names) add(name string) {
	if n.has(name) {
		return
	}
	n.list = append(n.list, name)
	if n.index != nil {
		n.index[name] = struct{}{}
	} else {
		n.reindex()
	}
}

// reindex makes the index be of the list.
func (n *names) reindex() {
	n.index = nil
	if len(n.list) <= fewNames {
		return
	}
	n.index = make(map[string]struct{}, 2*len(n.list))
	for _, name := range n.list {
		n.index[name] = struct{}{}
	}
}

// remove takes a name out, if it is there. The list is another one then: whoever kept the one before still has it.
func (n *names) remove(name string) {
	if i := slices.Index(n.list, name); i >= 0 {
		n.list = slices.Concat(n.list[:i], n.list[i+1:])
		n.reindex()
	}
}

func (n *names) each(yield func(string) bool) {
	for _, name := range n.list {
		if !yield(name) {
			return
		}
	}
}
