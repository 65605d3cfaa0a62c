package actors

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// reaper deletes what was judged expired. It reads due entries when their deadline has come, has each generation judged by its conversation, and deletes
// the rows of those that are over, in batches, at a pace, however often that takes. It never judges, and no turn of its waits: reading and deleting is done by
// goroutines of the engine that report by message, at most one of each.
//
// What it holds is only what it is working on. Everything it has yet to do is in the due index: a restart, or a bound on its memory, loses nothing.
type reaper struct {
	engine  *Engine
	agenda  *agenda
	config  ReaperConfig
	attempt uint64 // which incarnation this is

	pending   map[string]*dying   // all below, by the key of the due entry
	queue     []*dying            // over; to be deleted, oldest first
	moved     []*dying            // their entry will be another one once the journal was flushed
	doubts    map[string]struct{} // entries that did not agree with what was in the store already
	surveying bool
	deleting  bool
	room      int                 // how many generations the next batch may hold; 0: any number. It shrinks when batches fail.
	failures  int                 // of batches in a row
	successes uint64              // of batches
	notBefore persistence.Instant // when the pace, or the back-off, allows the next batch
	settling  []func()
	draining  func()
}

// dying is a generation that the reaper is dealing with.
type dying struct {
	conversation string
	shard        persistence.Shard
	generation   persistence.Generation
	due          persistence.Instant // in the key of its due entry
	key          string              // of that entry
	stage        stage
	after        uint64               // the journal's batch to wait for
	ending       *conversation.Ending // nil: it is orphaned, there is only the entry
	record       *persistence.Ended   // what the entry says of it, if it does
	index        persistence.Index    // likewise
	members      uint64               // about how many
	since        persistence.Instant  // in the queue
	tried        bool                 // a deletion was tried, and may have been carried out
	failures     int                  // of batches that it was alone in
	mark         uint64               // the batches that had succeeded at the first of those
}

type stage uint8

const (
	judging stage = iota
	queuedUp
	waitingForFlush
)

// tooOften is how often a generation may fail alone, while others do not, before it is set aside.
const tooOften = 3

// setAside is for how long.
const setAside = time.Minute

// surveyed brings due entries. Survey → reaper.
type surveyed struct {
	attempt uint64
	shards  []persistence.Shard // that were looked at
	found   []*dying
	err     error
}

// deleted says how a batch went. Deletion → reaper.
type deleted struct {
	attempt uint64
	batch   []*dying
	rows    int
	err     error
}

func newReaper(e *Engine) *reaper {
	return &reaper{
		engine: e, agenda: e.agenda, config: e.config.Reaper, attempt: e.reaperAttempts.Add(1),
		pending: map[string]*dying{}, doubts: map[string]struct{}{},
	}
}

// Receive implements actor.Actor.
func (r *reaper) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *alarm, *flushed:
	case *verdict:
		r.judged(m)
	case *ended:
		r.over(m.ending, m.after)
	case *surveyed:
		if m.attempt == r.attempt {
			r.surveyed(m)
		} else {
			r.missed(m)
		}
	case *deleted:
		if m.attempt == r.attempt {
			r.deleted(m)
		}
	case *settle:
		r.settling = append(r.settling, m.done)
	case *inquiry:
		r.answer(m)
		return
	case *drain:
		r.draining = m.done
	case *actor.Started:
		if r.attempt == 1 {
			return // the engine sends the first alarm, once everything has started
		}
		r.agenda.lookEverywhere() // whatever the incarnation before this one was working on is in the index
	case *actor.Restarting, *actor.Stopping, *actor.Stopped:
		return
	default:
		r.engine.unexpected("reaper", m)
	}
	r.proceed()
}

// proceed starts what can be started and sets the timer for what cannot yet.
func (r *reaper) proceed() {
	now := r.engine.clock.now()
	r.recheck(now)
	canSurvey := !r.surveying && r.draining == nil && len(r.pending) < r.config.MaxPending
	if canSurvey && r.agenda.next() <= now {
		r.surveying, canSurvey = true, false
		known := make(map[string]bool, len(r.pending))
		for key := range r.pending {
			known[key] = true
		}
		attempt, limit := r.attempt, r.config.MaxPending-len(r.pending)
		r.engine.background(func() { r.engine.survey(attempt, now, limit, known) })
	}
	wake := r.reap(now)
	r.agenda.rearm(canSurvey, wake)
	r.gauge(now)
	if r.draining != nil && !r.surveying && !r.deleting {
		r.draining()
		r.draining = nil
	}
	if len(r.settling) > 0 && !r.surveying && !r.deleting && len(r.pending) == 0 && r.agenda.next() > now {
		for _, done := range r.settling {
			done()
		}
		r.settling = nil
	}
}

