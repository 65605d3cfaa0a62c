// Package journal is the write-behind buffer between conversations and the store, and the overlay through which readers see what is in it.
//
// Changes are added to the open batch; one goroutine closes it, writes it, and opens the next. A batch that somebody waits for is closed by another goroutine, at once, and logged first: that makes it durable, and it
// is written later, together with others that were logged. Within a batch only the last value of a row is kept, and most rows are encoded only
// then, or when a reader asks: see [Live]. So any number of changes to a conversation between two flushes cost one row each, and all rows of a conversation in a batch are one group of one transaction: the rows
// of one change are never divided. A batch is closed early when a conversation has as many rows in it as one transaction takes; batches are written one after the
// other, in their order. A reader asks the open batch first, then those before it, then a snapshot of the store taken after that: a batch is let go only
// once the published snapshot contains it.
package journal

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// Waiter is told when what it waits for is durable. It is called once, on the journal's goroutine or the caller's, and must not block.
type Waiter interface {
	// Committed is called with nil once everything is durable. An error says that this is not so: ErrStoreFull where it will be tried again,
	// ErrUnavailable where the journal was closed or lost the shard first, ErrQuarantined where the store will not have the conversation's rows.
	Committed(when Written, err error)
}

// Written says when a batch was written.
type Written struct {
	Began persistence.Instant // its first attempt; zero: there was none, or the batch had been written before anybody waited for it
	Ended persistence.Instant // it was durable; zero: it was not, or was before anybody waited
}

// Config is what a journal needs.
type Config struct {
	Store  persistence.Store
	Epochs []persistence.Epoch // by shard
	Now    func() persistence.Instant
	After  func(d time.Duration, f func()) (stop func() bool)
	// Interval is how long a change that nobody waits for stays; MostInterval, how long where the store is busy: it rests for restShare times as long as it wrote, up to that.
	Interval, MostInterval time.Duration
	Rows                   int // a full batch
	MaxBytes               int // the bound of Full

	// Gather is called before a batch is closed, and by Close, from their goroutines: it adds rows that were owed (see Owe), so many about, those first that have been owed for longest. Nil: none are owed.
	Gather func(rows int)
	// Oldest returns an instant that is not after any change whose rows are owed, Never where none are. Where Gather is nil, so may it be.
	Oldest func() persistence.Instant
	// OnFlush is called after each batch, with its sequence number.
	OnFlush func(seq uint64)
	// OnCommitted is called before OnFlush, and before anybody is told that the batch is in the store, with what watchers are told of it, in the order of the commits
	// as far as it is of one shard. It is not called where that is nothing, and may be nil.
	OnCommitted func([]Change)
	// OnPoison is called for a conversation whose rows the store does not take, after they were dropped. Until Readmit, the journal takes no more of them.
	OnPoison func(conversation string, err error)
	// OnFenced is called once, when the store has a newer owner for a shard. The journal is then closed.
	OnFenced func(err error)
	// Begin and End enclose each attempt to write.
	Begin func(Attempt)
	End   func(Attempt, time.Duration, error)
}

// Attempt describes one attempt to write a batch.
type Attempt struct {
	Conversations, Rows, Bytes int
	Age                        time.Duration
	Number                     int // from 1
}

// Journal is safe for use from any goroutine.
type Journal struct {
	config Config

	mu      sync.Mutex
	open    *batch
	sealed  []*batch            // closed early, to be written before the open one, oldest first
	logging *batch              // being logged, before the sealed ones; nil
	handed  []*batch            // to be written after they were logged, or that was tried, oldest first
	flying  *batch              // being written; nil
	flushed uint64              // the last batch that is in the store
	durable uint64              // the last that is there, or was logged
	due     bool                // what is being logged, or waits for that, is to be written at once then
	landed  persistence.Instant // when a batch was written last
	timed   func() bool
	timer   int                 // the number of the one that runs
	rested  persistence.Instant // until then a batch that nobody waits for need not be written
	closed  error               // why nothing is taken any more
	lost    int                 // rows that had not been written then
	dropped persistence.Instant
	barred  map[string]*conversation.Error // conversations of which rows were dropped: nothing that builds on those may be written

	owed      atomic.Int64                       // rows: see Owe
	gathering atomic.Bool                        // rows that are owed are being added
	bytes     atomic.Int64                       // of all batches
	opened    atomic.Uint64                      // the number of the open batch
	refusal   atomic.Pointer[conversation.Error] // what Full says
	wake      chan struct{}
	urgent    atomic.Bool
	awaited   chan struct{} // somebody waits for a batch that is to be logged
	cancel    context.CancelCauseFunc
	ctx       context.Context //nolint:containedctx // it ends the writes of the goroutine that Close waits for
	done      chan struct{}
	logDone   chan struct{}
	counts    counts
}

