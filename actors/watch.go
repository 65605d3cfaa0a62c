package actors

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// WatchQuery selects events.
type WatchQuery struct {
	// Cursor is that of the last event that was dealt with. "": from now on.
	Cursor string
	// Namespaces selects the conversations of some namespaces. Empty: all.
	Namespaces []string
	// ExpiredOnly leaves Changed events out, and gaps in them.
	ExpiredOnly bool
}

// Watch is a place in the events of an engine. It belongs to one goroutine at a time, but for Close and Done. It holds its cursor and, while it reads, a page of
// events; never a snapshot of the store while its reader is at work. However slowly it is read, nobody waits for it.
type Watch struct {
	engine   *Engine
	query    WatchQuery
	selected map[string]struct{} // namespaces; nil: all
	release  func()              // ends recording for it; may be called more than once

	place   place
	seen    [persistence.Shards]uint64 // the stamps, plus one, of which all events were read; 0: none
	cursors cursors
	encoded []byte      // the place's part of the shards; nil: it changed
	buffer  []committed // of one page
}

// Cursor returns the cursor of where the watch stands: behind the last event that it gave. It is for who asked for what comes from now on, and may have to resume
// before the first event. It must not be called while Events is ranged over.
func (w *Watch) Cursor() string { return w.cursors.encode(&w.place, w.place.shardPart()) }

// Watch begins to watch for events from the query's cursor on, each at least once; those of one conversation in their order: changes of a generation, then its end; changes
// of the next generation stand before or after that end as they were committed. What cannot be told any more is told as a [Gap].
//
// What is applied after Watch returned is told, and so is what came after the cursor. It returns an error of kind ErrInvalid for a namespace, or a cursor that
// is not this store's, ErrUnavailable where the engine has stopped or the store cannot be read. ctx bounds the call alone, which reads the store. Close must be called.
//
// A watcher of some namespaces gets a new cursor only with their events: one that has been quiet for longer than the engine keeps events may be told of a gap when it is
// resumed, though nothing that it asked for is missing.
func (e *Engine) Watch(ctx context.Context, q WatchQuery) (*Watch, error) {
	w := &Watch{engine: e, query: q, cursors: e.cursors, release: func() {}}
	if err := w.selects(q.Namespaces); err != nil {
		return nil, err
	}
	var from *place
	if q.Cursor != "" {
		p, err := w.cursors.decode(q.Cursor)
		if err != nil {
			return nil, err
		}
		from = &p
	}
	if !q.ExpiredOnly {
		w.place.epoch, w.place.change = e.shards[0].epoch, e.events.enter()
		w.release = sync.OnceFunc(e.events.leave)
		// What is being applied without being recorded is seen by whoever looks once the watch has begun.
		if err := e.turnsEnd(ctx); err != nil {
			w.release()
			return nil, err
		}
	}
	if err := w.begin(ctx, from); err != nil {
		w.release()
		return nil, err
	}
	return w, nil
}

// Close ends the watch. It may be called from any goroutine, and more than once; it does not end a range over Events that is under way.
func (w *Watch) Close() { w.release() }

// Done is closed once the engine ends all watches, because it stops.
func (w *Watch) Done() <-chan struct{} { return w.engine.events.done }

// Events yields the events, as they come, until ctx ends, the engine stops, or the store cannot be read: that is the last it yields, with an error: ctx's cause, or one of kind
// ErrUnavailable. Ranging over it again, or over another call's, goes on behind the last event that was yielded.
func (w *Watch) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		r := &watchReader{Watch: w, ctx: ctx, emit: func(e Event) bool { return yield(e, nil) }}
		if err := r.run(); err != nil {
			yield(Event{}, err)
		}
	}
}

// selects takes the query's namespaces in.
func (w *Watch) selects(namespaces []string) error {
	if len(namespaces) > 0 {
		w.selected = make(map[string]struct{}, len(namespaces))
	}
	for i, namespace := range namespaces {
		// A namespace is good where a conversation of it is.
		if err := persistence.CheckConversation(namespace + ":x"); err != nil || strings.Contains(namespace, ":") {
			return conversation.Invalid(fmt.Sprintf("namespaces[%d]", i), "is not a namespace")
		}
		w.selected[namespace] = struct{}{}
	}
	return nil
}

func (w *Watch) wants(name string) bool {
	if w.selected == nil {
		return true
	}
	_, ok := w.selected[persistence.Namespace(name)]
	return ok
}

// begin finds the place to begin at: what is there now, or the cursor's.
func (w *Watch) begin(ctx context.Context, from *place) error {
	select {
	case <-w.engine.events.done:
		return unavailable("", ErrStopped)
	default:
	}
	var stamps [persistence.Shards]uint64
	for i := range stamps {
		stamps[i] = w.engine.events.stamps[i].Load() // before the snapshot, as always
	}
	snapshot, err := w.engine.store.Snapshot()
	if err != nil {
		return unavailable("", err)
	}
	defer snapshot.Close()
	owners := persistence.Range{Start: persistence.OwnerKey(0), End: append(persistence.OwnerKey(persistence.Shards-1), 0)}
	shard := 0
	for row, err := range snapshot.Scan(ctx, owners) {
		if err != nil {
			return unavailable("", err)
		}
		owner, err := persistence.DecodeOwner(row.Value)
		if err != nil {
			return unavailable("", err)
		}
		w.place.events[shard] = owner.NextEvent
		shard++
	}
	if shard != persistence.Shards {
		return unavailable("", fmt.Errorf("the store says of %d shards who owns them", shard))
	}
	for i, number := range w.place.events {
		switch {
		case from != nil && from.events[i] > number:
			return conversation.Invalid("cursor", "is ahead of the store: that has lost events since, or is an older copy")
		case from == nil || from.events[i] == number:
			w.seen[i] = stamps[i] + 1
		}
	}
	if from == nil {
		return nil
	}
	switch w.place.events = from.events; {
	case w.query.ExpiredOnly:
	case from.epoch != w.place.epoch:
		w.place.change = 0 // no change has that position: it will be told of a gap
	case from.change > w.place.change:
		return conversation.Invalid("cursor", "is ahead of the engine")
	default:
		w.place.change = from.change
	}
	return nil
}
