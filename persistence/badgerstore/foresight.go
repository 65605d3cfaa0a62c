package badgerstore

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"runtime"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// foresight is what the guards of a batch find in a published snapshot, looked up by the caller of Commit before its turn comes, unless they were seen by somebody before. Most of what a deletion costs is looking up
// whether each of its rows is there and how old it is; this way it is done while the committer writes for others. The committer takes it for the truth only where
// nothing has been written under the key since that snapshot: see recent. It looks for itself where that cannot be said.
type foresight struct {
	groups []groupForesight
}

// groupForesight is what there is under a group's Requires and under the keys of its Deletes, by their index.
type groupForesight struct {
	requires view
	deletes  []view
}

// view is a glance with the number of the snapshot that it is of.
type view struct {
	glance

	snapshot uint64
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

// foresee looks up what the batch's deletions ask for; nil where there is no deletion, or where the snapshot cannot be read: the committer will tell.
func (s *Store) foresee(ctx context.Context, batch *persistence.Batch) *foresight {
	if !slices.ContainsFunc(batch.Groups, isDeletion) {
		return nil
	}
	h, err := s.snapshots.open()
	if err != nil {
		return nil
	}
	defer h.Close()
	f := &foresight{groups: make([]groupForesight, len(batch.Groups))}
	for i := range batch.Groups {
		if i%groupsBetweenYields == 0 {
			runtime.Gosched()
		}
		if g := &batch.Groups[i]; isDeletion(*g) {
			if f.groups[i], err = h.foresee(ctx, g); err != nil {
				return nil
			}
		}
	}
	return f
}

// isDeletion: others have few guards, if any, and the journal would wait for them to be looked up.
func isDeletion(g persistence.Group) bool { return g.Requires != nil }

func (s *snapshot) foresee(ctx context.Context, g *persistence.Group) (f groupForesight, err error) {
	if err := s.begin(ctx); err != nil {
		return f, err
	}
	defer s.end()
	if f.requires, err = s.view(g.Requires, 0, g.Seen); err != nil {
		return f, err
	}
	f.deletes = make([]view, len(g.Deletes))
	for i := range g.Deletes {
		del := &g.Deletes[i]
		if del.IsBlind() {
			continue
		}
		if del.UpTo == 0 && bytes.Equal(del.Key, g.Requires) {
			f.deletes[i] = f.requires
			continue
		}
		if f.deletes[i], err = s.view(del.Key, del.UpTo, del.Seen); err != nil {
			return f, err
		}
	}
	return f, nil
}

// view is a look at one key, unless somebody saw the row.
func (s *snapshot) view(key []byte, upTo persistence.Generation, seen persistence.Sight) (view, error) {
	if seen.Snapshot != 0 {
		return view{glance{sight: present, generation: seen.Generation}, seen.Snapshot}, nil
	}
	g, err := s.glance(key, upTo != 0)
	return view{g, s.published.number}, err
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

// group returns what was foreseen of one group, nil where that is nothing.
func (f *foresight) group(i int) *groupForesight {
	if f == nil {
		return nil
	}
	return &f.groups[i]
}

// ofRequires and ofDelete return a view that has seen nothing where there is none.

func (f *groupForesight) ofRequires() view {
	if f == nil {
		return view{}
	}
	return f.requires
}

func (f *groupForesight) ofDelete(i int) view {
	if f == nil || f.deletes == nil {
		return view{}
	}
	return f.deletes[i]
}

// recent knows since which snapshot keys have not been written: for each slot, the last one that something was written for whose key has that slot. Two keys that share one make a glance
// be taken for stale, which costs a look. Only the committer uses it.
type recent struct {
	seed  maphash.Seed
	slots []uint64
}

// recentSlots is a power of two: so many that few of them are shared by what is written between a judgement and its deletion, some fifty thousand rows. They take four megabytes.
const recentSlots = 1 << 19

func newRecent() *recent {
	return &recent{seed: maphash.MakeSeed(), slots: make([]uint64, recentSlots)}
}

func (r *recent) slot(key []byte) *uint64 { return &r.slots[maphash.Bytes(r.seed, key)%recentSlots] }

// note says that a key is written, or may have been, for a snapshot with this number. The numbers do not fall.
func (r *recent) note(key []byte, number uint64) { *r.slot(key) = number }

// unchanged reports whether it is certain that nothing was written under the key since a snapshot.
func (r *recent) unchanged(key []byte, snapshot uint64) bool { return *r.slot(key) <= snapshot }
