package badgerstore

import (
	"github.com/dgraph-io/badger/v4"

	"github.com/parley-im/parley/persistence"
)

// cost is what rows take of a transaction: entries and bytes, both as Badger counts them or a little more.
type cost struct{ entries, bytes int64 }

const (
	entryBytes = 2 + 10 // that Badger adds to a key and its value
	maxKey     = 65_000 // that Badger takes
	eventKey   = 12     // bytes of an event's key
)

// fixed is what any transaction may hold besides the rows of its groups: Badger's own last entry, the clock, and the mark of the redo log.
var fixed = cost{entries: 3, bytes: 192} //nolint:gochecknoglobals // a constant

// owned is what the row of a shard's owner takes at most.
var owned = cost{entries: 1, bytes: 3 + 21 + entryBytes} //nolint:gochecknoglobals // a constant

func entry(key, value int) cost { return cost{1, int64(key + value + entryBytes)} }

func (c cost) plus(d cost) cost { return cost{c.entries + d.entries, c.bytes + d.bytes} }

// fits reports whether a transaction that holds c is one that Badger takes. Its limits are the first values that it refuses.
func (c cost) fits(db *badger.DB) bool {
	return c.entries < db.MaxBatchCount() && c.bytes < db.MaxBatchSize()
}

// costOf returns what a group takes when each of its guards lets its row through, and whether Badger takes each row by itself.
func costOf(g *persistence.Group) (c cost, possible bool) {
	possible = true
	add := func(key, value int) {
		c = c.plus(entry(key, value))
		possible = possible && key <= maxKey && value < maxValue
	}
	for i := range g.Puts {
		add(len(g.Puts[i].Key), len(g.Puts[i].Value))
	}
	for i := range g.Deletes {
		add(len(g.Deletes[i].Key), len(g.Deletes[i].Replace))
	}
	for _, event := range g.Events {
		add(eventKey, len(event))
	}
	if len(g.Events) > 0 {
		c = c.plus(owned)
	}
	return c, possible
}