// surveyed has the generations judged whose entries came due.
func (r *reaper) surveyed(m *surveyed) {
	r.surveying = false
	if m.err != nil {
		r.failed(m.err)
	}
	for _, d := range m.found {
		if r.pending[d.key] != nil {
			continue
		}
		r.hold(d)
		if d.record != nil {
			r.enqueue(d)
			continue
		}
		r.engine.counts.judged.Add(1)
		j := &judgement{conversation: d.conversation, generation: d.generation, due: d.due, attempt: r.attempt}
		if err := r.engine.route(d.conversation, j); err != nil {
			r.later(d, r.engine.clock.now().Add(time.Second))
		}
	}
	for _, shard := range m.shards {
		r.agenda.give(shard)
	}
}

// missed has shards looked at again whose entries the incarnation before asked for: it may have taken them from the agenda after this one had begun.
func (r *reaper) missed(m *surveyed) {
	for _, shard := range m.shards {
		r.agenda.look(shard, 0, r.engine.clock.now())
		r.agenda.give(shard)
	}
}

// judged takes a verdict in.
func (r *reaper) judged(m *verdict) {
	d := r.pending[string(persistence.DueKey(m.conversation, m.due, m.generation))]
	if m.err == nil && m.verdict == conversation.Over {
		r.over(m.ending, m.after)
		return
	}
	if d == nil || d.stage != judging {
		return
	}
	switch {
	case m.err != nil:
		r.later(d, r.engine.clock.now().Add(time.Second))
	case m.verdict == conversation.Moved:
		r.doubted(d, m.after)
	case m.verdict == conversation.Orphaned:
		d.after = m.after
		r.enqueue(d)
	default:
		r.drop(d)
		r.engine.counts.rearmed.Add(1)
	}
}

// doubted has an entry looked at again once what the journal has of it was written over it. If that is so already, the survey read an older snapshot, and the
// next one will see; an entry that still does not agree then is looked at only now and again.
func (r *reaper) doubted(d *dying, after uint64) {
	if after > r.engine.journal.Flushed() {
		d.stage, d.after = waitingForFlush, after
		r.moved = append(r.moved, d)
		return
	}
	at := r.engine.clock.now()
	if _, again := r.doubts[d.key]; again {
		at = at.Add(time.Second)
	}
	if len(r.doubts) >= r.config.MaxPending {
		clear(r.doubts)
	}
	r.doubts[d.key] = struct{}{}
	r.later(d, at)
}

// over takes in a generation that has ended, once.
func (r *reaper) over(e *conversation.Ending, after uint64) {
	key := string(persistence.DueKey(e.Conversation, e.Due, e.Generation))
	d := r.pending[key]
	switch {
	case d != nil && d.stage == queuedUp:
		return
	case d == nil && len(r.pending) >= r.config.MaxPending:
		r.agenda.look(persistence.ShardOf(e.Conversation), e.Due, r.engine.clock.now())
		return
	case d == nil:
		d = &dying{conversation: e.Conversation, shard: persistence.ShardOf(e.Conversation), generation: e.Generation, due: e.Due, key: key}
		r.hold(d)
	}
	d.ending, d.after, d.members = e, after, e.Members
	r.enqueue(d)
}

func (r *reaper) enqueue(d *dying) {
	if d.stage == waitingForFlush {
		r.moved = slices.DeleteFunc(r.moved, func(other *dying) bool { return other == d })
	}
	d.stage, d.since = queuedUp, r.engine.clock.now()
	r.queue = append(r.queue, d)
}

// later leaves a generation to the index, to be looked at again.
func (r *reaper) later(d *dying, at persistence.Instant) {
	r.agenda.look(d.shard, d.due, at)
	r.drop(d) // after that, so that whoever asks what is overdue finds it in one of the two places
}

func (r *reaper) hold(d *dying) {
	r.pending[d.key] = d
	r.agenda.hold(d.key)
}

func (r *reaper) drop(d *dying) {
	delete(r.pending, d.key)
	r.agenda.drop(d.key)
}

// recheck has entries looked at again that the journal has written over by now.
func (r *reaper) recheck(now persistence.Instant) {
	if len(r.moved) == 0 {
		return
	}
	done := r.engine.journal.Flushed()
	r.moved = slices.DeleteFunc(r.moved, func(d *dying) bool {
		if d.after > done {
			return false
		}
		r.later(d, now)
		return true
	})
	if len(r.moved) > 0 {
		r.engine.journal.Flush()
	}
}

