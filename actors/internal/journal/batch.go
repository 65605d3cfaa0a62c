package journal

import (
	"slices"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// batch is the rows of one flush: for each conversation the last value of each row that changed.
type batch struct {
	seq     uint64
	records map[string]*record
	order   []*record                        // as they first changed
	users   map[string][]place               // whose rows stand where
	dues    map[persistence.Shard][]DueEntry // put by this batch, though perhaps deleted again
	waiters []waiting                        // for it to be durable
	stored  []waiting                        // for it to be in the store
	rows    int
	bytes   int
	oldest  persistence.Instant // when the first change was added
	began   persistence.Instant // when the first attempt to write it was made; zero: none was. Only the journal's goroutine uses it.
	stamp   persistence.Instant // the lowest of all changes'
	touched bool                // something was added, though perhaps dropped again
	noted   bool                // watchers are to be told of something

	logged   bool                 // it is durable
	position persistence.Position // of the log, that it covers once it is in the store; zero: it has none
	written  int                  // bytes of rows in the log
}

// waiting is someone who waits for a batch, for the sake of one conversation.
type waiting struct {
	name string
	Waiter
}

// place is where a row is found in a batch.
type place struct {
	*record

	at int
}

// record is a conversation's part of a batch.
type record struct {
	name  string
	shard persistence.Shard
	rows  rows
	bytes int
	// changes is what watchers are told of it: one for each generation, in their order, and another one for what was added once those were in the store.
	changes []noted
	live    *Live // who owes it rows that are yet to be encoded; nil: nobody does
	owed    int   // how many: they are among the batch's rows and bytes, by a guess
	// failures counts how often the store failed to take this record by itself while it took others.
	failures int
	logged   bool // some of it is: it is not given up soon
}

func newBatch(seq uint64) *batch {
	return &batch{
		seq:     seq,
		records: map[string]*record{},
		users:   map[string][]place{},
		dues:    map[persistence.Shard][]DueEntry{},
		stamp:   persistence.Never,
	}
}

// How much of one conversation a batch takes: it is one group, which a store must be able to write in one transaction.
const (
	maxRecordRows  = 8_000
	maxRecordBytes = 1 << 20
)

// fits reports whether a batch has room for more rows of a conversation, which has this record in it. One that has none yet always fits: no single change is as large.
func (r *record) fits(rows int) bool {
	return r == nil || (len(r.rows.list)+r.owed+rows <= maxRecordRows && r.bytes < maxRecordBytes)
}

// add merges a conversation's writes: the last value of a row replaces those before it. It returns the conversation's record, which
// has room for as many more as are said to follow.
func (b *batch) add(name string, shard persistence.Shard, writes []conversation.Write, more int) *record {
	b.touched = true
	r := b.records[name]
	if r == nil {
		r = &record{name: name, shard: shard, rows: rows{list: make([]conversation.Write, 0, len(writes)+more)}}
		b.records[name] = r
		b.order = append(b.order, r)
	}
	for _, w := range writes {
		b.put(r, w)
	}
	return r
}

// owedBytes stands for a row that is yet to be encoded.
const owedBytes = 256

// count changes how many rows a record is owed.
func (b *batch) count(r *record, n int) {
	r.owed += n
	b.rows += n
	b.bytes += n * owedBytes
	r.bytes += n * owedBytes
}

func (b *batch) put(r *record, w conversation.Write) {
	if at := r.rows.find(w.Key); at >= 0 {
		old := &r.rows.list[at]
		b.bytes -= size(*old)
		r.bytes -= size(*old)
		if w.IfPresent && !old.IfPresent {
			if old.Delete {
				w = *old // it will not be present
			}
			w.IfPresent = false
		}
		*old = w
		b.index(r, &w)
	} else {
		b.rows++
		b.list(r, r.rows.add(w))
	}
	b.bytes += size(w)
	r.bytes += size(w)
}

// rowOverhead stands for what a row costs in memory besides its bytes: its place in the maps.
const rowOverhead = 128

func size(w conversation.Write) int { return len(w.Key) + len(w.Value) + rowOverhead }

// absorb merges a later batch, to which nobody owes any rows, into this one, which then stands for both. It reports false, and does nothing, where that would make a record too large.
func (b *batch) absorb(later *batch) bool {
	into := make([]*record, len(later.order))
	for i, r := range later.order {
		if into[i] = b.records[r.name]; !into[i].fits(len(r.rows.list)) {
			return false
		}
	}
	for i, r := range later.order {
		if into[i] == nil {
			b.adopt(r)
			continue
		}
		for _, w := range r.rows.list {
			b.put(into[i], w)
		}
		into[i].logged = into[i].logged || r.logged
		for k := range r.changes {
			into[i].note(r.changes[k].Change)
		}
	}
	b.waiters = append(b.waiters, later.waiters...)
	b.stored = append(b.stored, later.stored...)
	b.stamp = min(b.stamp, later.stamp)
	b.touched, b.noted = b.touched || later.touched, b.noted || later.noted
	b.written += later.written
	b.position = max(b.position, later.position)
	b.seq = later.seq
	return true
}

// adopt takes a record from another batch, which is let go.
func (b *batch) adopt(r *record) {
	b.records[r.name] = r
	b.order = append(b.order, r)
	b.rows += len(r.rows.list)
	b.bytes += r.bytes
	for i := range r.rows.list {
		b.list(r, i)
	}
}

// list notes where a row stands that was not in the batch.
func (b *batch) list(r *record, at int) {
	w := &r.rows.list[at]
	if w.User != "" {
		b.users[w.User] = append(b.users[w.User], place{r, at})
	}
	b.index(r, w)
}

// index notes a due entry.
func (b *batch) index(r *record, w *conversation.Write) {
	if !w.Delete && !w.IfPresent && persistence.KindOf(w.Key) == persistence.KindDue {
		b.dues[r.shard] = append(b.dues[r.shard], DueEntry{Key: w.Key, Value: w.Value})
	}
}

// remove takes a conversation's record out, to which nobody owes any rows.
func (b *batch) remove(name string) {
	r := b.records[name]
	if r == nil {
		return
	}
	delete(b.records, name)
	b.order = slices.DeleteFunc(b.order, func(other *record) bool { return other == r })
	for _, w := range r.rows.list {
		b.bytes -= size(w)
		b.rows--
		if w.User != "" {
			b.users[w.User] = slices.DeleteFunc(b.users[w.User], func(at place) bool { return at.record == r })
		}
	}
}

// group returns the record as the store takes it.
func (r *record) group(epoch persistence.Epoch) persistence.Group {
	g := persistence.Group{Shard: r.shard, Epoch: epoch, Puts: make([]persistence.Put, 0, len(r.rows.list))}
	for i := range r.rows.list {
		if w := &r.rows.list[i]; w.Delete {
			g.Deletes = append(g.Deletes, persistence.Delete{Key: w.Key, Blind: true})
		} else {
			g.Puts = append(g.Puts, persistence.Put{Key: w.Key, Value: w.Value, IfPresent: w.IfPresent})
		}
	}
	return g
}