var errClosed = errors.New("the journal was closed")

// Open starts a journal. Close must be called.
func Open(config Config) *Journal {
	j := &Journal{config: config, barred: map[string]*conversation.Error{}, wake: make(chan struct{}, 1), done: make(chan struct{})}
	j.awaited, j.logDone = make(chan struct{}, 1), make(chan struct{})
	j.begin(1)
	j.ctx, j.cancel = context.WithCancelCause(context.Background())
	go j.run()
	go j.runLog()
	return j
}

// change is what is added to a journal.
type change struct {
	name   string
	shard  persistence.Shard
	writes []conversation.Write
	live   *Live // who owes further rows; nil: nobody does
	dirty  int   // how many
	note   Note
	waiter Waiter
}

// add takes a change in: see [Live.Add].
func (j *Journal) add(c change) (seq uint64, err error) {
	j.mu.Lock()
	if err := j.refuses(c.name); err != nil {
		j.mu.Unlock()
		return 0, err
	}
	b := j.batchFor(&c)
	if b.rows == 0 {
		b.oldest = j.config.Now()
	}
	r := b.add(c.name, c.shard, c.writes, c.dirty)
	if c.live != nil {
		c.live.owe(b, r, c.dirty)
	}
	if c.note.Stamp != 0 {
		b.stamp = min(b.stamp, c.note.Stamp)
	}
	if c.note.Kinds != 0 {
		r.note(newChange(c.name, c.shard, c.note))
		b.noted = true
	}
	if c.waiter != nil {
		b.waiters = append(b.waiters, waiting{c.name, c.waiter})
	}
	seq = b.seq
	full := b.rows >= j.config.Rows && !j.gathering.Load() // it is about to be closed then
	if !full && c.waiter == nil && b == j.open {
		j.expect()
	}
	j.gauge()
	j.mu.Unlock()
	switch {
	case c.waiter != nil:
		j.hasten()
	case full:
		j.Flush()
	}
	return seq, nil
}

// expect sees to it that what is in the open batch, or owed, is written after a while. j.mu is held.
func (j *Journal) expect() {
	if j.timed == nil && j.closed == nil && (j.open.rows > 0 || j.owed.Load() > 0) {
		j.arm(j.delay(), j.Flush)
	}
}

// begin opens the batch with this number. j.mu is held.
func (j *Journal) begin(seq uint64) {
	j.open = newBatch(seq)
	j.opened.Store(seq)
}

// delay returns how long a batch that nobody waits for stays open. j.mu is held.
func (j *Journal) delay() time.Duration {
	if j.overdue() {
		return 0 // it takes several batches to write what came in, and what is left has waited for long enough
	}
	return max(j.config.Interval, min(j.config.MostInterval, j.rested.Sub(j.config.Now())))
}

// batchFor returns the batch that a change goes into. j.mu is held.
func (j *Journal) batchFor(c *change) *batch {
	if c.live != nil && c.live.owed != nil {
		return c.live.batch
	}
	if !j.open.records[c.name].fits(len(c.writes) + c.dirty) {
		j.sealed = append(j.sealed, j.open)
		j.begin(j.open.seq + 1)
		j.stopTimer()
		j.Flush()
	}
	return j.open
}

// refuses returns why nothing is taken for a conversation, nil where it is. j.mu is held.
func (j *Journal) refuses(name string) *conversation.Error {
	if j.closed != nil {
		return &conversation.Error{Kind: conversation.ErrUnavailable, Conversation: name, Cause: j.closed}
	}
	if err, ok := j.barred[name]; ok {
		return err
	}
	return nil
}

// Readmit takes changes of a conversation again after OnPoison was called for it. The caller has seen to it that they build on what is in the store.
func (j *Journal) Readmit(name string) {
	j.mu.Lock()
	delete(j.barred, name)
	j.mu.Unlock()
}

// Wait tells the waiter when what the conversation has in the batches up to seq is durable, which is tried at once.
func (j *Journal) Wait(name string, seq uint64, waiter Waiter) {
	j.wait(name, seq, waiter, false)
}

// WaitStored is Wait for when it is in the store, and in the snapshots taken from then on.
func (j *Journal) WaitStored(name string, seq uint64, waiter Waiter) {
	j.wait(name, seq, waiter, true)
}

