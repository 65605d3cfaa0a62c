package actors

import (
	"slices"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

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
	seen         sights               // of its rows
	since        persistence.Instant  // in the queue
	tried        bool                 // a deletion was tried, and may have been carried out
	borne        bool                 // the store was seen to bear out what it was judged by
	refuted      bool                 // it does not
	failures     int                  // of batches that it was alone in
	mark         uint64               // the batches that had succeeded at the first of those
}

// sights are of those rows of a generation that were read when it came due, or when it was judged: what deletes them need not read them once more.
type sights struct{ entry, head, roster persistence.Sight }

type stage uint8

const (
	noticed stage = iota // it is to be judged
	judging
	queuedUp
	waitingForFlush
	gone // the reaper is not dealing with it any more
)

// maxAsked is how many generations are judged at a time. For each a conversation is read that may not have been in memory for long: a mass that comes due at once must not
// take the place of those that are spoken in.
const maxAsked = 256

// maxDockets is in how many dockets: while one is read, what the other came to is being deleted.
const maxDockets = 2

// rowsOfMove is what a judgement is charged that moves an entry: one row goes, one comes.
const rowsOfMove = 2

// enter moves a generation on to another stage.
func (r *reaper) enter(d *dying, to stage) {
	if d.stage == judging {
		r.asked--
	}
	if to == judging {
		r.asked++
	}
	d.stage = to
}

// ask has generations judged that came due: so many at a time, and no more than the pace allows. It returns when to go on, where that is held by the pace.
func (r *reaper) ask(now persistence.Instant) (wake persistence.Instant) {
	if r.draining != nil {
		return persistence.Never
	}
	for r.found.len() > 0 && r.asked < maxAsked && r.dockets < maxDockets {
		if r.found.peek(1)[0].stage != noticed {
			r.found.pop() // it ended by itself
			continue
		}
		if next := r.pace.next(); next > now {
			r.pace.want()
			return next
		}
		k := &docket{engine: r.engine, attempt: r.attempt}
		for r.found.len() > 0 && len(k.due) < maxAsked/maxDockets && r.asked < maxAsked {
			if d := r.found.pop(); d.stage == noticed {
				r.enter(d, judging)
				k.due = append(k.due, d)
			}
		}
		r.engine.counts.judged.Add(uint64(len(k.due)))
		r.dockets++
		r.engine.background(k.run)
	}
	return persistence.Never
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
	now := r.engine.clock.now()
	switch {
	case m.err != nil:
		r.later(d, now.Add(retryAfter))
	case m.verdict == conversation.Moved:
		r.doubted(d, m.after)
	case m.verdict == conversation.Orphaned:
		d.after = m.after
		r.enqueue(d)
	default:
		r.drop(d)
		r.backlog.done(1)
		r.pace.take(now, rowsOfMove)
		r.engine.counts.rearmed.Add(1)
	}
}

// doubted has an entry looked at again once what the journal has of it was written over it. If that is so already, the survey read an older snapshot, and the
// next one will see; an entry that still does not agree then is looked at only now and again.
func (r *reaper) doubted(d *dying, after uint64) {
	if after > r.engine.journal.Flushed() {
		r.enter(d, waitingForFlush)
		d.after = after
		r.moved = append(r.moved, d)
		return
	}
	at := r.engine.clock.now()
	if _, again := r.doubts[d.key]; again {
		at = at.Add(retryAfter)
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
	d.ending, d.after, d.members, d.index = e, after, e.Members, e.Index
	r.enqueue(d)
}

func (r *reaper) enqueue(d *dying) {
	if d.stage == waitingForFlush {
		r.moved = slices.DeleteFunc(r.moved, func(other *dying) bool { return other == d })
	}
	r.enter(d, queuedUp)
	d.since = r.engine.clock.now()
	r.queue = append(r.queue, d)
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
