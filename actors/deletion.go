package actors

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/parley-im/parley/persistence"
)

// delete removes the rows of generations that are over, and reports how that went. Everything it writes may be written again: deletes are guarded by
// generation, and each group requires the due entry, which goes with the last one.
//
// A generation that fits a batch goes in one group. Of a larger one, first the entry is made to say how it ended, so that this is known when the rest is
// resumed; then its members go in parts, in key order; last the head, the entry and the event, together. Nobody sees the parts: a generation
// that is over is not shown.
func (e *Engine) delete(job *deletion) {
	report := &deleted{attempt: job.attempt, batch: job.batch}
	defer e.tellReaper(report)
	now := e.clock.now()
	info := ReapInfo{Generations: len(job.batch), Attempt: job.number}
	e.counts.batched.Add(uint64(len(job.batch)))
	for _, d := range job.batch {
		info.Rows += d.rows()
		info.Age = max(info.Age, now.Sub(d.due))
		if d.tried {
			e.counts.retried.Add(1)
		}
	}
	if e.config.Observer.ReapBegin != nil {
		e.config.Observer.ReapBegin(info)
	}
	report.err = e.deleteAll(e.ctx, job)
	report.rows, report.owed, report.took = job.rows, job.rows-job.charged, job.took
	info.Rows, info.Err, info.Took = job.rows, report.err, e.clock.now().Sub(now)
	if e.config.Observer.ReapEnd != nil {
		e.config.Observer.ReapEnd(info)
	}
	if report.err == nil {
		e.counts.batches.Add(1)
		e.counts.reapErr.Store(nil)
	}
}

// deletion is one attempt at a batch.
type deletion struct {
	attempt uint64 // the reaper's incarnation
	number  int    // from 1, of attempts that failed in a row and this one
	batch   []*dying
	part    int // how many members of a large conversation are removed at once

	rows    int           // that were deleted
	charged int           // that the pace was told of
	took    time.Duration // of the longest commit
}

// commit writes groups of the deletion.
func (job *deletion) commit(ctx context.Context, e *Engine, groups []persistence.Group) ([]persistence.Result, error) {
	began := e.clock.now()
	e.strain.deletionBegan()
	results, err := e.store.Commit(ctx, persistence.Batch{Clock: began, Groups: groups})
	e.strain.deletionEnded()
	now := e.clock.now()
	job.took = max(job.took, now.Sub(began))
	rows := 0
	for i := range results {
		rows += results[i].Deleted
	}
	job.rows += rows
	e.counts.reapedRows.Add(uint64(rows))
	e.pace.deleted(now, rows)
	return results, err
}

func (e *Engine) deleteAll(ctx context.Context, job *deletion) error {
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	batch, err := borneOut(ctx, snapshot, job.batch)
	if err != nil || len(batch) == 0 {
		return err
	}
	stamp, done := e.deletions.begin(e.clock.now)
	defer done()
	members, err := membersOf(ctx, snapshot, batch)
	if err != nil {
		return err
	}
	last := make([]lastPart, 0, len(batch))
	for i, d := range batch {
		if i%dyingBetweenYields == 0 {
			runtime.Gosched()
		}
		part, err := e.deleteMembers(ctx, snapshot, job, d, members[d.conversation], stamp)
		if err != nil {
			return err
		}
		last = append(last, part)
	}
	groups := make([]persistence.Group, len(last))
	for i := range last {
		groups[i] = last[i].group
	}
	results, err := job.commit(ctx, e, groups)
	for i := range last {
		if last[i].event != nil {
			e.events.expired(last[i].shard) // also after an error: it may have been written
		}
	}
	if err != nil {
		for i := range last {
			if last[i].event != nil { // which may have been written
				e.forgetLater(last[i].shard, last[i].forgetAt(e.config.EventsFor))
			}
		}
		return err
	}
	now := e.clock.now()
	for i, result := range results {
		if result.Err != nil {
			err = errors.Join(err, result.Err)
			continue
		}
		if last[i].event == nil || (result.Skipped && !last[i].tried) {
			continue // there was nothing but the entry, or it had been deleted before: an incarnation before told of it
		}
		e.expired(last[i], result, now)
	}
	return err
}

