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
	j.mu.Lock()
	defer j.mu.Unlock()
	for b := range j.oldestFirst() {
		r := b.records[name]
		if r == nil {
			continue
		}
		for i, key := range keys {
			switch w, ok := r.rows[string(key)]; {
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

// Rows returns the rows of a conversation within a range of keys that are not in the store yet, in no order.
func (j *Journal) Rows(name string, within persistence.Range) []conversation.Write {
	j.mu.Lock()
	defer j.mu.Unlock()
	latest := map[string]conversation.Write{}
	for b := range j.oldestFirst() {
		r := b.records[name]
		if r == nil {
			continue
		}
		for key, w := range r.rows {
			if bytes.Compare(w.Key, within.Start) >= 0 && bytes.Compare(w.Key, within.End) < 0 {
				latest[key] = w
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

// Conversations returns the conversations of which a user has rows that are not in the store yet, in no order.
func (j *Journal) Conversations(user string) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var names []string
	for b := range j.oldestFirst() {
		for _, r := range b.users[user] {
			names = append(names, r.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
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
			if w, here := r.rows[string(key)]; here {
				last, ok = w, true
			}
		}
	}
	return last, ok
}
