package actors

import (
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors/histogram"
	"github.com/parley-im/parley/persistence"
)

// counts is what the engine counts as it goes.
type counts struct {
	refused                                   tally         // proposals
	uncommitted                               atomic.Uint64 // among those applied, that were answered with an error
	waits                                     waitStages
	activations, passivations, visits, panics atomic.Uint64
	judged, rearmed, expired                  atomic.Uint64
	reapedRows, batches, reapFailures         atomic.Uint64
	due, batched, retried, setAside           atomic.Uint64
	pruned                                    atomic.Uint64
	pending                                   atomic.Int64
	forgotten, forgottenUsers                 atomic.Uint64
	backlog, backlogRows                      atomic.Int64
	lateness                                  histogram.Recorder
	holding                                   holding
	commits                                   struct{ journal, upkeep histogram.Recorder }
	reapErr                                   atomic.Pointer[error]
	lists, syncs, badges                      readCounts
	hostStops                                 atomic.Uint64 // Stop and Poison that hosts sent to the engine's address
}

// readCounts counts what answers about users' conversations took.
type readCounts struct {
	calls, failures, entries, merged, conversations, rows, pending atomic.Uint64
	took                                                           histogram.Recorder
}

func (c *readCounts) add(i *ReadInfo) {
	c.took.Record(i.Took)
	if i.Err != nil {
		c.failures.Add(1)
		return
	}
	cost := &i.Cost
	c.calls.Add(1)
	c.entries.Add(uint64(cost.Entries))
	c.merged.Add(uint64(cost.Merged))
	c.conversations.Add(uint64(cost.Conversations))
	c.rows.Add(uint64(cost.Rows))
	c.pending.Add(uint64(cost.Pending))
}

func (c *readCounts) stats() ReadStats {
	s := ReadStats{
		Calls: c.calls.Load(), Failures: c.failures.Load(), Entries: c.entries.Load(), Merged: c.merged.Load(), Conversations: c.conversations.Load(),
		Rows: c.rows.Load(), Pending: c.pending.Load(),
	}
	s.Took.Add(&c.took)
	return s
}

// answered counts an answer about a user's conversations, and tells the observer of it.
func (e *Engine) answered(i *ReadInfo, began persistence.Instant) {
	i.Took = e.clock.now().Sub(began)
	switch i.What {
	case "list":
		e.counts.lists.add(i)
	case "sync":
		e.counts.syncs.add(i)
	case "badge":
		e.counts.badges.add(i)
	}
	if e.config.Observer.Read != nil {
		e.config.Observer.Read(*i)
	}
}

func (c *counts) reapFailed(err error) (told *error) {
	c.reapFailures.Add(1)
	c.reapErr.Store(&err)
	return &err
}

// reapRecovered takes back what a failure told, unless there was another since; nil: there was none.
func (c *counts) reapRecovered(told *error) {
	if told != nil {
		c.reapErr.CompareAndSwap(told, nil)
	}
}

