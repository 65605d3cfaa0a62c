package badgerstore

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// foresight is what the guards of a batch find in a published snapshot, looked up by the caller of Commit before its turn comes. Most of what a deletion costs is looking up whether
// each of its rows is there and how old it is; this way it is done while the committer writes for others. The committer takes a glance for the truth only where
// nothing has been written under the key since that snapshot: see recent. It looks for itself where that cannot be said.
type foresight struct {
	snapshot uint64 // its number
	groups   []groupForesight
}

// groupForesight is what there is under a group's Requires and under the keys of its Deletes, by their index.
type groupForesight struct {
	requires glance
	deletes  []glance
}

// glance is what was found under one key.
type glance struct {
	sight      sight
	generation persistence.Generation // where it was asked for and the row is there
}

type sight uint8

const (
	unseen sight = iota
	absent
	present
)

// foresee looks up what the batch's deletions ask for, as far as the caller has not seen it; nil where there is no deletion, or where the snapshot cannot be read: the committer will tell.
func (s *Store) foresee(ctx context.Context, batch *persistence.Batch) *foresight {
	if !slices.ContainsFunc(batch.Groups, isDeletion) {
		return nil
	}
	h, seen := batch.Seen.(*snapshot)
	if seen = seen && h.all == s.snapshots; !seen {
		var err error
		if h, err = s.snapshots.open(); err != nil {
			return nil
		}
		defer h.Close()
	}
	f := &foresight{snapshot: h.published.number, groups: make([]groupForesight, len(batch.Groups))}
	for i := range batch.Groups {
		if g := &batch.Groups[i]; isDeletion(*g) {
			var err error
			if f.groups[i], err = h.foresee(ctx, g, seen); err != nil {
				return nil
			}
		}
	}
	return f
}

// isDeletion: others have few guards, if any, and the journal would wait for them to be looked up.
func isDeletion(g persistence.Group) bool { return g.Requires != nil }

// foresee looks up what a group asks for. Where seen is set, what its Deletes say was found is in this snapshot.
func (s *snapshot) foresee(ctx context.Context, g *persistence.Group, seen bool) (f groupForesight, err error) {
	if err := s.begin(ctx); err != nil {
		return f, err
	}
	defer s.end()
	if f.requires, err = s.glance(g.Requires, false); err != nil {
		return f, err
	}
	f.deletes = make([]glance, len(g.Deletes))
	for i := range g.Deletes {
		switch del := &g.Deletes[i]; {
		case seen && del.Found != 0:
			f.deletes[i] = glance{sight: present, generation: del.Found}
		case del.UpTo == 0 && bytes.Equal(del.Key, g.Requires):
			f.deletes[i] = f.requires
		default:
			if f.deletes[i], err = s.glance(del.Key, del.UpTo != 0); err != nil {
				return f, err
			}
		}
	}
	return f, nil
}

// glance looks up one key. A row whose generation cannot be read is left to the committer, which says what is wrong with it.
func (s *snapshot) glance(key []byte, generation bool) (g glance, err error) {
	if cache := s.all.cache; cache.keeps(key) {
		if value, ok := cache.get(key, s.published.number); ok {
			return glanceAt(value, generation), nil
		}
	}
	item, err := s.published.txn.Get(key)
	switch {
	case errors.Is(err, badger.ErrKeyNotFound):
		return glance{sight: absent}, nil
	case err != nil:
		return glance{}, err
	case !generation:
		return glance{sight: present}, nil
	}
	err = item.Value(func(value []byte) error {
		g = glanceAt(value, true)
		return nil
	})
	return g, err
}

func glanceAt(value []byte, generation bool) glance {
	if !generation {
		return glance{sight: present}
	}
	of, err := persistence.GenerationOf(value)
	if err != nil {
		return glance{}
	}
	return glance{sight: present, generation: of}
}

// group returns what was foreseen of one group.
func (f *foresight) group(i int) groupView {
	if f == nil {
		return groupView{}
	}
	return groupView{snapshot: f.snapshot, groupForesight: &f.groups[i]}
}

// groupView is a group's foresight, with the snapshot that it is of. The zero groupView has seen nothing.
type groupView struct {
	*groupForesight

	snapshot uint64
}

// view is a glance with the snapshot that it is of.
type view struct {
	glance

	snapshot uint64
}

func (v groupView) requires() view {
	if v.groupForesight == nil {
		return view{}
	}
	return view{v.groupForesight.requires, v.snapshot}
}

func (v groupView) delete(i int) view {
	if v.groupForesight == nil || v.deletes == nil {
		return view{}
	}
	return view{v.deletes[i], v.snapshot}
}

// recent knows since which snapshot keys have not been written: for each slot, the last one that something was written for whose key has that slot. Two keys that share one make a glance
// be taken for stale, which costs a look. Only the committer uses it.
type recent struct {
	seed  maphash.Seed
	slots []uint64
}

// recentSlots is a power of two. It takes a megabyte.
const recentSlots = 1 << 17

func newRecent() *recent {
	return &recent{seed: maphash.MakeSeed(), slots: make([]uint64, recentSlots)}
}

func (r *recent) slot(key []byte) *uint64 { return &r.slots[maphash.Bytes(r.seed, key)%recentSlots] }

// note says that a key is written, or may have been, for a snapshot with this number. The numbers do not fall.
func (r *recent) note(key []byte, number uint64) { *r.slot(key) = number }

// unchanged reports whether it is certain that nothing was written under the key since a snapshot.
func (r *recent) unchanged(key []byte, snapshot uint64) bool { return *r.slot(key) <= snapshot }
