package actors

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// ReadCost is what an answer about a user's conversations took to find.
type ReadCost struct {
	Entries       int // of the user's index that were gone through
	Merged        int // among them, those of conversations with large rosters, and of kept ones: every page goes through all of them
	Conversations int // of which the rows were read
	Rows          int // read from the store
	Pending       int // among them, found in the journal as well: not in the store yet
	Volatile      int // among those, of conversations with changes that are not durable yet
}

func (c *ReadCost) add(other *ReadCost) {
	c.Entries += other.Entries
	c.Merged += other.Merged
	c.Conversations += other.Conversations
	c.Rows += other.Rows
	c.Pending += other.Pending
	c.Volatile += other.Volatile
}

// entry is what a user's index has of a conversation.
type entry struct {
	at   persistence.Instant // zero: the entry has none
	name string
}

// namesOf returns the names of the conversations that entries lead to.
func namesOf(entries []entry) []string {
	names := make([]string, len(entries))
	for i := range entries {
		names[i] = entries[i].name
	}
	return names
}

// index is a user's entries of all kinds as of one moment: what moves from one kind to another while a reader goes through them is found as one of the two.
type index struct {
	user     string
	pending  [][]byte // keys that were not in the store yet, in order
	snapshot persistence.Snapshot
	cost     *ReadCost
}

// index opens a user's index, which must be closed. Those entries that are not in the store yet are asked for first, so that one which goes there meanwhile is in at least one
// of the two; one that was moved meanwhile may be at its old place and its new one.
func (e *Engine) index(user string, cost *ReadCost) (*index, error) {
	x := &index{user: user, pending: e.journal.UserRows(user, persistence.UserEntriesRange(user)), cost: cost}
	var err error
	x.snapshot, err = e.store.Snapshot()
	return x, err
}

func (x *index) close() { x.snapshot.Close() }

// entries yields the entries of a kind with instants from `newest` back to `oldest`, newest first.
func (x *index) entries(ctx context.Context, kind persistence.EntryKind, newest, oldest persistence.Instant) iter.Seq2[entry, error] {
	return x.within(ctx, persistence.EntriesRange(x.user, kind, newest, oldest))
}

// within yields the entries of ranges that are as [persistence.Snapshot] wants them, in the order of their keys.
func (x *index) within(ctx context.Context, ranges ...persistence.Range) iter.Seq2[entry, error] {
	var pending [][]byte
	for _, r := range ranges {
		start, _ := slices.BinarySearchFunc(x.pending, r.Start, bytes.Compare)
		end, _ := slices.BinarySearchFunc(x.pending, r.End, bytes.Compare)
		pending = append(pending, x.pending[start:end]...)
	}
	return func(yield func(entry, error) bool) {
		pending := pending
		give := func(key []byte) bool {
			_, kind, at, name, err := persistence.ParseEntryKey(key)
			x.cost.Entries++
			if kind == persistence.EntryMerged {
				x.cost.Merged++
			}
			return yield(entry{at, name}, err) && err == nil
		}
		for row, err := range x.snapshot.Scan(ctx, ranges...) {
			if err != nil {
				yield(entry{}, err)
				return
			}
			for len(pending) > 0 && bytes.Compare(pending[0], row.Key) < 0 {
				if !give(pending[0]) {
					return
				}
				pending = pending[1:]
			}
			if len(pending) > 0 && bytes.Equal(pending[0], row.Key) {
				pending = pending[1:]
			}
			if !give(row.Key) {
				return
			}
		}
		for _, key := range pending {
			if !give(key) {
				return
			}
		}
	}
}

// forever is later than any instant that an entry has.
const forever = persistence.Never
