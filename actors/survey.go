package actors

import (
	"context"
	"time"

	"github.com/parley-im/parley/persistence"
)

// survey looks at the shards whose time has come and reports the due entries that have come due, at most `limit`. It removes old events on the way.
// It tells the agenda when to look at each shard next.
func (e *Engine) survey(attempt uint64, now persistence.Instant, limit int) {
	report := &surveyed{attempt: attempt}
	defer e.tellReaper(report)
	seen := map[string]bool{}
	for len(report.found) < limit {
		shard, from, ok := e.agenda.take(now)
		if !ok {
			return
		}
		err := e.surveyShard(shard, from, now, limit, seen, report)
		if err == nil {
			err = e.trim(shard, now)
		}
		if err != nil {
			report.err = err
			e.agenda.look(shard, from, now.Add(time.Second))
			return
		}
	}
}

func (e *Engine) surveyShard(shard persistence.Shard, from, now persistence.Instant, limit int, seen map[string]bool, report *surveyed) error {
	// The overlay first, then the snapshot: what leaves the one is in the other.
	overlay, after := e.journal.Dues(shard)
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	take := func(key, value []byte, after uint64) (more bool, err error) {
		name, deadline, generation, err := persistence.ParseDueKey(key)
		switch {
		case err != nil:
			return false, err
		case deadline > now:
			e.agenda.look(shard, deadline, deadline)
			return false, nil
		case len(report.found) >= limit:
			e.agenda.look(shard, deadline, now)
			return false, nil
		case seen[string(key)]:
			return true, nil
		}
		entry, err := persistence.DecodeDue(value)
		if err != nil {
			return false, err
		}
		seen[string(key)] = true
		d := &dying{conversation: name, shard: shard, generation: generation, due: deadline, key: string(key), after: after, record: entry.Ended}
		if entry.Ended != nil {
			d.members = uint64(len(entry.Ended.Users))
		}
		report.found = append(report.found, d)
		return true, nil
	}
	for _, entry := range overlay {
		if _, err := take(entry.Key, entry.Value, after); err != nil {
			return err
		}
	}
	for row, err := range snapshot.Scan(e.ctx, persistence.DueRange(shard, from, persistence.Never)) {
		if err != nil {
			return err
		}
		if more, err := take(row.Key, row.Value, 0); err != nil || !more {
			return err
		}
	}
	return nil
}

// trim removes the events of a shard that are older than they are kept, and the tombstones of their generations with them: events are numbered as time goes by,
// so the log is the index of both.
func (e *Engine) trim(shard persistence.Shard, now persistence.Instant) error {
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	group := persistence.Group{Shard: shard, Epoch: e.shards[shard].epoch}
	again := persistence.Never
	for row, err := range snapshot.Scan(e.ctx, persistence.EventsRange(shard, 0)) {
		if err != nil {
			return err
		}
		event, err := persistence.DecodeEvent(row.Value)
		if err != nil {
			return err
		}
		if again = event.At.Add(e.config.KeepExpired); again > now {
			break
		}
		again = persistence.Never
		// A head with that generation can only be the tombstone: the generation was deleted in the commit that wrote the event.
		group.Deletes = append(group.Deletes,
			persistence.Delete{Key: append([]byte(nil), row.Key...)},
			persistence.Delete{Key: persistence.HeadKey(event.Conversation), UpTo: event.Generation})
		if len(group.Deletes) >= e.config.Reaper.BatchRows {
			again = now
			break
		}
	}
	if len(group.Deletes) > 0 {
		if err := e.commit(e.ctx, now, []persistence.Group{group}); err != nil {
			return err
		}
	}
	if again != persistence.Never {
		e.agenda.look(shard, persistence.Never, again)
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
