package journal

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

const (
	backoffFirst = 10 * time.Millisecond
	backoffMost  = 2 * time.Second
	// patience is how often a batch is tried whole before it is divided, and a single record before it is given up.
	patience = 3
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
		if b := j.seal(); b != nil && !j.write(b) {
			return
		}
	}
}

// seal closes the open batch and returns it, nil where there is nothing to write.
func (j *Journal) seal() *batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.timed != nil {
		j.timed()
		j.timed = nil
	}
	b := j.open
	if b.rows == 0 && len(b.waiters) == 0 {
		return nil
	}
	j.open = newBatch(b.seq + 1)
	j.flying = b
	return b
}

// write brings the batch into the store, however often that takes. It returns false when the journal was closed.
func (j *Journal) write(b *batch) bool {
	left := slices.Clone(b.order) // records may be dropped on the way
	landed := false               // some of it has: the store as such takes rows
	for attempt := 1; ; attempt++ {
		parts := [][]*record{left}
		if attempt > patience && len(left) > 1 {
			parts = [][]*record{left[:len(left)/2], left[len(left)/2:]}
		}
		var failed []*record
		var failure error
		for _, part := range parts {
			switch err := j.commit(b, part, attempt); {
			case err == nil:
				landed = true
			case errors.Is(err, persistence.ErrFenced):
				j.fenced(err)
				return false
			default:
				failure = err
				failed = append(failed, part...)
				if len(part) == 1 {
					part[0].failures++
				}
			}
		}
		j.note(failure)
		if len(failed) == 0 {
			j.land(b)
			return true
		}
		if errors.Is(failure, persistence.ErrStoreFull) {
			j.release(b, "", &conversation.Error{Kind: conversation.ErrOverloaded, Reason: "applied, but the store is out of space; it is tried again", Cause: failure})
		}
		left = failed
		if len(left) == 1 && left[0].failures >= patience && landed {
			j.drop(b, left[0], failure)
			j.land(b)
			return true
		}
		if !j.pause(attempt) {
			return false
		}
		left = j.reinforce(b, left)
	}
}

// commit tries to write some of a batch's records. A record that the store refuses by itself is dropped.
func (j *Journal) commit(b *batch, records []*record, attempt int) error {
	j.mu.Lock()
	groups := make([]persistence.Group, len(records))
	rows := 0
	for i, r := range records {
		groups[i] = r.group(j.config.Epochs[r.shard])
		rows += len(r.rows)
	}
	a := Attempt{Conversations: len(records), Rows: rows, Bytes: b.bytes, Number: attempt}
	if b.rows > 0 {
		a.Age = j.config.Now().Sub(b.oldest)
	}
	j.mu.Unlock()
	if len(groups) == 0 {
		return nil // only waiters: what they wait for is in the store
	}
	j.config.Begin(a)
	began := j.config.Now()
	results, err := j.config.Store.Commit(j.ctx, persistence.Batch{Clock: began, Groups: groups})
	j.config.End(a, j.config.Now().Sub(began), err)
	if err != nil {
		return err
	}
	for i, result := range results {
		switch {
		case result.Err == nil:
		case errors.Is(result.Err, persistence.ErrFenced):
			return result.Err
		default:
			j.drop(b, records[i], result.Err)
		}
	}
	j.counts.rows.Add(uint64(rows)) //nolint:gosec // a count
	return nil
}

// note remembers how the last attempt went.
func (j *Journal) note(failure error) {
	if failure == nil {
		j.counts.lastErr.Store(nil)
	} else {
		j.counts.failures.Add(1)
		j.counts.lastErr.Store(&failure)
	}
	j.mu.Lock()
	j.gauge()
	j.mu.Unlock()
}

// land lets a batch go that is in the store and in the published snapshot.
func (j *Journal) land(b *batch) {
	j.mu.Lock()
	j.flying = nil
	j.flushed = b.seq
	waiters := b.waiters
	b.waiters = nil
	j.gauge()
	j.mu.Unlock()
	j.counts.flushes.Add(1)
	for _, w := range waiters {
		w.Committed(nil)
	}
	j.config.OnFlush(b.seq)
}

// release answers a batch's waiters before it is in the store: those of one conversation, or all where name is "".
func (j *Journal) release(b *batch, name string, err error) {
	j.mu.Lock()
	var released, kept []waiting
	for _, w := range b.waiters {
		if name == "" || w.name == name {
			released = append(released, w)
		} else {
			kept = append(kept, w)
		}
	}
	b.waiters = kept
	j.mu.Unlock()
	for _, w := range released {
		w.Committed(err)
	}
}

// drop takes a record out of a batch because the store will not have it, and with it what was added to the next one.
func (j *Journal) drop(b *batch, r *record, err error) {
	refusal := &conversation.Error{Kind: conversation.ErrQuarantined, Conversation: r.name, Reason: "the store does not take its rows", Cause: err}
	j.mu.Lock()
	b.remove(r.name)
	j.open.remove(r.name)
	j.barred[r.name] = refusal
	open := j.open
	j.mu.Unlock()
	j.release(b, r.name, refusal)
	j.release(open, r.name, refusal)
	j.config.OnPoison(r.name, err)
}

func (j *Journal) fenced(err error) {
	j.shut(err)
	j.config.OnFenced(err)
}

// reinforce adds what has come since to a batch of which a single record is left, so that others show whether it is the record or the store that fails.
func (j *Journal) reinforce(b *batch, left []*record) []*record {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(left) != 1 || j.open.rows == 0 {
		return left
	}
	later := j.open
	j.open = newBatch(later.seq + 1)
	known := len(b.order)
	b.absorb(later)
	return append(left, b.order[known:]...)
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
