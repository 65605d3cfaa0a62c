package actorstest

import (
	"context"
	"sync"

	"github.com/parley-im/parley/actors"
)

// Events is a watcher of a test that remembers what it is told. Its methods must be called in the test's bubble, by one goroutine.
type Events struct {
	e     *Engine
	query actors.WatchQuery // its cursor is not used
	watch *actors.Watch
	leave context.CancelFunc
	done  chan struct{} // closed when it has stopped watching

	mu     sync.Mutex
	all    []actors.Event
	cursor string
	err    error
}

// Events starts to watch and returns once whatever happens from then on is told. When the test ends it stops.
func (e *Engine) Events(q actors.WatchQuery) *Events {
	e.t.Helper()
	w := &Events{e: e, query: q, cursor: q.Cursor}
	w.start()
	e.t.Cleanup(w.Leave)
	return w
}

func (w *Events) start() {
	w.e.t.Helper()
	query := w.query
	query.Cursor = w.Cursor()
	watch, err := w.e.Watch(context.Background(), query)
	if err != nil {
		w.e.t.Fatalf("watch: %v", err)
	}
	w.mu.Lock()
	w.cursor = watch.Cursor()
	w.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	w.watch, w.leave, w.done = watch, cancel, make(chan struct{})
	w.fail(nil)
	go w.record(ctx)
}

func (w *Events) record(ctx context.Context) {
	defer close(w.done)
	for event, err := range w.watch.Events(ctx) {
		if err != nil {
			w.fail(err)
			return
		}
		if event.Cursor == "" {
			w.e.t.Errorf("an event without a cursor: %+v", event)
		}
		w.mu.Lock()
		w.cursor = event.Cursor
		w.all = append(w.all, event)
		w.mu.Unlock()
	}
}

func (w *Events) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

// Leave stops watching. It may be called more than once.
func (w *Events) Leave() {
	w.leave()
	<-w.done
	w.watch.Close()
}

// Resume watches again, on the engine that there is now, from the last event on.
func (w *Events) Resume() {
	w.e.t.Helper()
	w.Leave()
	w.start()
}

// All returns the events so far. They are complete when all is quiet, as after [Engine.Advance].
func (w *Events) All() []actors.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]actors.Event(nil), w.all...)
}

// Take returns the events so far and forgets them.
func (w *Events) Take() []actors.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.all
	w.all = nil
	return all
}

// Cursor returns the cursor of the last event, or the query's if there was none.
func (w *Events) Cursor() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cursor
}

// Err returns why it stopped watching: the engine's reason, or context.Canceled after Leave; nil while it watches.
func (w *Events) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
