package journal

import (
	"runtime"
	"slices"
	"time"

	"github.com/parley-im/parley/persistence"
)

const (
	// handedShare is the part of MaxBytes, in eighths, that may be logged and not in the store: beyond that, who waits waits for the store. It is begun to be written where half of that is there, so that what comes
	// meanwhile finds room.
	handedShare = 6
	// mostLogged bounds the bytes of rows in the log that are not in the store, all of which are read again after a crash, though of a row that was logged again and again only the last is written then. They are begun to be
	// written at half of that, too.
	mostLogged = 512 << 20
	// restLogged is for how many times MostInterval what was logged may wait while more of it comes: a crash takes nothing of it back.
	restLogged = 8
)

// hasten has what somebody waits for logged now. It does not wait for it.
func (j *Journal) hasten() {
	select {
	case j.awaited <- struct{}{}:
	default:
	}
}

// runLog logs batches until the journal is closed.
func (j *Journal) runLog() {
	defer close(j.logDone)
	for {
		select {
		case <-j.awaited:
		case <-j.ctx.Done():
			return
		}
		for b := j.take(); b != nil; b = j.take() {
			j.collect(b)
			j.log(b)
			j.linger()
		}
	}
}

// lingers is how often those are let go first who were just told, as far as they have processors: what they change next is logged together. It takes a turn of each that is ready to run, at most, and nothing where none is.
const lingers = 4

// linger has the open batch grow as long as there is somebody ready to add to it.
func (j *Journal) linger() {
	for before, n := -1, 0; n < lingers; n++ {
		j.mu.Lock()
		waiters := len(j.open.waiters)
		j.mu.Unlock()
		if waiters == before {
			return
		}
		before = waiters
		runtime.Gosched()
	}
}

// take closes the batch to be logged next, oldest first; nil where nobody waits, or what was handed over has to land first: then land goes on.
func (j *Journal) take() *batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed != nil || !j.isAwaited() || j.isBlocked() {
		return nil
	}
	if len(j.sealed) > 0 {
		j.logging = j.sealed[0]
		j.sealed = slices.Delete(j.sealed, 0, 1)
		return j.logging
	}
	j.stopTimer()
	j.logging = j.open
	j.begin(j.open.seq + 1)
	return j.logging
}

// isAwaited reports whether somebody waits for a batch that was not handed over. j.mu is held.
func (j *Journal) isAwaited() bool {
	return len(j.open.waiters) > 0 || slices.ContainsFunc(j.sealed, func(b *batch) bool { return len(b.waiters) > 0 })
}

// isBlocked reports whether nothing can be logged now: a batch before it is neither durable nor in the store, or too much has yet to be brought there, which is begun. j.mu is held.
func (j *Journal) isBlocked() bool {
	bytes, written := 0, 0
	count := func(b *batch) (unsafe bool) {
		bytes += b.bytes
		written += b.written
		return !b.logged
	}
	if j.flying != nil && count(j.flying) || slices.ContainsFunc(j.handed, count) {
		return true
	}
	if bytes <= j.mostHanded() && written <= mostLogged {
		return false
	}
	j.Flush()
	return true
}

// mostHanded is how many bytes may be logged and not in the store.
func (j *Journal) mostHanded() int { return j.config.MaxBytes / 8 * handedShare }

// log makes a batch durable, tells who waits for that, and hands it over to be written. Where the store does not log it, it is only handed over, and they wait for that.
func (j *Journal) log(b *batch) {
	j.mu.Lock()
	groups := make([]persistence.Group, len(b.order))
	for i, r := range b.order {
		groups[i] = r.group(j.config.Epochs[r.shard])
	}
	b.began = j.config.Now()
	j.mu.Unlock()
	var position persistence.Position
	var err error
	if len(groups) > 0 {
		position, err = j.config.Store.Log(j.ctx, persistence.Batch{Clock: b.began, Groups: groups})
	}
	j.mu.Lock()
	j.logging = nil
	if j.closed != nil {
		b.logged = err == nil
		j.mu.Unlock()
		return
	}
	b.position, b.written = position, payload(groups)
	var told []waiting
	if err == nil {
		b.logged, j.durable = true, b.seq
		for _, r := range b.order {
			r.logged = true
		}
		told, b.waiters = b.waiters, nil
		j.counts.logs.Add(1)
	}
	j.hand(b)
	j.gauge() // rows that were in two batches are in one
	j.goOn()
	j.mu.Unlock()
	when := Written{Began: b.began, Ended: j.config.Now()}
	for _, w := range told {
		w.Committed(when, nil)
	}
}

// hand puts a batch behind those that are to be written, as a part of the last of them if it can be. j.mu is held.
func (j *Journal) hand(b *batch) {
	if n := len(j.handed); n > 0 && b.logged && j.handed[n-1].logged && j.handed[n-1].absorb(b) {
		return
	}
	j.handed = append(j.handed, b)
}

// goOn sees to it that what there is will be written, and logged where somebody waits. j.mu is held.
func (j *Journal) goOn() {
	if j.closed != nil {
		return
	}
	if j.isAwaited() {
		j.hasten()
	}
	switch wait := j.leisure(); {
	case j.isDue() || j.pressed(j.owed.Load()):
		j.due = false
		j.Flush()
	case j.timed != nil:
	case len(j.handed) == 0:
		j.expect()
	case j.flying != nil: // once that has landed, it is as long until the next
	case wait <= 0:
		j.Flush()
	default:
		j.rest(wait)
	}
}

// rest has what was logged written after a time, or once nothing more was logged for an interval. j.mu is held.
func (j *Journal) rest(wait time.Duration) {
	logs, d := j.counts.logs.Load(), min(wait, j.config.Interval)
	j.arm(d, func() {
		if d == wait || j.counts.logs.Load() == logs {
			j.Flush()
			return
		}
		j.mu.Lock()
		j.goOn()
		j.mu.Unlock()
	})
}

// isDue reports whether there is something to be written at once. j.mu is held.
func (j *Journal) isDue() bool {
	for b := range j.oldestFirst() {
		if b != j.flying && len(b.stored) > 0 {
			return true
		}
	}
	bytes, written := 0, 0
	for _, b := range j.handed {
		bytes += b.bytes
		written += b.written
	}
	return bytes > j.mostHanded()/2 || written > mostLogged/2 || j.due && len(j.handed) > 0 || len(j.sealed) > 0 || j.open.rows >= j.config.Rows ||
		slices.ContainsFunc(j.handed, func(b *batch) bool { return !b.logged || b.noted })
}

// leisure returns how long what was logged may wait to be written: what comes until then is written with it. Nothing of it can be lost meanwhile, so it may be longer than for what is not. Where there was
// no write lately, it need not wait. j.mu is held.
func (j *Journal) leisure() time.Duration {
	now := j.config.Now()
	rest := 2 * j.rested.Sub(j.landed)
	if j.overdue() {
		rest = 0 // what goes with it can
	}
	return max(j.config.Interval, min(restLogged*j.config.MostInterval, rest)) - now.Sub(j.landed)
}

// payload is how many bytes the rows of some groups have.
func payload(groups []persistence.Group) (bytes int) {
	for i := range groups {
		for _, put := range groups[i].Puts {
			bytes += len(put.Key) + len(put.Value)
		}
		for _, gone := range groups[i].Deletes {
			bytes += len(gone.Key)
		}
	}
	return bytes
}
