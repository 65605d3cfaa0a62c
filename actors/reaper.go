package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/persistence"
)

// reaper deletes what was judged expired. It reads due entries when their deadline has come, has each generation judged, by its conversation or from its rows, and deletes
// the rows of those that are over, in batches, at a pace, however often that takes. It never judges, and no turn of its waits: reading, judging and deleting is done by
// goroutines of the engine that report by message, at most one that reads due entries, two that judge and three that delete.
//
// What it holds is only what it is working on. Everything it has yet to do is in the due index: a restart, or a bound on its memory, loses nothing.
type reaper struct {
	engine  *Engine
	agenda  *agenda
	config  ReaperConfig
	pace    *pace
	attempt uint64 // which incarnation this is

	pending   map[string]*dying   // all below, by the key of the due entry
	found     fifo[*dying]        // to be judged, some of which have been meanwhile
	asked     int                 // how many are being judged
	dockets   int                 // in which they are, as long as not all of those is known
	queue     []*dying            // over; to be deleted, oldest first
	moved     []*dying            // their entry will be another one once the journal was flushed
	doubts    map[string]struct{} // entries that did not agree with what was in the store already
	surveying bool
	flying    int // batches
	breaker   breaker
	successes uint64              // of batches
	backOff   persistence.Instant // when the next batch may be tried after one that failed
	backlog   backlog
	settling  []func()
	draining  func()
}

// surveyed brings due entries. Survey → reaper.
type surveyed struct {
	attempt uint64
	shards  []persistence.Shard // that were looked at
	found   []*dying
	passed  []passed // those that were known when it began
	more    bool     // there are others that are due
	err     error
}

// passed is a due entry that a survey passed over because the reaper was dealing with it.
type passed struct {
	shard persistence.Shard
	due   persistence.Instant
	key   string
}

func newReaper(e *Engine) *reaper {
	return &reaper{
		engine: e, agenda: e.agenda, config: e.config.Reaper, pace: e.pace, attempt: e.reaperAttempts.Add(1),
		pending: map[string]*dying{}, doubts: map[string]struct{}{}, breaker: newBreaker(e.config.Reaper.BatchRows, e.pace.bounded()),
	}
}

// Receive implements actor.Actor.
func (r *reaper) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *alarm, *flushed:
	case *verdict:
		r.judged(m)
	case *tried:
		if m.attempt == r.attempt {
			r.tried(m)
		}
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
	case *counted:
		if m.attempt == r.attempt {
			r.backlog.counted(m, r.engine.clock.now())
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
	r.steer(now)
	r.recheck(now)
	canSurvey := !r.surveying && r.draining == nil && len(r.pending) <= r.config.MaxPending/2
	if canSurvey && r.agenda.next() <= now {
		r.surveying, canSurvey = true, false
		known := make(map[string]bool, len(r.pending))
		for key := range r.pending {
			known[key] = true
		}
		attempt, limit := r.attempt, r.config.MaxPending-len(r.pending)
		r.engine.background(func() { r.engine.survey(attempt, now, limit, known) })
	}
	asking := r.ask(now)
	reaping, held := r.reap(now)
	r.agenda.rearm(canSurvey, min(asking, reaping))
	r.gauge(now, held)
	if r.draining != nil && !r.surveying && r.flying == 0 {
		r.draining()
		r.draining = nil
	}
	if len(r.settling) > 0 && !r.surveying && r.flying == 0 && len(r.pending) == 0 && r.agenda.next() > now {
		for _, done := range r.settling {
			done()
		}
		r.settling = nil
	}
}

// steer adapts the pace to what proposals feel.
func (r *reaper) steer(now persistence.Instant) {
	if len(r.pending) == 0 {
		return // a pace that is not used says nothing
	}
	turned := r.pace.steer(now, func() feeling {
		f := r.engine.feel(now)
		f.Late = r.late(now)
		return f
	})
	if turned != nil && r.engine.config.Observer.Paced != nil {
		r.engine.config.Observer.Paced(*turned)
	}
}

// oldest returns the earliest deadline of what is held in memory and does not fail, Never where there is none.
func (r *reaper) oldest() persistence.Instant {
	oldest := persistence.Never
	for _, d := range r.queue {
		if d.failures == 0 {
			oldest = d.due
			break
		}
	}
	if r.found.len() > 0 {
		oldest = min(oldest, r.found.peek(1)[0].due)
	}
	return oldest
}

// late returns for how long the oldest could have been gone: what was due before the engine began could not.
func (r *reaper) late(now persistence.Instant) time.Duration {
	oldest := r.oldest()
	if oldest == persistence.Never {
		return 0
	}
	return now.Sub(max(oldest, r.engine.began))
}

// surveyed takes in due entries. Those of generations that are known to be over need no judgement.
func (r *reaper) surveyed(m *surveyed) {
	r.surveying = false
	r.engine.counts.due.Add(uint64(len(m.found)))
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
		r.found.push(d)
	}
	now := r.engine.clock.now()
	for _, p := range m.passed {
		if r.pending[p.key] == nil {
			// It was left to the index after the survey had begun and, perhaps, before that took its shard, and with it the wish to look at the shard again.
			r.agenda.look(p.shard, p.due, now)
		}
	}
	for _, shard := range m.shards {
		r.agenda.give(shard)
	}
	if r.backlog.surveyed(m.more, now) {
		attempt := r.attempt
		r.engine.background(func() { r.engine.countDue(attempt, now) })
	}
}

// missed has shards looked at again whose entries the incarnation before asked for: it may have taken them from the agenda after this one had begun.
func (r *reaper) missed(m *surveyed) {
	for _, shard := range m.shards {
		r.agenda.look(shard, 0, r.engine.clock.now())
		r.agenda.give(shard)
	}
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
	r.enter(d, gone)
	delete(r.pending, d.key)
	r.agenda.drop(d.key)
}

func (r *reaper) failed(err error) { r.engine.reapFailed(err) }

// gauge publishes what Stats shows.
func (r *reaper) gauge(now persistence.Instant, held Held) {
	c := &r.engine.counts
	c.pending.Store(int64(len(r.pending)))
	generations, rows := r.backlog.left(len(r.pending))
	c.backlog.Store(int64(generations))
	c.backlogRows.Store(int64(rows))
	c.holding.becomes(held, now)
}
