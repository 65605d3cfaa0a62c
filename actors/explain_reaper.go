package actors

import (
	"cmp"
	"context"
	"slices"

	"github.com/parley-im/parley/persistence"
)

// inquiry asks what the reaper has of a conversation. Engine → reaper; it is answered once, and does not wait for the answer to be taken.
type inquiry struct {
	conversation string
	answer       chan<- *ReaperExplanation // has room
}

// answer says what the reaper has. It changes nothing.
func (r *reaper) answer(m *inquiry) {
	now, flushed := r.engine.clock.now(), r.engine.journal.Flushed()
	e := &ReaperExplanation{Failures: r.breaker.failures, Waiting: len(r.queue)}
	if resumes := max(r.backOff, r.pace.next()); resumes > now {
		e.Resumes = resumes.Time()
	}
	if err := r.engine.counts.reapErr.Load(); err != nil {
		e.Err = *err
	}
	for _, d := range r.pending {
		if d.conversation != m.conversation {
			continue
		}
		g := ReapExplanation{Generation: d.generation, Due: d.due.Time(), Tried: d.tried, Failures: d.failures}
		switch d.stage {
		case gone:
			continue
		case noticed, judging:
			g.Stage = LifeJudging
		case waitingForFlush:
			g.Stage, g.After = LifeMoved, d.after
		case queuedUp:
			if g.Ahead = slices.Index(r.queue, d); g.Ahead < 0 {
				g.Stage, g.Ahead = LifeDeleting, 0
			} else if g.Stage = LifeQueued; d.after > flushed {
				g.Stage, g.After = LifeFlushing, d.after
			}
		}
		e.Generations = append(e.Generations, g)
	}
	slices.SortFunc(e.Generations, func(a, b ReapExplanation) int { return cmp.Compare(a.Generation, b.Generation) })
	m.answer <- e
}

// askReaper returns what the reaper has of a conversation. Turns of the reaper wait for nothing, so that this does not either, but for its turn.
func (e *Engine) askReaper(ctx context.Context, name string) (*ReaperExplanation, error) {
	answer := make(chan *ReaperExplanation, 1)
	e.tellReaper(&inquiry{conversation: name, answer: answer})
	select {
	case found := <-answer:
		return found, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-e.done:
		return nil, ErrStopped
	}
}

// looks returns when the shard's due index is looked at next, and from which deadline on; Never where nobody asked for it.
func (a *agenda) looks(shard persistence.Shard) (from, at persistence.Instant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.shards[shard].from, a.shards[shard].at
}
