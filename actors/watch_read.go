package actors

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/parley-im/parley/persistence"
)

// watchPage is how many events, and how many changes, a watcher reads at a time.
const watchPage = 256

// watchReader is one range over a watch's events.
//
// Changes come from the ring, in its order; ends of generations from the rows of their shards, in the order of their numbers. What brings the two together is that
// each change knows which number its shard's next event had when it was committed. An event is yielded before the first change that knows it to be there. One that no
// change in the ring knows of is yielded once the ring was read up to where it was after the event was found: all that was committed before the event, as far as it is
// of the same conversation, is then in the ring, or among what the journal is just writing, which is waited for.
type watchReader struct {
	*Watch

	ctx  context.Context //nolint:containedctx // of the range, which this is
	emit func(Event) bool
}

// errEnough says that the range was left.
var errEnough = errors.New("enough")

func (r *watchReader) run() error {
	err := r.loop()
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (r *watchReader) loop() error {
	for {
		news := r.engine.events.news()
		if err := r.over(); err != nil {
			if r.ctx.Err() != nil {
				return err
			}
			return cmp.Or(r.changes(), err) // the engine has ended: what was committed until then is told
		}
		if err := r.changes(); err != nil {
			return err
		}
		found, err := r.look()
		if err != nil {
			return err
		}
		if len(found.events) == 0 && len(found.lost) == 0 {
			found.note(r.Watch)
			if err := r.wait(news); err != nil {
				return err
			}
			continue
		}
		if err := r.settle(found.events); err != nil {
			return err
		}
		if err := r.changes(); err != nil {
			return err
		}
		if err := r.deliver(found); err != nil {
			return err
		}
		found.note(r.Watch)
	}
}

// over returns why nothing more is yielded.
func (r *watchReader) over() error {
	select {
	case <-r.engine.events.done:
		return unavailable("", ErrStopped)
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	default:
		return nil
	}
}

func (r *watchReader) wait(news <-chan struct{}) error {
	select {
	case <-news:
		return nil
	case <-r.engine.events.done:
	case <-r.ctx.Done():
	}
	return r.over()
}

// changes yields what is in the ring by now, and the events that the changes know of.
func (r *watchReader) changes() error {
	if r.query.ExpiredOnly {
		return nil
	}
	for end := r.engine.events.end(); r.place.change < end; {
		if r.ctx.Err() != nil {
			return context.Cause(r.ctx)
		}
		var gap bool
		r.buffer, r.place.change, gap = r.engine.events.read(r.buffer[:0], r.place.change, watchPage)
		if gap {
			if err := r.gap(Gap{Changed: true}); err != nil {
				return err
			}
		}
		for i := range r.buffer {
			c := &r.buffer[i]
			if r.wants(c.Conversation) {
				if err := r.catchUp(c.Shard, c.NextEvent); err != nil {
					return err
				}
			}
			r.place.change++
			if err := r.changed(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// catchUp yields the events of a shard that have lower numbers. All of them are in the store.
func (r *watchReader) catchUp(shard persistence.Shard, next uint64) error {
	for r.place.events[shard] < next {
		found := &findings{}
		if err := r.snapshot(func(s persistence.Snapshot) error { return found.scan(r, s, shard, next) }); err != nil {
			return err
		}
		if err := r.deliver(found); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until the journal has told of what it was writing when the events were found, as far as that is of their conversations.
func (r *watchReader) settle(events []found) error {
	if r.query.ExpiredOnly {
		return nil
	}
	batch := r.engine.journal.InFlight(func(yield func(string) bool) {
		for i := range events {
			if !yield(events[i].event.Conversation) {
				return
			}
		}
	})
	for {
		news := r.engine.events.news()
		if r.engine.journal.Flushed() >= batch {
			return nil
		}
		if err := r.wait(news); err != nil {
			return err
		}
	}
}

// deliver yields what was found and was not yielded meanwhile.
func (r *watchReader) deliver(f *findings) error {
	lost := false
	for shard, number := range f.lost {
		if r.place.events[shard] < number {
			r.moveTo(shard, number)
			lost = true
		}
	}
	if lost {
		if err := r.gap(Gap{Expired: true}); err != nil {
			return err
		}
	}
	for i := range f.events {
		e := &f.events[i]
		if e.number < r.place.events[e.shard] {
			continue
		}
		r.moveTo(e.shard, e.number+1)
		if err := r.expired(e.event); err != nil {
			return err
		}
	}
	return nil
}

func (r *watchReader) moveTo(shard persistence.Shard, next uint64) {
	r.place.events[shard], r.encoded = next, nil
}

func (r *watchReader) changed(c *committed) error {
	if !r.wants(c.Conversation) {
		return nil
	}
	return r.yield(Event{
		At: c.at.Time(), Conversation: c.Conversation, Generation: c.Generation,
		Changed: &Changed{Version: c.Version, LastSeq: c.LastSeq, Kinds: kindsIn(c.Kinds), Users: c.Users, Origin: c.Origin},
	})
}

func (r *watchReader) expired(e *persistence.Event) error {
	if !r.wants(e.Conversation) {
		return nil
	}
	return r.yield(Event{
		At: e.At.Time(), Conversation: e.Conversation, Generation: uint64(e.Generation),
		Expired: &Expired{
			Reason: e.Reason, LastSeq: e.LastSeq, Users: e.Users, UsersTruncated: e.UsersTruncated,
			Deadline: e.Deadline.Time(), Lateness: max(time.Duration(0), e.At.Sub(e.Deadline)),
		},
	})
}

func (r *watchReader) gap(g Gap) error {
	r.engine.events.gaps.Add(1)
	return r.yield(Event{At: r.engine.clock.now().Time(), Gap: &g})
}

func (r *watchReader) yield(e Event) error {
	if r.encoded == nil {
		r.encoded = r.place.shardPart()
	}
	e.Cursor = r.cursors.encode(&r.place, r.encoded)
	if !r.emit(e) {
		return errEnough
	}
	return nil
}
