package actors

import "github.com/parley-im/parley/persistence"

// findings are events of some shards that a watcher has read and has yet to yield. No more than a page is read at a time.
type findings struct {
	events []found
	lost   map[persistence.Shard]uint64 // shards of which events before that number are gone
	read   map[persistence.Shard]uint64 // the stamps of shards that were read to their ends
}

// found is an event of a shard.
type found struct {
	shard  persistence.Shard
	number uint64
	event  *persistence.Event
}

// note remembers which shards were read to their ends, once all that was found there has been yielded.
func (f *findings) note(w *Watch) {
	for shard, stamp := range f.read {
		w.seen[shard] = stamp + 1
	}
}

// look reads events of shards that may have new ones.
func (r *watchReader) look() (*findings, error) {
	f := &findings{}
	// The stamps first, then the snapshot: what is not in that has a later stamp.
	stamps := map[persistence.Shard]uint64{}
	for i := range r.seen {
		if stamp := r.engine.events.stamps[i].Load(); stamp+1 != r.seen[i] {
			stamps[persistence.Shard(i)] = stamp
		}
	}
	if len(stamps) == 0 {
		return f, nil
	}
	err := r.snapshot(func(s persistence.Snapshot) error {
		for shard, stamp := range stamps {
			if len(f.events) >= watchPage {
				return nil
			}
			if err := f.scan(r, s, shard, 0); err != nil {
				return err
			}
			if len(f.events) < watchPage {
				if f.read == nil {
					f.read = make(map[persistence.Shard]uint64, len(stamps))
				}
				f.read[shard] = stamp
			}
		}
		return nil
	})
	return f, err
}

// snapshot has the store read as it is now.
func (r *watchReader) snapshot(read func(persistence.Snapshot) error) error {
	if err := r.over(); err != nil {
		return err
	}
	s, err := r.engine.store.Snapshot()
	if err == nil {
		err = read(s)
		s.Close()
	}
	if err == nil {
		return nil
	}
	if over := r.over(); over != nil {
		return over // which may be why
	}
	return unavailable("", err)
}

// scan reads a shard's events from where the watcher stands, up to a number where that is not 0, and notes what is missing: numbers are dense, and old events are
// removed from the first on.
func (f *findings) scan(r *watchReader, s persistence.Snapshot, shard persistence.Shard, end uint64) error {
	next := r.place.events[shard]
	empty := true
	for row, err := range s.Scan(r.ctx, persistence.EventsRange(shard, next)) {
		if err != nil {
			return err
		}
		_, number, err := persistence.ParseEventKey(row.Key)
		if err != nil {
			return err
		}
		empty = false
		if end != 0 && number >= end {
			f.missing(shard, next, end)
			return nil
		}
		f.missing(shard, next, number)
		event, err := persistence.DecodeEvent(row.Value)
		if err != nil {
			return err
		}
		f.events = append(f.events, found{shard, number, event})
		if next = number + 1; len(f.events) >= watchPage {
			return nil
		}
	}
	if !empty {
		return nil
	}
	// All that there was may have been removed.
	value, err := s.Get(r.ctx, persistence.OwnerKey(shard))
	if err != nil {
		return err
	}
	owner, err := persistence.DecodeOwner(value)
	if err != nil {
		return err
	}
	f.missing(shard, next, owner.NextEvent)
	return nil
}

// missing notes that the events of a shard from one number up to another are gone.
func (f *findings) missing(shard persistence.Shard, from, to uint64) {
	if from >= to {
		return
	}
	if f.lost == nil {
		f.lost = map[persistence.Shard]uint64{}
	}
	f.lost[shard] = to
}
