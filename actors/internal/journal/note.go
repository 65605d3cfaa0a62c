package journal

import (
	"cmp"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// MaxUsers is how many users a [Change] names; where there are more, it is said to be for everyone.
const MaxUsers = 16

// Note is what watchers are told of one change.
type Note struct {
	Kinds                        uint16 // a bit for each kind of change, of the caller's choice; 0: watchers are told nothing
	Generation, Version, LastSeq uint64
	Everyone                     bool     // all members may see it, not only those whose rows it writes
	Origin                       string   // of the proposal
	Users                        []string // whose memberships changed
	// Stamp is when the change was applied, as its rows have it; zero where they have none. It is not told.
	Stamp persistence.Instant
}

// Change is what watchers are told of all that one batch does to one generation of a conversation: the note's numbers are those of the last change, its Origin is that
// of all of them, or "", and its Users are in no order; none where it is for everyone.
type Change struct {
	Note

	Conversation string
	Shard        persistence.Shard
	// NextEvent is the number that the shard's next event had when the change was committed: events with lower numbers came before it, all others after it.
	NextEvent uint64
}

func newChange(name string, shard persistence.Shard, note Note) Change {
	c := Change{Note: note, Conversation: name, Shard: shard}
	c.Users = nil
	for _, user := range note.Users {
		c.name(user)
	}
	return c
}

func (c *Change) name(user string) {
	switch {
	case c.Everyone || slices.Contains(c.Users, user):
	case len(c.Users) == MaxUsers:
		c.Everyone, c.Users = true, nil
	default:
		c.Users = append(c.Users, user)
	}
}

// merge makes c stand for a later change of the same generation, too.
func (c *Change) merge(later *Change) {
	c.Kinds |= later.Kinds
	c.Version, c.LastSeq = later.Version, later.LastSeq
	if c.Origin != later.Origin {
		c.Origin = ""
	}
	if later.Everyone {
		c.Everyone, c.Users = true, nil
	}
	for _, user := range later.Users {
		c.name(user)
	}
}

// noted is a change of a record.
type noted struct {
	Change

	inStore bool // NextEvent is known: what comes later is another change
}

// note adds a change to what watchers are told of the record.
func (r *record) note(c Change) {
	if n := len(r.changes); n > 0 && r.changes[n-1].Generation == c.Generation && !r.changes[n-1].inStore {
		r.changes[n-1].merge(&c)
		return
	}
	r.changes = append(r.changes, noted{Change: c})
}

// placed says where the commit that the record was in stands among the shard's events. A record may be written again, with changes that came later: those before keep their place.
func (r *record) placed(nextEvent uint64) {
	for i := range r.changes {
		if c := &r.changes[i]; !c.inStore {
			c.NextEvent, c.inStore = nextEvent, true
		}
	}
}

// changes returns what watchers are told of the batch once it is in the store. The parts of a batch that was hard to write may have been committed in any order, with
// events in between: those of a shard are put into the order of their commits.
func (b *batch) changes() []Change {
	var all []Change
	for _, r := range b.order {
		for i := range r.changes {
			all = append(all, r.changes[i].Change)
		}
	}
	slices.SortStableFunc(all, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.NextEvent, b.NextEvent))
	})
	return all
}
