package actors

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/parley-im/parley/persistence"
)

// pruner removes what no cursor asks for any more: removals, and the entries of changes that were a user's own, once they are older than any cursor is taken for good. Nothing
// else points at these rows, and no conversation waits for them to go. A membership whose entry went writes a new one with its next change.
//
// It goes through the keys of all users in steps. Each step reads a bounded number of rows from a snapshot of its own, removes those that are old in one batch, and then rests as long as
// that asks for. What is in the way of a step (the store fails) delays it; the pass goes on where it was. After a restart it begins anew.
type pruner struct {
	*chore

	// Only the step under way uses these.
	at       position
	failures int    // of steps in a row
	failure  *error // the last of them, as Stats shows it
}

// position is how far a pass has come.
type position struct {
	space int    // 0: removals, 1: entries, 2: the pass has been through both
	after []byte // the last key that was dealt with; nil: none
}

const (
	prunedSpaces = 2
	// pruneSoon is how long after the start the first pass begins, so that an engine which is restarted often prunes, too.
	pruneSoon = 10 * time.Minute
	// pruneReads is how many rows a step reads at most: a snapshot is held for a few milliseconds.
	pruneReads = 4_096
	// readsPerDelete is how many rows may be read for one that may be deleted.
	readsPerDelete = 16
	// pruneBackOff is how long to wait at most after a failure.
	pruneBackOff = 5 * time.Second
	// pruneShare divides Reaper.MinRowsPerSecond: nobody waits for old rows to go, and the reaper may be at work at the same time.
	pruneShare = 4
)

func newPruner(e *Engine) *pruner {
	p := &pruner{}
	p.chore = newChore(e, p.prune)
	return p
}

// interval is how long to wait between two passes. A row may stay that much longer than it must.
func (p *pruner) interval() time.Duration { return max(time.Minute, p.engine.config.SyncHorizon/30) }

// start has the first pass begin when its time comes.
func (p *pruner) start() { p.arm(min(pruneSoon, p.interval())) }

// prune removes what is old among the rows behind the position, and returns when to take the next step.
func (p *pruner) prune() (wait time.Duration) {
	e := p.engine
	found, err := p.find(e.clock.now())
	if err == nil && found.rows > 0 {
		err = p.remove(found)
	}
	if err == nil && found.next.space == prunedSpaces {
		err = p.tick()
	}
	switch {
	case p.ctx.Err() != nil:
		return 0 // that it failed is what stop asked for
	case err != nil:
		p.failures++
		p.failure = e.reapFailed(err)
		return backOff(p.failures, pruneBackOff)
	}
	e.counts.reapRecovered(p.failure)
	p.failures, p.failure = 0, nil
	p.at = found.next
	if p.at.space == prunedSpaces {
		p.at = position{}
		return p.interval()
	}
	return e.pace.unhurried(pruneShare * (found.rows + found.read/readsPerDelete))
}

// tick moves the store's clock on where nobody else does. No cursor is younger than that clock: on a store at rest they would all get too old, though nothing changed.
func (p *pruner) tick() error {
	now := p.engine.clock.now()
	if p.engine.store.Meta().Clock > now.Add(-p.interval()) {
		return nil
	}
	return p.engine.commit(p.ctx, now, nil)
}

// oldRows is what a step has found.
type oldRows struct {
	groups []persistence.Group
	rows   int // to be removed by those, at most Reaper.BatchRows
	read   int
	oldest persistence.Instant // of the rows to be removed
	next   position            // once they are gone
}

// find reads on from the position until it has a batch, or has read enough for one step.
func (p *pruner) find(now persistence.Instant) (found oldRows, err error) {
	limit := now.Add(-p.engine.config.SyncHorizon - horizonSlack)
	found = oldRows{oldest: persistence.Never, next: p.at}
	within := [prunedSpaces]persistence.Range{persistence.AllRemovals(), persistence.AllEntries()}[p.at.space]
	if p.at.after != nil {
		within = within.After(p.at.after)
	}
	snapshot, err := p.engine.store.Snapshot()
	if err != nil {
		return found, err
	}
	defer snapshot.Close()
	groups := map[persistence.Shard]*persistence.Group{}
	for row, err := range snapshot.Scan(p.ctx, within) {
		if err != nil {
			return found, err
		}
		if found.read == pruneReads || found.rows == p.engine.config.Reaper.BatchRows {
			found.groups = inOrder(groups)
			return found, nil
		}
		found.read++
		key := bytes.Clone(row.Key)
		found.next.after = key
		name, at, old, err := outdated(key, limit)
		if err != nil {
			p.engine.reapFailed(err) // and goes on: it would fail the next time, too
			continue
		}
		if !old {
			continue
		}
		shard := persistence.ShardOf(name)
		if groups[shard] == nil {
			groups[shard] = &persistence.Group{Shard: shard, Epoch: p.engine.shards[shard].epoch}
		}
		groups[shard].Deletes = append(groups[shard].Deletes, persistence.Delete{Key: key})
		found.rows++
		found.oldest = min(found.oldest, at)
	}
	found.next = position{space: p.at.space + 1}
	found.groups = inOrder(groups)
	return found, nil
}

func inOrder(groups map[persistence.Shard]*persistence.Group) (sorted []persistence.Group) {
	for _, shard := range slices.Sorted(maps.Keys(groups)) {
		sorted = append(sorted, *groups[shard])
	}
	return sorted
}

// outdated reports whether all that a row tells of has a stamp below the limit, and of which conversation and time it is.
func outdated(key []byte, limit persistence.Instant) (name string, at persistence.Instant, old bool, err error) {
	if persistence.KindOf(key) == persistence.KindRemoval {
		_, stamp, name, err := persistence.ParseRemovalKey(key)
		return name, persistence.Instant(stamp), persistence.Instant(stamp) < limit, err
	}
	_, kind, at, name, err := persistence.ParseEntryKey(key)
	// An entry tells of changes that are up to that much later.
	return name, at, kind == persistence.EntryOwn && at <= limit-persistence.EntryReach, err
}

// remove deletes what was found. The rows are absolute: none that is old is ever written again, but for what has been waiting in the journal for as long.
func (p *pruner) remove(found oldRows) (err error) {
	e := p.engine
	began := e.clock.now()
	info := ReapInfo{Rows: found.rows, Age: began.Sub(found.oldest), Attempt: p.failures + 1}
	if e.config.Observer.ReapBegin != nil {
		e.config.Observer.ReapBegin(info)
	}
	info.Rows = 0
	results, err := e.store.Commit(p.ctx, persistence.Batch{Clock: began, Groups: found.groups})
	for _, result := range results {
		err = errors.Join(err, result.Err)
		info.Rows += result.Deleted
	}
	e.counts.pruned.Add(uint64(info.Rows))
	info.Err, info.Took = err, e.clock.now().Sub(began)
	if e.config.Observer.ReapEnd != nil {
		e.config.Observer.ReapEnd(info)
	}
	return err
}