func (j *Journal) wait(name string, seq uint64, waiter Waiter, stored bool) {
	j.mu.Lock()
	reached := j.durable
	if stored {
		reached = j.flushed
	}
	barred, dropped := j.barred[name]
	switch {
	case dropped: // rows that were to be in the store by now may be among those
		j.mu.Unlock()
		waiter.Committed(Written{}, barred)
		return
	case reached >= seq:
		j.mu.Unlock()
		waiter.Committed(Written{}, nil)
		return
	case j.closed != nil:
		err := j.refuses(name)
		j.mu.Unlock()
		waiter.Committed(Written{}, err)
		return
	}
	for b := range j.oldestFirst() {
		if b.seq >= seq || b == j.open {
			if stored {
				b.stored = append(b.stored, waiting{name, waiter})
			} else {
				b.waiters = append(b.waiters, waiting{name, waiter})
			}
			break
		}
	}
	j.mu.Unlock()
	if stored {
		j.Flush()
	} else {
		j.hasten()
	}
}

// oldestFirst yields the batches that are not in the store, in the order in which they will be. j.mu is held.
func (j *Journal) oldestFirst() iter.Seq[*batch] {
	return func(yield func(*batch) bool) {
		if j.flying != nil && !yield(j.flying) {
			return
		}
		for _, b := range j.handed {
			if !yield(b) {
				return
			}
		}
		if j.logging != nil && !yield(j.logging) {
			return
		}
		for _, b := range j.sealed {
			if !yield(b) {
				return
			}
		}
		yield(j.open)
	}
}

// arm has something done after a time. j.mu is held.
func (j *Journal) arm(d time.Duration, do func()) {
	j.timer++
	number := j.timer
	j.timed = j.config.After(d, func() {
		j.mu.Lock()
		if j.timer == number {
			j.timed = nil
		}
		j.mu.Unlock()
		do()
	})
}

// stopTimer ends the wait for the interval. j.mu is held.
func (j *Journal) stopTimer() {
	if j.timed != nil {
		j.timed()
		j.timed = nil
	}
}

// Seq returns the number of the batch such that once it is in the store, so is everything added before the call.
func (j *Journal) Seq() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seq()
}

// seq is Seq. j.mu is held.
func (j *Journal) seq() uint64 {
	seq := j.flushed
	for b := range j.oldestFirst() {
		if b != j.open || b.rows > 0 {
			seq = b.seq
		}
	}
	return seq
}

// Flushed returns the number of the last batch that is in the store.
func (j *Journal) Flushed() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.flushed
}

// InFlight returns the number of the batch that is being written if that has rows of one of the conversations: they may be in the store, though the journal does not say
// so yet. It returns 0 if not.
func (j *Journal) InFlight(names iter.Seq[string]) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.flying == nil {
		return 0
	}
	for name := range names {
		if j.flying.records[name] != nil {
			return j.flying.seq
		}
	}
	return 0
}

// Flush has the open batch written now. It does not wait for it.
func (j *Journal) Flush() {
	if j.urgent.Swap(true) {
		return // it was asked for, and has not begun
	}
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Full returns why new work should be refused, nil where it need not: the journal is at its bound, the store is full, or it is closed.
func (j *Journal) Full() *conversation.Error {
	if refusal := j.refusal.Load(); refusal != nil {
		return refusal
	}
	if owed := j.owed.Load(); owed > 0 && j.bytes.Load()+owed*owedRowBytes >= int64(j.config.MaxBytes) {
		return tooFull(nil)
	}
	return nil
}

func tooFull(cause error) *conversation.Error {
	return &conversation.Error{
		Kind: conversation.ErrOverloaded, Reason: "the journal is full: the store takes changes more slowly than they come", RetryAfter: 100 * time.Millisecond, Cause: cause,
	}
}

// gauge sets what Full says. j.mu is held.
func (j *Journal) gauge() {
	bytes := 0
	for b := range j.oldestFirst() {
		bytes += b.bytes
	}
	j.bytes.Store(int64(bytes))
	var refusal *conversation.Error
	switch err := j.counts.lastErr.Load(); {
	case j.closed != nil:
		refusal = &conversation.Error{Kind: conversation.ErrUnavailable, Cause: j.closed}
	case err != nil && errors.Is(*err, persistence.ErrStoreFull):
		refusal = &conversation.Error{
			Kind: conversation.ErrOverloaded, Reason: "the store is out of space; free some", RetryAfter: time.Second, Cause: *err,
		}
	case bytes >= j.config.MaxBytes:
		refusal = tooFull(nil)
		if err != nil {
			refusal.Cause = *err
		}
	}
	if old := j.refusal.Load(); old != nil || refusal != nil {
		j.refusal.Store(refusal)
	}
}
