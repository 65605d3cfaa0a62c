package journal

import (
	"runtime"
	"slices"
	"sync"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// DirtyRows are rows that changed and are yet to be encoded: those of a [conversation.State].
type DirtyRows interface {
	// Dirty returns how many there are.
	Dirty() int
	// TakeDirty returns them, as they are by now, and from then on they are clean.
	TakeDirty() []conversation.Write
}

// Live is a conversation in memory that owes the journal its dirty rows: they are encoded only when their batch is written or a reader looks, so that a change which is followed by others
// costs no more than the change. Where somebody waits they are encoded with the first change of a batch. At most one record of the journal is owed rows by a Live. Whatever is added until that was given them goes into the same record, in whichever batch
// that is: so the rows of one change are never divided, and those that it encodes at once never come before the rest.
//
// It is locked from before a change is made until the journal was told of it, and while rows are taken: whoever locks the journal as well does so after that.
type Live struct {
	journal *Journal
	name    string
	shard   persistence.Shard
	rows    DirtyRows

	mu    sync.Mutex
	owed  *record // that the dirty rows will be put into; nil: none are dirty, or the record was dropped. Also under the journal's lock.
	batch *batch  // that this is in
	known int     // dirty rows that the batch counts
	large bool    // the record is: what comes next may have to go into another one
	hasty uint64  // the batch that was open when rows were last encoded because somebody waits
}

// Live returns a conversation's, whose rows are nobody else's to take.
func (j *Journal) Live(name string, shard persistence.Shard, rows DirtyRows) *Live {
	return &Live{journal: j, name: name, shard: shard, rows: rows}
}

// Lock is called before the rows are changed, or anything else that TakeDirty uses.
func (l *Live) Lock() {
	l.mu.Lock()
	if l.large {
		l.Settle()
	}
}

// Unlock is called once the journal was told.
func (l *Live) Unlock() { l.mu.Unlock() }

// Add takes the writes of a change, notes that it has left rows dirty, and returns the number of the batch that they are in. Readers see them from then on. Where waiter is not nil, it
// is told when the batch is in the store, which is then tried at once. Watchers are told of the change, unless note is the zero Note. A journal at its bound takes it all the same: see
// Full. One that is closed, or has dropped rows of the conversation, takes nothing: then the error is an [*conversation.Error], and the waiter is told nothing. l is locked.
func (l *Live) Add(writes []conversation.Write, note Note, waiter Waiter) (seq uint64, err error) {
	dirty := l.rows.Dirty()
	if l.owed != nil && dirty == l.known && len(writes) == 0 && note.Kinds == 0 && waiter == nil {
		return l.batch.seq, nil // which will have the change
	}
	if waiter != nil && l.hurry() {
		writes, dirty = append(slices.Clip(writes), l.rows.TakeDirty()...), 0
	}
	return l.journal.add(change{name: l.name, shard: l.shard, writes: writes, live: l, dirty: dirty, note: note, waiter: waiter})
}

// hurry reports whether rows are encoded at once, because somebody waits for them and it is the first time in this batch: that is done here, where their state is at hand, while
// the journal writes for others. What changes again while the batch is open is encoded late like everything else.
func (l *Live) hurry() bool {
	seq := l.journal.opened.Load()
	if l.owed != nil || l.hasty == seq {
		return false
	}
	l.hasty = seq
	return true
}

// owe notes that the record of a batch is owed so many rows. l and the journal are locked.
func (l *Live) owe(b *batch, r *record, dirty int) {
	if dirty == 0 {
		return
	}
	l.owed, l.batch, r.live = r, b, l
	b.count(r, dirty-l.known)
	l.known = dirty
	l.large = len(r.rows.list)+r.owed > maxRecordRows/2 || r.bytes > maxRecordBytes/2
}

// Settle has the rows encoded that are owed. Whoever makes another Live of the conversation sees to it, by this or by a Lookup, that this one owes nothing. l is locked.
func (l *Live) Settle() {
	if l.owed == nil {
		return
	}
	writes := l.rows.TakeDirty()
	j := l.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	b, r := l.batch, l.owed
	l.clear()
	for _, w := range writes {
		b.put(r, w)
	}
}

// clear says that nothing is owed any more. l and the journal are locked.
func (l *Live) clear() {
	l.batch.count(l.owed, -l.known)
	l.owed.live = nil
	l.owed, l.batch, l.known, l.large = nil, nil, 0, false
}

// owing returns who owes a conversation's rows, nil if nobody does. j.mu is held.
func (j *Journal) owing(name string) *Live {
	for b := range j.oldestFirst() {
		if r := b.records[name]; r != nil && r.live != nil {
			return r.live
		}
	}
	return nil
}

// lockWhole locks the journal when all rows of a conversation are encoded, and returns what unlocks it. As long as it is locked, they are as of one moment.
func (j *Journal) lockWhole(name string) (unlock func()) {
	for {
		j.mu.Lock()
		l := j.owing(name)
		if l == nil {
			return j.mu.Unlock
		}
		j.mu.Unlock()
		l.mu.Lock()
		l.Settle()
		j.mu.Lock()
		if j.owing(name) == nil {
			return func() {
				j.mu.Unlock()
				l.mu.Unlock()
			}
		}
		// Meanwhile the conversation has left memory and come back: it is another Live that owes the rows.
		j.mu.Unlock()
		l.mu.Unlock()
	}
}

// collect has all rows encoded that a batch is owed. Nothing is added to a batch any more that is not the open one once this was done.
func (j *Journal) collect(b *batch) {
	j.mu.Lock()
	var lives []*Live
	for _, r := range b.order {
		if r.live != nil {
			lives = append(lives, r.live)
		}
	}
	j.mu.Unlock()
	for i, l := range lives {
		if i%recordsBetweenYields == 0 {
			runtime.Gosched()
		}
		l.mu.Lock()
		if l.batch == b {
			l.Settle()
		}
		l.mu.Unlock()
	}
}
