package actors

import (
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/persistence"
)

// counts is what the engine counts as it goes.
type counts struct {
	received, applied, refused, overloaded atomic.Uint64
	activations, passivations, panics      atomic.Uint64
	judged, rearmed, expired               atomic.Uint64
	reapedRows, batches, reapFailures      atomic.Uint64
	pending, oldest                        atomic.Int64
	reapErr                                atomic.Pointer[error]
	hostStops                              atomic.Uint64 // Stop and Poison that hosts sent to the engine's address
}

func (c *counts) reapFailed(err error) {
	c.reapFailures.Add(1)
	c.reapErr.Store(&err)
}

// Stats returns what the engine counts. It looks at every conversation in memory; call it for people and scrapes, not in a loop.
func (e *Engine) Stats() Stats {
	j := e.journal.Stats()
	s := Stats{
		Proposals: ProposalStats{
			Applied:    e.counts.applied.Load(),
			Refused:    e.counts.refused.Load(),
			Overloaded: e.counts.overloaded.Load(),
		},
		Cells: CellStats{
			Activations:  e.counts.activations.Load(),
			Passivations: e.counts.passivations.Load(),
			Failures:     e.counts.panics.Load(),
		},
		Journal: JournalStats{
			Rows: j.Rows, Bytes: j.Bytes, Age: j.Age, Flushes: j.Flushes, Flushed: j.Flushed, Failures: j.Failed, Err: j.Err,
		},
		Reaper: ReaperStats{
			Pending:  int(e.counts.pending.Load()),
			Judged:   e.counts.judged.Load(),
			Rearmed:  e.counts.rearmed.Load(),
			Expired:  e.counts.expired.Load(),
			Rows:     e.counts.reapedRows.Load(),
			Batches:  e.counts.batches.Load(),
			Failures: e.counts.reapFailures.Load(),
			Oldest:   time.Duration(e.counts.oldest.Load()),
		},
		Events: e.events.stats(),
	}
	// Received is read last, so that it is never less than what became of it.
	s.Proposals.Received = e.counts.received.Load()
	s.Proposals.Waiting = s.Proposals.Received - s.Proposals.Applied - s.Proposals.Refused
	if next := e.agenda.next(); next != persistence.Never {
		s.Reaper.NextDue = next.Time()
	}
	if err := e.counts.reapErr.Load(); err != nil {
		s.Reaper.Err = *err
	}
	for _, sh := range e.shards {
		s.Cells.Active += int(sh.active.Load())
		for _, c := range sh.all() {
			c.mu.Lock()
			if c.phase == quarantined {
				s.Cells.Quarantined++
			}
			c.mu.Unlock()
		}
	}
	return s
}
