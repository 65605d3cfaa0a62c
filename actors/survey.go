package actors

import (
	"context"
	"time"

	"github.com/parley-im/parley/persistence"
)

// survey looks at the shards whose time has come and reports the due entries that have come due, at most `limit`, without those known already, by their keys. It
// removes old events on the way. It tells the agenda when to look at each shard next.
func (e *Engine) survey(attempt uint64, now persistence.Instant, limit int, known map[string]bool) {
	report := &surveyed{attempt: attempt}
	defer e.tellReaper(report)
	for {
		if len(report.found) >= limit {
			report.more = report.more || e.agenda.next() <= now
			return
		}
		shard, from, ok := e.agenda.take(now)
		if !ok {
			return
		}
		report.shards = append(report.shards, shard)
		err := e.surveyShard(shard, from, now, limit, known, report)
		if err == nil {
			err = e.forget(shard, now)
		}
		if err != nil {
			report.err = err
			e.agenda.look(shard, from, now.Add(time.Second))
			return
		}
	}
}

func (e *Engine) surveyShard(shard persistence.Shard, from, now persistence.Instant, limit int, known map[string]bool, report *surveyed) error {
	// The overlay first, then the snapshot: what leaves the one is in the other.
	overlay, after := e.journal.Dues(shard)
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	take := func(key, value []byte, after, read uint64) (more bool, err error) {
		name, deadline, generation, err := persistence.ParseDueKey(key)
		switch {
		case err != nil:
			return false, err
		case deadline > now:
			e.agenda.look(shard, deadline, deadline)
			return false, nil
		case known[string(key)]:
			report.passed = append(report.passed, passed{shard: shard, due: deadline, key: string(key)})
			return true, nil
		case len(report.found) >= limit:
			report.more = true
			e.agenda.look(shard, deadline, now)
			return false, nil
		}
		entry, err := persistence.DecodeDue(value)
		if err != nil {
			return false, err
		}
		known[string(key)] = true
		d := &dying{conversation: name, shard: shard, generation: generation, due: deadline, key: string(key), after: after, record: entry.Ended, index: entry.Index}
		d.seen.entry.Snapshot = read
		if entry.Ended != nil {
			d.members = uint64(len(entry.Ended.Users))
		}
		report.found = append(report.found, d)
		return true, nil
	}
	for _, entry := range overlay {
		if _, err := take(entry.Key, entry.Value, after, 0); err != nil {
			return err
		}
	}
	for row, err := range snapshot.Scan(e.ctx, persistence.DueRange(shard, from, persistence.Never)) {
		if err != nil {
			return err
		}
		if more, err := take(row.Key, row.Value, 0, snapshot.Number()); err != nil || !more {
			return err
		}
	}
	return nil
}

// commit writes groups of the reaper's. An error of a single group is one of the whole.
func (e *Engine) commit(ctx context.Context, now persistence.Instant, groups []persistence.Group) error {
	results, err := e.store.Commit(ctx, persistence.Batch{Clock: now, Groups: groups})
	if err != nil {
		return err
	}
	for _, result := range results {
		if result.Err != nil {
			return result.Err
		}
	}
	return nil
}
