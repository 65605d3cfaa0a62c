package journal

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

const (
	backoffFirst = 10 * time.Millisecond
	backoffMost  = 2 * time.Second
	// patience is how often a batch is tried whole before it is divided, and how often the store has to fail a single record before that is given up.
	patience = 3
	// patienceLogged is the same of a record that is logged, which the store checked then: half a minute, in which others that are logged behind it are durable, but not in the store.
	patienceLogged = 20
	// recordsBetweenYields is after how many records others get the processor, who may be about to propose something: Go would let them wait for ten milliseconds.
	recordsBetweenYields = 64
)

// run writes batches until the journal is closed.
func (j *Journal) run() {
	defer close(j.done)
	for {
		select {
		case <-j.wake:
		case <-j.ctx.Done():
			return
		}
		if !j.urgent.Swap(false) {
			continue
		}
		began := j.config.Now()
		if b := j.seal(); b != nil && !j.write(b, began) {
			return
		}
	}
}

// seal returns the batch to be written next, which is closed from then on; nil where there is nothing to write.
func (j *Journal) seal() *batch {
	if rows := j.gathers(); rows > 0 {
		j.gathering.Store(true)
		j.config.Gather(rows)
		j.gathering.Store(false)
	}
	j.mu.Lock()
	b := j.next()
	j.flying = b
	j.mu.Unlock()
	if b != nil {
		j.collect(b)
	}
	return b
}

// next takes the oldest batch that is not being written, nil where there is none with anything in it, or it is to be logged first. j.mu is held.
func (j *Journal) next() *batch {
	if len(j.handed) > 0 {
		b := j.handed[0]
		j.handed = slices.Delete(j.handed, 0, 1)
		return b
	}
	if j.logging != nil || j.isAwaited() {
		j.due = true
		j.hasten()
		return nil
	}
	if len(j.sealed) > 0 {
		b := j.sealed[0]
		j.sealed = slices.Delete(j.sealed, 0, 1)
		return b
	}
	j.stopTimer()
	b := j.open
	if !b.touched && len(b.stored) == 0 {
		j.expect() // more may be owed by now
		return nil
	}
	j.begin(b.seq + 1)
	return b
}

// write brings the batch, which was closed at that time, into the store, however often that takes. It returns false when the journal was closed.
func (j *Journal) write(b *batch, began persistence.Instant) bool {
	t := &trial{Journal: j, batch: b, left: slices.Clone(b.order)}
	for attempt := 1; ; attempt++ {
		switch {
		case t.attempt(attempt):
			j.note(nil)
			j.land(b, began)
			return true
		case errors.Is(t.failure, persistence.ErrFenced):
			j.fenced(t.failure)
			return false
		}
		j.note(t.failure)
		if errors.Is(t.failure, persistence.ErrStoreFull) {
			j.complain(t.failure)
		}
		if !j.pause(attempt) {
			return false
		}
	}
}

// complain tells all who wait that the store is out of space, whichever batch they wait for: none is written before the one that failed.
func (j *Journal) complain(failure error) {
	j.release("", &conversation.Error{Kind: conversation.ErrOverloaded, Reason: "the store is out of space; it is tried again", Cause: failure})
}

// commit tries to write some of a batch's records, and to cover what was logged up to a position. A record that the store refuses by itself is dropped.
func (j *Journal) commit(b *batch, records []*record, attempt int, covers persistence.Position) error {
	groups := make([]persistence.Group, len(records))
	a := Attempt{Conversations: len(records), Number: attempt}
	for i, r := range records { // which nobody else changes
		if i%recordsBetweenYields == 0 {
			runtime.Gosched()
		}
		groups[i] = r.group(j.config.Epochs[r.shard])
		a.Rows += len(r.rows.list)
		for _, w := range r.rows.list {
			a.Bytes += size(w)
		}
	}
	if b.rows > 0 {
		a.Age = j.config.Now().Sub(b.oldest)
	}
	if len(groups) == 0 && covers == 0 {
		return nil // only waiters: what they wait for is in the store
	}
	j.config.Begin(a)
	began := j.config.Now()
	if b.began == 0 {
		b.began = began
	}
	results, err := j.config.Store.Commit(j.ctx, persistence.Batch{Clock: began, Groups: groups, Logged: covers})
	j.config.End(a, j.config.Now().Sub(began), err)
	if err != nil {
		j.counts.failures.Add(1)
		return err
	}
	for i, r := range records {
		switch err := results[i].Err; {
		case err == nil:
			j.counts.rows.Add(uint64(len(r.rows.list)))
			r.placed(results[i].NextEvent)
		case errors.Is(err, persistence.ErrFenced):
			return err
		default:
			j.drop(r, err)
		}
	}
	return nil
}

