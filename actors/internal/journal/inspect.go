package journal

import (
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// Inspection is what a journal has of one conversation, as of one moment.
type Inspection struct {
	Rows   map[string]conversation.Write // by key: the last writes of those rows that were asked for; they must not be changed
	Counts map[persistence.Kind]int      // how many rows of each kind are to be written or deleted
	Bytes  int
	Age    persistence.Instant // when the oldest batch with any of them was begun; zero: there are none
	Batch  uint64              // the last batch with any of them; 0: there are none
	// Writing: a batch with some of them is being written, and may be in the store.
	Writing bool
	// Durable: all of them are in the store's log, so that a crash takes none of them back.
	Durable bool
	Barred  error  // why nothing of the conversation is taken, nil where it is
	Open    uint64 // the batch that takes what is added from now on: see Settled
}

// Inspect returns what is not in the store yet of a conversation, and those rows that keep returns true for. It is called with the journal locked and must be quick.
func (j *Journal) Inspect(name string, keep func(w conversation.Write) bool) Inspection {
	unlock := j.lockWhole(name)
	defer unlock()
	i := Inspection{Rows: map[string]conversation.Write{}, Counts: map[persistence.Kind]int{}, Open: j.open.seq}
	if barred := j.barred[name]; barred != nil {
		i.Barred = barred
	}
	for b := range j.oldestFirst() {
		r := b.records[name]
		if r == nil || len(r.rows.list) == 0 {
			continue
		}
		if i.Age == 0 {
			i.Age = b.oldest
		}
		i.Batch, i.Writing, i.Bytes = b.seq, i.Writing || b == j.flying, i.Bytes+r.bytes
		for _, w := range r.rows.list {
			i.Counts[persistence.KindOf(w.Key)]++
			if key := string(w.Key); keep(w) {
				i.Rows[key] = overwritten(i.Rows, key, w)
			}
		}
	}
	i.Durable = i.Batch > 0 && i.Batch <= j.durable
	return i
}

// overwritten returns what two writes of a row, in batches one after the other, come to.
func overwritten(rows map[string]conversation.Write, key string, w conversation.Write) conversation.Write {
	old, ok := rows[key]
	if ok && w.IfPresent && !old.IfPresent {
		if old.Delete {
			return old // it will not be present
		}
		w.IfPresent = false
	}
	return w
}

// Settled reports whether nothing that was added after an Inspection with that open batch can be in the store yet: then a snapshot that was taken since, with what
// the Inspection has in its place, is the conversation as of the Inspection.
func (j *Journal) Settled(open uint64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.flushed < open && (j.flying == nil || j.flying.seq < open)
}

// Trouble returns how many attempts to write have failed so far, and why the last attempt did, nil where it did not.
func (j *Journal) Trouble() (failed uint64, last error) {
	if err := j.counts.lastErr.Load(); err != nil {
		last = *err
	}
	return j.counts.failures.Load(), last
}