// borneOut returns those of a batch that the store bears out. What was judged by rows that were in the journal may be over by such as that dropped afterwards, because the store did not take them: then it is judged
// anew, by what is there.
func borneOut(ctx context.Context, snapshot persistence.Snapshot, batch []*dying) ([]*dying, error) {
	borne := make([]*dying, 0, len(batch))
	for _, d := range batch {
		if !d.borne && !d.refuted {
			is, err := d.isBorneOut(ctx, snapshot)
			if err != nil {
				return nil, err
			}
			d.borne, d.refuted = is, !is
		}
		if d.borne {
			borne = append(borne, d)
		}
	}
	return borne, nil
}

// isBorneOut looks whether the store has what the generation was judged by. All of that was written, or dropped.
func (d *dying) isBorneOut(ctx context.Context, snapshot persistence.Snapshot) (bool, error) {
	var deadline persistence.Instant
	switch {
	case d.after == 0: // it was judged by what is in the store
		return true, nil
	case d.record != nil:
		deadline = d.record.Deadline
	case d.ending != nil:
		deadline = d.ending.Deadline
	default:
		return true, nil
	}
	if _, err := snapshot.Get(ctx, []byte(d.key)); errors.Is(err, persistence.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	value, err := getOrNil(ctx, snapshot, persistence.HeadKey(d.conversation))
	if err != nil || value == nil {
		return err == nil, err
	}
	head, _, err := persistence.DecodeHead(value)
	if err != nil {
		return false, err
	}
	return head == nil || head.Generation != d.generation || head.Deadline == deadline, nil
}

// lastPart is the group that ends a generation.
type lastPart struct {
	*dying
	group persistence.Group
	event *persistence.Event
	rows  int // that went in earlier parts
	// buriedUntil is when the tombstone is to be removed; zero: when the event is.
	buriedUntil persistence.Instant
}

// forgetAt is when there is something to be removed of what the deletion leaves behind.
func (l *lastPart) forgetAt(eventsFor time.Duration) persistence.Instant {
	at := l.event.At.Add(eventsFor)
	if l.buriedUntil != 0 {
		at = min(at, l.buriedUntil)
	}
	return at
}

// deleteMembers removes the members of a generation as far as they do not fit its last part, and returns that.
func (e *Engine) deleteMembers(ctx context.Context, snapshot persistence.Snapshot, job *deletion, d *dying, members []listed, stamp persistence.Instant) (lastPart, error) {
	key := []byte(d.key)
	last := lastPart{dying: d, group: persistence.Group{Shard: d.shard, Epoch: e.shards[d.shard].epoch, Requires: key, Seen: d.seen.entry}}
	last.group.Deletes = []persistence.Delete{{Key: key}}
	if d.ending == nil && d.record == nil {
		return last, nil
	}
	record, index := d.record, d.index
	if record == nil && (d.tried || e.reaperAttempts.Load() > 1) {
		// An attempt before this one may have begun, and members be gone that only the entry names.
		var err error
		if record, index, err = noted(ctx, snapshot, key); err != nil {
			return last, err
		}
	}
	if record == nil {
		record = &persistence.Ended{Reason: d.ending.Reason, LastSeq: d.ending.LastSeq, Deadline: d.ending.Deadline, Users: d.ending.Users}
		index = d.ending.Index
	}
	names := make([]string, 0, len(members)) // of this generation
	for _, m := range members {
		if m.generation == d.generation {
			names = append(names, m.user)
		}
	}
	record = named(record, names)
	remove := func(group *persistence.Group, users []listed) {
		for _, user := range users {
			removeMember(group, d, user, snapshot.Number(), d.entriesOf(user.user, index), record.Reason, stamp)
		}
	}
	if len(members) > job.part {
		mark := last.group
		mark.Deletes = nil
		mark.Puts = []persistence.Put{{Key: key, Value: persistence.Due{Ended: record, Index: index}.Encode()}}
		if err := job.write(ctx, e, mark); err != nil {
			return last, err
		}
	}
	for len(members) > job.part {
		group := last.group
		group.Deletes = nil
		remove(&group, members[:job.part])
		before := job.rows
		if err := job.write(ctx, e, group); err != nil {
			return last, err
		}
		members = members[job.part:]
		last.rows += job.rows - before
		job.charged += job.rows - before
		if err := e.slowDown(ctx, job.rows-before); err != nil {
			return last, err
		}
	}
	last.event = &persistence.Event{At: e.clock.now(), Conversation: d.conversation, Generation: d.generation, Ended: *record}
	if keep := e.config.policy(persistence.Namespace(d.conversation)).TombstoneFor; keep != 0 && keep != e.config.EventsFor {
		last.event.BuriedApart, last.buriedUntil = true, last.event.At.Add(keep)
	}
	last.group.Events = [][]byte{last.event.Encode()}
	last.group.Deletes = make([]persistence.Delete, 0, rowsOfMemberAtMost*len(members)+4)
	last.group.Puts = make([]persistence.Put, 0, len(members)+1)
	remove(&last.group, members)
	last.group.Deletes = append(last.group.Deletes,
		persistence.Delete{Key: persistence.RosterKey(d.conversation), UpTo: d.generation, Seen: d.seen.roster},
		persistence.Delete{Key: persistence.TailKey(d.conversation), UpTo: d.generation},
		persistence.Delete{
			Key: persistence.HeadKey(d.conversation), UpTo: d.generation, Seen: d.seen.head,
			Replace: persistence.Tombstone{Generation: d.generation, LastSeq: record.LastSeq}.Encode(),
		},
		persistence.Delete{Key: key})
	if last.buriedUntil != 0 {
		last.group.Puts = append(last.group.Puts, persistence.Put{Key: persistence.GraveKey(d.conversation, last.buriedUntil, d.generation)})
	}
	return last, nil
}

// named returns the record with the names of those who have rows of the generation, besides those that it had: of who is in a later generation already, or whose rows
// were removed by an attempt before, there are none any more.
func named(record *persistence.Ended, names []string) *persistence.Ended {
	all := slices.Concat(record.Users, names)
	slices.Sort(all)
	all = slices.Compact(all)
	with := *record
	with.Users = all[:min(len(all), persistence.MaxEndedUsers)]
	with.UsersTruncated = record.UsersTruncated || len(all) > len(with.Users)
	return &with
}

// noted returns what a due entry says of how its generation ended, once a deletion has begun; nil: it says nothing, or names nobody.
func noted(ctx context.Context, snapshot persistence.Snapshot, key []byte) (*persistence.Ended, persistence.Index, error) {
	value, err := snapshot.Get(ctx, key)
	if errors.Is(err, persistence.ErrNotFound) {
		return nil, persistence.Index{}, nil
	}
	if err != nil {
		return nil, persistence.Index{}, err
	}
	entry, err := persistence.DecodeDue(value)
	if err != nil || entry.Ended == nil || len(entry.Ended.Users) == 0 {
		return nil, persistence.Index{}, err
	}
	return entry.Ended, entry.Index, nil
}

// write commits one group by itself.
func (job *deletion) write(ctx context.Context, e *Engine, group persistence.Group) error {
	results, err := job.commit(ctx, e, []persistence.Group{group})
	if err != nil {
		return err
	}
	return results[0].Err
}

// slowDown charges rows just deleted to the pace, and waits until more may be.
func (e *Engine) slowDown(ctx context.Context, rows int) error {
	now := e.clock.now()
	return e.wait(ctx, e.pace.take(now, rows).Sub(now))
}

// wait waits, unless ctx ends first.
func (e *Engine) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	over := make(chan struct{})
	timer := e.config.Clock.AfterFunc(d, func() { close(over) })
	defer timer.Stop()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// expired tells of a generation that is gone.
func (e *Engine) expired(last lastPart, result persistence.Result, now persistence.Instant) {
	e.counts.expired.Add(1)
	e.counts.lateness.Record(now.Sub(last.event.Deadline))
	e.forgetLater(last.shard, last.forgetAt(e.config.EventsFor))
	if e.config.Observer.Expired == nil {
		return
	}
	e.config.Observer.Expired(ExpiredInfo{
		Conversation:   last.conversation,
		Generation:     uint64(last.generation),
		Reason:         last.event.Reason,
		LastSeq:        last.event.LastSeq,
		Users:          last.event.Users,
		UsersTruncated: last.event.UsersTruncated,
		Deadline:       last.event.Deadline.Time(),
		At:             now.Time(),
		Lateness:       now.Sub(last.event.Deadline),
		Rows:           last.rows + result.Deleted,
		Shard:          last.shard,
		Event:          result.FirstEvent,
	})
}