// note remembers how the last attempt went.
func (j *Journal) note(failure error) {
	if failure == nil {
		j.counts.lastErr.Store(nil)
	} else {
		j.counts.lastErr.Store(&failure)
	}
	j.mu.Lock()
	j.gauge()
	j.mu.Unlock()
}

// restShare is how many times as long as it writes the journal lets the store, and the processors, rest where nobody waits.
const restShare = 7

// land lets a batch go that is in the store and in the published snapshot.
func (j *Journal) land(b *batch, began persistence.Instant) {
	if changes := b.changes(); len(changes) > 0 && j.config.OnCommitted != nil {
		j.config.OnCommitted(changes)
	}
	j.mu.Lock()
	j.flying = nil
	j.flushed = b.seq
	j.durable = max(j.durable, b.seq)
	now := j.config.Now()
	j.rested = now.Add(restShare * now.Sub(began))
	j.landed = now
	waiters := slices.Concat(b.waiters, b.stored)
	b.waiters, b.stored = nil, nil
	j.gauge()
	j.goOn()
	j.mu.Unlock()
	j.counts.flushes.Add(1)
	when := Written{Began: b.began, Ended: j.config.Now()}
	for _, w := range waiters {
		w.Committed(when, nil)
	}
	j.config.OnFlush(b.seq)
}

// release answers waiters before what they wait for is in the store: those of one conversation, or all where name is "".
func (j *Journal) release(name string, err error) {
	j.mu.Lock()
	var released []waiting
	var when []Written
	for b := range j.oldestFirst() {
		told := func(w waiting) bool {
			if name != "" && w.name != name {
				return false
			}
			released = append(released, w)
			when = append(when, Written{Began: b.began})
			return true
		}
		b.waiters = slices.DeleteFunc(b.waiters, told)
		b.stored = slices.DeleteFunc(b.stored, told)
	}
	j.mu.Unlock()
	for i, w := range released {
		w.Committed(when[i], err)
	}
}

// drop takes a conversation's rows out of the journal because the store will not have them, and bars it from adding more that build on those.
func (j *Journal) drop(r *record, err error) {
	refusal := &conversation.Error{Kind: conversation.ErrQuarantined, Conversation: r.name, Reason: "the store does not take its rows", Cause: err}
	j.mu.Lock()
	j.barred[r.name] = refusal
	j.mu.Unlock()
	unlock := j.lockWhole(r.name)
	for b := range j.oldestFirst() {
		b.remove(r.name)
	}
	j.dropped = j.config.Now()
	unlock()
	j.release(r.name, refusal)
	j.config.OnPoison(r.name, err)
}

func (j *Journal) fenced(err error) {
	j.shut(err)
	j.config.OnFenced(err)
}

// pause waits before the next attempt, the longer the more there were. It returns false when the journal was closed.
func (j *Journal) pause(attempt int) bool {
	d := min(backoffMost, backoffFirst<<min(attempt-1, 10))
	d = d/2 + rand.N(d/2+1) //nolint:gosec // jitter
	over := make(chan struct{})
	stop := j.config.After(d, func() { close(over) })
	select {
	case <-over:
		return true
	case <-j.ctx.Done():
		stop()
		return false
	}
}
