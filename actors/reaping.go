package actors

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/parley-im/parley/persistence"
)

// tooOften is how often a generation may fail alone, while others do not, before it is set aside.
const tooOften = 3

// setAside is for how long.
const setAside = time.Minute

// retryAfter is when to look again at an entry that could not be judged.
const retryAfter = time.Second

// deleted says how a batch went. Deletion → reaper.
type deleted struct {
	attempt uint64
	batch   []*dying
	rows    int // in all
	owed    int // rows that the pace was not charged yet; negative: it was charged too many
	took    time.Duration
	err     error
}

// reap starts batches as far as there are some and they may start. It returns when to try again where the next may not yet, and what holds it.
func (r *reaper) reap(now persistence.Instant) (wake persistence.Instant, held Held) {
	for r.draining == nil && r.flying < r.breaker.flights() {
		batch, rows, full := r.gather()
		if len(batch) == 0 {
			return persistence.Never, r.holder()
		}
		if r.flying > 0 && !full {
			return persistence.Never, HeldByNothing // it fills while the one before is written
		}
		ready := now
		hold := func(until persistence.Instant, by Held) {
			if until > ready {
				ready, held = until, by
			}
		}
		if !full && rows < r.breaker.rows && len(r.settling) == 0 {
			hold(batch[0].since.Add(r.config.BatchDelay), HeldByBatchDelay)
		}
		hold(r.backOff, HeldByBackOff)
		hold(r.pace.next(), HeldByPace)
		if held == HeldByPace {
			r.pace.want()
		}
		if ready > now {
			return ready, held
		}
		r.start(now, batch, rows)
	}
	return persistence.Never, HeldByNothing
}

// holder is what there is to wait for where nothing can be deleted.
func (r *reaper) holder() Held {
	switch {
	case r.flying > 0:
		return HeldByNothing
	case len(r.queue) > 0 || len(r.moved) > 0:
		return HeldByJournal
	case len(r.pending) > 0:
		return HeldByJudging
	}
	return HeldByNothing
}

// gather returns the next batch, without taking it from the queue, about how many rows it has, and whether nothing fits it any more.
func (r *reaper) gather() (batch []*dying, rows int, full bool) {
	if len(r.queue) == 0 {
		return nil, 0, false
	}
	done := r.engine.journal.Flushed()
	for i, d := range r.queue {
		if d.after > done {
			r.engine.journal.Flush() // it tells when it is done; those behind it wait for the same batch, or a later one
			return r.queue[:i], rows, false
		}
		if i > 0 && (rows+d.rows() > r.breaker.rows || i == r.breaker.room) {
			return r.queue[:i], rows, true
		}
		rows += d.rows()
	}
	return r.queue, rows, false
}

// start takes a batch from the head of the queue and has it deleted.
func (r *reaper) start(now persistence.Instant, batch []*dying, rows int) {
	batch = append([]*dying(nil), batch...)
	rest := copy(r.queue, r.queue[len(batch):])
	clear(r.queue[rest:])
	r.queue = r.queue[:rest]
	r.flying++
	job := deletion{attempt: r.attempt, number: r.breaker.failures + 1, batch: batch, part: max(1, r.breaker.rows/rowsOfMember)}
	// Of a generation that is larger than a batch the parts are charged as they go.
	job.charged = min(rows, r.breaker.rows)
	r.pace.take(now, job.charged)
	r.engine.background(func() { r.engine.delete(&job) })
}

// rows is about how many rows the generation has: a head, a tail, a roster and the due entry, and for each member a row on either side and entries of their list.
func (d *dying) rows() int {
	entries := 0
	if d.index.Listed != 0 {
		entries++
	}
	if d.index.Noticed != 0 {
		entries++
	}
	return 4 + (2+entries)*int(min(d.members, 1<<30))
}

// deleted takes in how a batch went.
func (r *reaper) deleted(m *deleted) {
	r.flying--
	now := r.engine.clock.now()
	r.pace.take(now, m.owed)
	if m.err == nil {
		for _, d := range m.batch {
			if d.refuted {
				r.later(d, now)
			} else {
				r.drop(d)
			}
		}
		r.backlog.done(len(m.batch))
		r.backlog.sized(len(m.batch), m.rows)
		r.successes++
		late := r.late(now) > r.config.MaxLateness && r.pace.next() <= now // where the pace holds the next batch, a larger one is of no use
		r.breaker.succeeded(m.took, r.engine.strain.read(now).Quiet, late)
		r.backOff = now
		return
	}
	r.failed(m.err)
	r.backOff = now.Add(r.breaker.failed(len(m.batch)))
	for _, d := range m.batch {
		d.tried = true
	}
	if len(m.batch) == 1 {
		r.failedAlone(m.batch[0], m.err, now)
		return
	}
	r.queue = append(m.batch, r.queue...)
}

// failedAlone lets the others go first, and sets a generation aside for a while once it turns out that only it fails, not the store.
func (r *reaper) failedAlone(d *dying, err error, now persistence.Instant) {
	if d.failures == 0 {
		d.mark = r.successes
	}
	if d.failures++; d.failures >= tooOften && r.successes > d.mark {
		r.engine.failed(FailedInfo{What: "reaper", Conversation: d.conversation, Reason: err, Failures: d.failures, Quarantined: now.Add(setAside).Time()})
		r.engine.counts.setAside.Add(1)
		r.later(d, now.Add(setAside))
		return
	}
	r.queue = append(r.queue, d)
}

// reapFailed counts a failure, which Stats shows until an attempt succeeds, and stops the engine where that is because it may not write any more.
func (e *Engine) reapFailed(err error) (told *error) {
	if errors.Is(err, persistence.ErrFenced) {
		e.fail(err)
	}
	return e.counts.reapFailed(err)
}

// longestBackOff is how long a store that works again may go unnoticed: it is part of how late deletions may be after that.
const longestBackOff = 2 * time.Second

// backOff is how long to wait after the n-th failure in a row: it doubles from 50 ms up to a bound, half of it at random.
func backOff(n int, most time.Duration) time.Duration {
	d := min(most, 50*time.Millisecond<<min(n-1, 10))
	return d/2 + rand.N(d/2+1) //nolint:gosec // jitter
}
