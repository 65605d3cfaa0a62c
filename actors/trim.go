package actors

import (
	"bytes"
	"sync"

	"github.com/parley-im/parley/persistence"
)

// eventLog knows where each shard's events begin and when the first of them has been kept for long enough. The zero value knows nothing and asks to look.
type eventLog struct {
	mu     sync.Mutex
	shards [persistence.Shards]struct {
		first  uint64
		forget persistence.Instant
	}
}

// get returns the number of the shard's first event, or a lower one, and when that may have been kept for long enough.
func (l *eventLog) get(shard persistence.Shard) (first uint64, forget persistence.Instant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.shards[shard]
	return s.first, s.forget
}

func (l *eventLog) set(shard persistence.Shard, first uint64, forget persistence.Instant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.shards[shard]
	s.first, s.forget = first, forget
}

// begin says that there are no events before that one.
func (l *eventLog) begin(shard persistence.Shard, first uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shards[shard].first = first
}

// sooner says that there is an event to be forgotten at that time.
func (l *eventLog) sooner(shard persistence.Shard, forget persistence.Instant) (changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.shards[shard]
	changed = forget < s.forget
	s.forget = min(s.forget, forget)
	return changed
}

// forgetLater has an event that was just written removed when its time comes.
func (e *Engine) forgetLater(shard persistence.Shard, at persistence.Instant) {
	if e.eventLog.sooner(shard, at) {
		e.agenda.look(shard, persistence.Never, at)
	}
}

// forget trims a shard's events if it is time, and else has the shard visited when it will be: the agenda has forgotten about it with the visit that this is part of.
func (e *Engine) forget(shard persistence.Shard, now persistence.Instant) error {
	first, at := e.eventLog.get(shard)
	if at <= now {
		return e.trim(shard, first, now)
	}
	e.agenda.look(shard, persistence.Never, at)
	return nil
}

// trim removes the events of a shard that have been kept for long enough, from one on, and the tombstones of their generations with them: events are numbered as
// time goes by, so the log is the index of both. Tombstones that are kept for another time than events have an index of their own. It removes no more than a batch at a time.
func (e *Engine) trim(shard persistence.Shard, first uint64, now persistence.Instant) (err error) {
	// Before the snapshot: an event that is not in that says itself when it is to be forgotten.
	e.eventLog.set(shard, first, persistence.Never)
	defer func() {
		if err != nil {
			e.eventLog.set(shard, 0, 0)
		}
	}()
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	group := persistence.Group{Shard: shard, Epoch: e.shards[shard].epoch}
	next := persistence.Never
	for row, err := range snapshot.Scan(e.ctx, persistence.EventsRange(shard, first)) {
		if err != nil {
			return err
		}
		event, err := persistence.DecodeEvent(row.Value)
		if err != nil {
			return err
		}
		if _, first, err = persistence.ParseEventKey(row.Key); err != nil {
			return err
		}
		if next = event.At.Add(e.config.EventsFor); next > now || len(group.Deletes) >= e.config.Reaper.BatchRows {
			break
		}
		next = persistence.Never
		first++
		group.Deletes = append(group.Deletes, persistence.Delete{Key: bytes.Clone(row.Key)})
		if !event.BuriedApart {
			group.Deletes = append(group.Deletes, ofTombstone(event.Conversation, event.Generation))
		}
	}
	if next, err = e.exhume(snapshot, &group, now, next); err != nil {
		return err
	}
	if len(group.Deletes) > 0 {
		if err := e.commit(e.ctx, now, []persistence.Group{group}); err != nil {
			return err
		}
	}
	e.eventLog.begin(shard, first)
	if next != persistence.Never {
		e.forgetLater(shard, max(next, now))
	}
	return nil
}

// exhume adds the removal of a shard's tombstones that were kept for a time of their own, and returns when there is more to do, which is not later than next.
func (e *Engine) exhume(
	snapshot persistence.Snapshot, group *persistence.Group, now, next persistence.Instant,
) (persistence.Instant, error) {
	for row, err := range snapshot.Scan(e.ctx, persistence.GravesRange(group.Shard)) {
		if err != nil {
			return next, err
		}
		name, at, generation, err := persistence.ParseGraveKey(row.Key)
		if err != nil {
			return next, err
		}
		if at > now || len(group.Deletes) >= e.config.Reaper.BatchRows {
			return min(next, at), nil
		}
		group.Deletes = append(group.Deletes, persistence.Delete{Key: bytes.Clone(row.Key)}, ofTombstone(name, generation))
	}
	return next, nil
}

// ofTombstone removes what stands in the place of a generation's head. That can only be the tombstone: the generation was deleted in the commit that wrote what leads here.
func ofTombstone(name string, generation persistence.Generation) persistence.Delete {
	return persistence.Delete{Key: persistence.HeadKey(name), UpTo: generation}
}
