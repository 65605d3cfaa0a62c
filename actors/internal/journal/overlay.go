package journal

import (
	"bytes"
	"slices"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// Lookup returns, for each key of a conversation, the value that is not in the store yet; nil where there is none. All are as of one moment. Values must not
// be changed. A reader takes a snapshot of the store after this call, not before.
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
			if w, ok := r.rows[string(key)]; ok && !w.Delete {
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
			if !w.Delete && bytes.Compare(w.Key, within.Start) >= 0 && bytes.Compare(w.Key, within.End) < 0 {
				rows = append(rows, w)
			}
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

// Dues returns a shard's due entries that are not in the store yet, in no order, those that were superseded left out, and the number of the batch
// that holds the last of them.
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
			if w, ok := j.latest(name, entry.Key); ok && !w.Delete && bytes.Equal(w.Value, entry.Value) {
				entries = append(entries, entry)
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

func (b *batch) record(name string) *record {
	if b == nil {
		return nil
	}
	return b.records[name]
}