// Stats returns what the engine counts. It looks at every conversation in memory; call it for people and scrapes, not in a loop.
func (e *Engine) Stats() Stats {
	j, now := e.journal.Stats(), e.clock.now()
	s := Stats{
		Proposals: ProposalStats{
			Uncommitted: e.counts.uncommitted.Load(),
			Queued:      int(e.queued.Load()),
			Results:     e.results(),
			Stages:      e.stages(),
		},
		Cells: CellStats{
			Activations:  e.counts.activations.Load(),
			Visits:       e.counts.visits.Load(),
			Passivations: e.counts.passivations.Load(),
			Failures:     e.counts.panics.Load(),
			Bound:        int(e.residency.perShard.Load()) * persistence.Shards,
			Evictions:    e.residency.evicted.Load(),
			Unpacked:     e.residency.unpacked.Load(),
			Memory:       e.residency.used.Load(),
			MemoryLimit:  e.residency.limit.Load(),
		},
		Journal: JournalStats{
			Rows: j.Rows, Bytes: j.Bytes, Age: j.Age, Logs: j.Logs, Flushes: j.Flushes, Flushed: j.Flushed, Failures: j.Failed, Err: j.Err,
		},
		Reaper: ReaperStats{
			Pending:  int(e.counts.pending.Load()),
			Due:      e.counts.due.Load(),
			Judged:   e.counts.judged.Load(),
			Rearmed:  e.counts.rearmed.Load(),
			Expired:  e.counts.expired.Load(),
			Rows:     e.counts.reapedRows.Load(),
			Batches:  e.counts.batches.Load(),
			Batched:  e.counts.batched.Load(),
			Retried:  e.counts.retried.Load(),
			SetAside: e.counts.setAside.Load(),
			Pruned:   e.counts.pruned.Load(),
			Failures: e.counts.reapFailures.Load(),
			Oldest:   e.overdue(now),
		},
		Forget: e.orders.stats(e.clock.now()),
		Store:  StoreStats{Census: e.census.latest()},
		Events: e.events.stats(),
		Lists:  e.counts.lists.stats(),
		Syncs:  e.counts.syncs.stats(),
		Badges: e.counts.badges.stats(),
	}
	s.Forget.Forgotten, s.Forget.Done = e.counts.forgotten.Load(), e.counts.forgottenUsers.Load()
	for _, r := range s.Proposals.Results {
		switch {
		case r.Result <= ResultNothing:
			s.Proposals.Applied += r.Count
		default:
			s.Proposals.Refused += r.Count
		}
		if r.Result == ResultOverloaded {
			s.Proposals.Overloaded += r.Count
		}
	}
	s.Reaper.Lateness.Add(&e.counts.lateness)
	s.Reaper.HeldBy, s.Reaper.HeldFor = e.counts.holding.stats(now)
	s.Store.JournalCommits.Add(&e.counts.commits.journal)
	s.Store.ReaperCommits.Add(&e.counts.commits.upkeep)
	// Received is read last, so that it is never less than what became of it.
	s.Proposals.Received = e.received.Load()
	s.Proposals.Waiting = s.Proposals.Received - s.Proposals.Applied - s.Proposals.Refused
	if next := e.agenda.next(); next != persistence.Never {
		s.Reaper.NextDue = next.Time()
	}
	if err := e.counts.reapErr.Load(); err != nil {
		s.Reaper.Err = *err
	}
	e.reaperPace(&s.Reaper)
	for _, sh := range e.shards {
		s.Cells.Active += int(sh.active.Load())
		s.Cells.Packed += int(sh.mem.count.Load())
		s.Cells.PackedBytes += int(sh.mem.bytes.Load())
		for _, c := range sh.cells.all() {
			s.Cells.Known++
			c.mu.Lock()
			if c.phase == quarantined {
				s.Cells.Quarantined++
			}
			for _, m := range c.queue.peek(1) {
				if first, ok := m.(*intake); ok {
					s.Proposals.Oldest = max(s.Proposals.Oldest, now.Sub(first.at))
				}
			}
			c.mu.Unlock()
		}
	}
	return s
}

// results returns what became of proposals, however they came in.
func (e *Engine) results() []ResultCount {
	counts := e.counts.refused.all()
	for _, w := range e.workers {
		for i, applied := range w.tally.all() {
			counts[i].Count += applied.Count
		}
	}
	return counts
}

// reaperPace fills in how fast the reaper is, and why.
func (e *Engine) reaperPace(s *ReaperStats) {
	var felt feeling
	s.Rate, s.Pace, felt = e.pace.rates(e.clock.now())
	s.Felt, s.Quiet = felt.Felt, felt.Quiet
	s.Backlog = int(e.counts.backlog.Load())
	speed := s.Rate
	if speed == 0 {
		speed = s.Pace
	}
	if speed > 0 {
		s.ETA = time.Duration(float64(e.counts.backlogRows.Load()) / speed * float64(time.Second))
	}
}

// feel reads what proposals feel.
func (e *Engine) feel(now persistence.Instant) feeling {
	f := e.strain.read(now)
	f.Waiting = e.waiting()
	if e.config.MaxJournalBytes > 0 {
		f.Fill = float64(e.journal.Stats().Bytes) / float64(e.config.MaxJournalBytes)
	}
	return f
}

// waiting returns how many proposals were accepted and not applied yet.
func (e *Engine) waiting() int {
	done := e.counts.refused.total()
	for _, w := range e.workers {
		done += w.tally.total()
	}
	return int(max(e.received.Load(), done) - done)
}