// reap starts a batch if there is one and it may start, and returns when to try again where it may not yet.
func (r *reaper) reap(now persistence.Instant) (wake persistence.Instant) {
	if r.deleting || r.draining != nil || len(r.queue) == 0 {
		return persistence.Never
	}
	done := r.engine.journal.Flushed()
	var batch []*dying
	rows := 0
	waiting, full := false, false
	for _, d := range r.queue {
		if d.after > done {
			waiting = true
			break // those behind it wait for the same batch, or a later one
		}
		if full = len(batch) > 0 && (rows+d.rows() > r.config.BatchRows || len(batch) == r.room); full {
			break
		}
		batch = append(batch, d)
		rows += d.rows()
	}
	if waiting {
		r.engine.journal.Flush() // it tells when it is done
	}
	if len(batch) == 0 {
		return persistence.Never
	}
	ready := r.notBefore
	if !full && rows < r.config.BatchRows && len(r.settling) == 0 {
		ready = max(ready, batch[0].since.Add(r.config.BatchDelay))
	}
	if ready > now {
		return ready
	}
	taken := 0
	r.queue = slices.DeleteFunc(r.queue, func(d *dying) bool {
		if taken == len(batch) || d != batch[taken] {
			return false
		}
		taken++
		return true
	})
	r.deleting = true
	attempt, failures := r.attempt, r.failures
	r.engine.background(func() { r.engine.delete(attempt, failures+1, batch) })
	return persistence.Never
}

// rows is about how many rows the generation has.
func (d *dying) rows() int { return 4 + rowsOfMember*int(min(d.members, 1<<30)) }

// deleted takes in how a batch went.
func (r *reaper) deleted(m *deleted) {
	r.deleting = false
	now := r.engine.clock.now()
	if m.err == nil {
		for _, d := range m.batch {
			r.drop(d)
		}
		r.failures = 0
		r.successes++
		if r.room > 0 {
			if r.room *= 2; r.room >= r.config.BatchRows {
				r.room = 0
			}
		}
		r.notBefore = now
		if r.config.RowsPerSecond > 0 {
			r.notBefore = now.Add(time.Duration(m.rows) * time.Second / time.Duration(r.config.RowsPerSecond))
		}
		return
	}
	r.failures++
	r.failed(m.err)
	r.notBefore = now.Add(backOff(r.failures))
	for _, d := range m.batch {
		d.tried = true
	}
	if len(m.batch) == 1 {
		r.failedAlone(m.batch[0], m.err, now)
		return
	}
	r.room = max(1, len(m.batch)/2)
	r.queue = append(m.batch, r.queue...)
}

// failedAlone lets the others go first, and sets a generation aside for a while once it turns out that only it fails, not the store.
func (r *reaper) failedAlone(d *dying, err error, now persistence.Instant) {
	r.room = 1
	if d.failures == 0 {
		d.mark = r.successes
	}
	if d.failures++; d.failures >= tooOften && r.successes > d.mark {
		r.engine.failed(FailedInfo{What: "reaper", Conversation: d.conversation, Reason: err, Failures: d.failures, Quarantined: now.Add(setAside).Time()})
		r.later(d, now.Add(setAside))
		return
	}
	r.queue = append(r.queue, d)
}

func (r *reaper) failed(err error) { r.engine.reapFailed(err) }

// reapFailed counts a failure, which Stats shows until an attempt succeeds, and stops the engine where that is because it may not write any more.
func (e *Engine) reapFailed(err error) (told *error) {
	if errors.Is(err, persistence.ErrFenced) {
		e.fail(err)
	}
	return e.counts.reapFailed(err)
}

// backOff is how long to wait after the n-th failure in a row: it doubles from 50 ms to 5 s, half of it at random.
func backOff(n int) time.Duration {
	d := min(5*time.Second, 50*time.Millisecond<<min(n-1, 10))
	return d/2 + rand.N(d/2+1) //nolint:gosec // jitter
}

// gauge publishes what Stats shows.
func (r *reaper) gauge(now persistence.Instant) {
	oldest := time.Duration(0)
	if len(r.queue) > 0 {
		oldest = now.Sub(r.queue[0].due)
	}
	r.engine.counts.pending.Store(int64(len(r.pending)))
	r.engine.counts.oldest.Store(int64(oldest))
}
