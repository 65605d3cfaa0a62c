package journal

import (
	"bytes"
	"slices"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// Lookup returns, for each key of a conversation, the value that is not in the store yet; nil where there is none, or where the row is to be deleted. All are as of
// one moment. Values must not be changed. A reader takes a snapshot of the store after this call, not before.
func (j *Journal) Lookup(name string, keys ...[]byte) [][]byte {
	values := make([][]byte, len(keys))
	unlock := j.lockWhole(name)
	defer unlock()
	for b := range j.oldestFirst() {
		r := b.records[name]
		if r == nil {
			continue
		}
		for i, key := range keys {
			switch w, ok := r.rows.get(key); {
			case !ok:
			case w.Delete:
				values[i] = nil
			default:
				values[i] = w.Value
			}
		}
	}
	return values
}

// Removed returns which of the rows of a conversation are to be deleted, though the store may still have them: those of which Lookup does not say more than that
// there is nothing to put.
func (j *Journal) Removed(name string, keys ...[]byte) []bool {
	removed := make([]bool, len(keys))
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, key := range keys {
		w, ok := j.latest(name, key)
		removed[i] = ok && w.Delete
	}
	return removed
}

// Pending returns which of the conversations, by their places in names, have rows that are not in the store yet, or that are to be deleted. Of the others, a snapshot taken after
// this call has everything that was added before it.
func (j *Journal) Pending(names []string) (places []int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, name := range names {
		for b := range j.oldestFirst() {
			if b.records[name] != nil {
				places = append(places, i)
				break
			}
		}
	}
	return places
}

// Rows returns the rows of a conversation within a range of keys that are not in the store yet, in no order.
func (j *Journal) Rows(name string, within persistence.Range) []conversation.Write {
	unlock := j.lockWhole(name)
	defer unlock()
	latest := map[string]conversation.Write{}
	for b := range j.oldestFirst() {
		r := b.records[name]
		if r == nil {
			continue
		}
		for _, w := range r.rows.list {
			if bytes.Compare(w.Key, within.Start) >= 0 && bytes.Compare(w.Key, within.End) < 0 {
				latest[string(w.Key)] = w
			}
		}
	}
	var rows []conversation.Write
	for _, w := range latest {
		if !w.Delete {
			rows = append(rows, w)
		}
	}
	return rows
}

// UserRows returns the keys of a user's rows, of whatever conversation, within a range, that are not in the store yet, in order. Those that are to be deleted
// are left out.
func (j *Journal) UserRows(user string, within persistence.Range) (keys [][]byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for b := range j.oldestFirst() {
		for _, at := range b.users[user] {
			key := at.rows.list[at.at].Key
			if bytes.Compare(key, within.Start) < 0 || bytes.Compare(key, within.End) >= 0 {
				continue
			}
			if w, _ := j.latest(at.name, key); !w.Delete {
				keys = append(keys, key)
			}
		}
	}
	slices.SortFunc(keys, bytes.Compare)
	return slices.CompactFunc(keys, bytes.Equal)
}

// Volatile reports whether a conversation has rows that a crash would take back. Rows that a Lookup before has found, and that it would not, are in the store's log, or in the store.
func (j *Journal) Volatile(name string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for b := range j.oldestFirst() {
		if !b.logged && b.records[name] != nil {
			return true
		}
	}
	return false
}

// Stamp returns the lowest stamp of a change that is not durable yet, Never where there is none.
func (j *Journal) Stamp() persistence.Instant {
	j.mu.Lock()
	defer j.mu.Unlock()
	lowest := persistence.Never
	for b := range j.oldestFirst() {
		if !b.logged {
			lowest = min(lowest, b.stamp)
		}
	}
	return lowest
}

// Dropped returns when rows that readers may have seen were last taken out of the journal, because the store will not have them; zero: never.
func (j *Journal) Dropped() persistence.Instant {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.dropped
}

// DueEntry is a due entry that is not in the store yet.
type DueEntry struct{ Key, Value []byte }

// Dues returns a shard's due entries that are not in the store yet, with their last values, in no order, and the number of the batch that holds the last of
// them. An entry may be there twice. Entries that were deleted again are left out, and so are those that are only changed if the store has them.
func (j *Journal) Dues(shard persistence.Shard) (entries []DueEntry, seq uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for b := range j.oldestFirst() {
		for _, entry := range b.dues[shard] {
			name, _, _, err := persistence.ParseDueKey(entry.Key)
			if err != nil {
				continue
			}
			// Where the last write is one to a row that is present, this one made it so.
			if w, ok := j.latest(name, entry.Key); ok && !w.Delete {
				entries = append(entries, DueEntry{Key: w.Key, Value: w.Value})
			}
		}
	}
	return entries, j.seq()
}

// latest returns the last write of a row. j.mu is held.
func (j *Journal) latest(name string, key []byte) (last conversation.Write, ok bool) {
	for b := range j.oldestFirst() {
		if r := b.records[name]; r != nil {
			if w, here := r.rows.get(key); here {
				last, ok = w, true
			}
		}
	}
	return last, ok
}
