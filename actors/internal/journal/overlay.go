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
	for _, b := range [...]*batch{j.flying, j.open} {
		r := b.record(name)
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
	var rows []conversation.Write
	for _, b := range [...]*batch{j.flying, j.open} {
		r := b.record(name)
		if r == nil {
			continue
		}
		for _, w := range r.rows {
			if w.Delete || bytes.Compare(w.Key, within.Start) < 0 || bytes.Compare(w.Key, within.End) >= 0 {
				continue
			}
			if b == j.flying && j.open.has(name, w.Key) {
				continue // superseded
			}
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
	for _, b := range [...]*batch{j.flying, j.open} {
		if b == nil {
			continue
		}
		for name := range b.users[user] {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// DueEntry is a due entry that is not in the store yet.
type DueEntry struct{ Key, Value []byte }

// Dues returns a shard's due entries that are not in the store yet, with their last values, in no order, and the number of the batch that holds the last of
// them. An entry may be there twice. Entries that were deleted again are left out, and so are those that are only changed if the store has them.
func (j *Journal) Dues(shard persistence.Shard) (entries []DueEntry, seq uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, b := range [...]*batch{j.flying, j.open} {
		if b == nil {
			continue
		}
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
func (j *Journal) latest(name string, key []byte) (conversation.Write, bool) {
	for _, b := range [...]*batch{j.open, j.flying} {
		if r := b.record(name); r != nil {
			if w, ok := r.rows[string(key)]; ok {
				return w, true
			}
		}
	}
	return conversation.Write{}, false
}

// has reports whether the batch writes or deletes a row.
func (b *batch) has(name string, key []byte) bool {
	r := b.record(name)
	if r == nil {
		return false
	}
	_, ok := r.rows[string(key)]
	return ok
}

func (b *batch) record(name string) *record {
	if b == nil {
		return nil
	}
	return b.records[name]
}
