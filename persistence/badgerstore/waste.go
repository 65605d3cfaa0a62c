package badgerstore

import (
	"bytes"

	"github.com/dgraph-io/badger/v4"
)

// lastLevel is where Badger's compactions end.
const lastLevel = 6

// waste is what of the tables is of no more use, as far as the tables themselves tell. Badger counts the bytes of deletions in each table that a compaction
// made; what they delete lies in tables below, of which only the average row is known.
type waste struct {
	tables   int64    // bytes of all tables
	upper    int64    // of those above the last level
	row      float64  // bytes of an average row of the last level
	shadowed int64    // rows of the last level whose deletion lies above it, and the deletions: what flattening gives back
	stuck    int64    // in the last level, deletions that a snapshot held back when they got there, and what they delete: what flattening leaves
	touch    [][]byte // a key of each table with something stuck
	held     int64    // what would be shadowed or stuck, if no snapshot needed it
}

// judge estimates what tables waste. deletions says how much of a table of level 0 they are, 0 to 1: Badger does not count them there. horizon is what the
// oldest snapshot sees: compactions keep what is newer than that, and what that replaces.
func judge(tables []badger.TableInfo, deletions func(id uint64) float64, horizon uint64) waste {
	var w waste
	var bottom, bottomRows, all, allRows int64
	for i := range tables {
		t := &tables[i]
		all, allRows = all+int64(t.OnDiskSize), allRows+int64(t.KeyCount)
		if t.Level == lastLevel {
			bottom, bottomRows = bottom+int64(t.OnDiskSize), bottomRows+int64(t.KeyCount)
		}
	}
	w.tables, w.upper = all, all-bottom
	switch {
	case bottomRows > 0:
		w.row = float64(bottom) / float64(bottomRows)
	case allRows > 0:
		w.row = float64(all) / float64(allRows)
	}
	var shadowed, own, heldShadow float64 // own: the deletions themselves
	for i := range tables {
		t := &tables[i]
		share := deletedShare(t)
		if t.Level == 0 {
			share = deletions(t.ID)
		}
		rows := share * float64(t.KeyCount)
		free := t.MaxVersion <= horizon
		switch {
		case t.Level == lastLevel:
			// Next to each deletion lies what it deletes.
			dead := int64(min(1, 2*share) * float64(t.OnDiskSize))
			if !free {
				w.held += dead
			} else if dead > 0 {
				w.stuck += dead
				w.touch = append(w.touch, userKey(t.Left))
			}
		case free:
			shadowed += rows * w.row
			own += share * float64(t.OnDiskSize)
		default:
			heldShadow += rows * w.row
		}
	}
	// No more can be shadowed than there is.
	shadowed = min(shadowed, float64(bottom-w.stuck-w.held))
	w.shadowed = int64(shadowed + own)
	w.held += int64(min(heldShadow, float64(bottom)-shadowed-float64(w.stuck+w.held)))
	return w
}

// deletedShare is how many of a table's rows are deletions, 0 to 1. Badger counts each as its key and 8 bytes.
func deletedShare(t *badger.TableInfo) float64 {
	if t.StaleDataSize == 0 || t.KeyCount == 0 {
		return 0
	}
	key := float64(len(t.Left)+len(t.Right)) / 2
	return min(1, float64(t.StaleDataSize)/(key+8)/float64(t.KeyCount))
}

// userKey is a key without the version that Badger puts behind it.
func userKey(key []byte) []byte { return bytes.Clone(key[:max(0, len(key)-8)]) }

// total is what maintenance can give back.
func (w *waste) total() int64 { return w.shadowed + w.stuck }

// live is what is left of the tables then, and once no snapshot is held.
func (w *waste) live() int64 { return max(0, w.tables-w.total()-w.held) }
