package actors

import (
	"github.com/parley-im/parley/actors/histogram"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// Stages is how long each stage of proposals took, by the engine's clock and to the microsecond. Queue and Apply are of all that had their turn, Journal and Commit of those whose
// answer waited for the store.
type Stages struct {
	Queue   histogram.Histogram // from when it was taken in until its turn began; the reading of rows that it needed is in it
	Apply   histogram.Histogram // its turn
	Journal histogram.Histogram // from then until the journal began to write its batch
	Commit  histogram.Histogram // from then until the store had it
}

// turnStages counts the stages that a worker sees. One goroutine counts; any may read.
type turnStages struct{ queue, apply histogram.Recorder }

// waitStages counts the stages of those who wait for the store.
type waitStages struct{ journal, commit histogram.Recorder }

func (e *Engine) stages() (s Stages) {
	for _, w := range e.workers {
		s.Queue.Add(&w.stages.queue)
		s.Apply.Add(&w.stages.apply)
	}
	s.Journal.Add(&e.counts.waits.journal)
	s.Commit.Add(&e.counts.waits.commit)
	return s
}

// waited ends the last two stages of a proposal whose answer waited for the store since it was applied.
func (e *Engine) waited(i *ProposedInfo, applied persistence.Instant, when journal.Written) {
	ended := when.Ended
	if ended == 0 {
		ended = e.clock.now() // it was there, or it is not
	}
	began := ended
	if when.Began != 0 {
		began = when.Began
	}
	began = max(began, applied) // somebody else's change, which this one repeats, may have been on its way
	i.Journal, i.Commit = began.Sub(applied), max(ended, began).Sub(began)
	e.counts.waits.journal.Record(i.Journal)
	e.counts.waits.commit.Record(i.Commit)
}

// proposed tells the observer of a proposal that is about to be answered.
func (e *Engine) proposed(p *Proposal, i *ProposedInfo) {
	if e.config.Observer.Proposed == nil {
		return
	}
	if p != nil {
		i.Conversation, i.Ack = p.Conversation, p.Ack
		if p.Change != nil {
			i.Kind = p.Change.Kind()
		}
	}
	e.config.Observer.Proposed(*i)
}
