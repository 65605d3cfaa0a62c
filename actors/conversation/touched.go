package conversation

import (
	"cmp"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// touched is a membership that a change has touched.
type touched struct {
	user   string
	before before
	held   *persistence.Membership // where it stands, or stood; nil: there was none
	copied persistence.Membership  // what it was
	// unknown: it was not known to be none: a complete State does not name those who are no members.
	unknown bool
	dirty   bool // it was
}

// touchedSet is the memberships that a change has touched.
type touchedSet struct {
	all    []touched
	places map[string]int // in all; where there are many
	sorted bool
}

func (t *touchedSet) find(user string) *touched {
	if t.sorted {
		i, found := slices.BinarySearchFunc(t.all, user, func(e touched, user string) int { return cmp.Compare(e.user, user) })
		if !found {
			return nil
		}
		return &t.all[i]
	}
	if t.places != nil {
		if i, ok := t.places[user]; ok {
			return &t.all[i]
		}
		return nil
	}
	for i := range t.all {
		if t.all[i].user == user {
			return &t.all[i]
		}
	}
	return nil
}

// add takes in a membership that is not there yet, before it is touched.
func (t *touchedSet) add(e touched) {
	if e.held != nil {
		e.copied = *e.held
	}
	t.all = append(t.all, e)
	switch {
	case t.places != nil:
		t.places[e.user] = len(t.all) - 1
	case len(t.all) > fewNames:
		t.places = make(map[string]int, 2*fewNames)
		for i := range t.all {
			t.places[t.all[i].user] = i
		}
	}
}

// sort puts them into the order of the users' names. Nothing is added after that.
func (t *touchedSet) sort() {
	if len(t.all) > 1 {
		slices.SortFunc(t.all, func(a, b touched) int { return cmp.Compare(a.user, b.user) })
	}
	t.sorted = true
}

// reset makes it empty, and keeps room for a few.
func (t *touchedSet) reset() {
	clear(t.all)
	t.all, t.places, t.sorted = t.all[:0], nil, false
	if cap(t.all) > 2*fewNames {
		t.all = nil
	}
}
