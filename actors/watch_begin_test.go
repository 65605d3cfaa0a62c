package actors

import (
	"testing"
	"testing/synctest"

	"github.com/parley-im/parley/persistence/persistencetest"
)

// A turn that began before a watch does not record for it, and may end after that. What it changes is told to nobody, so whoever looks once the watch has begun must see it.
func TestAWatchBeginsOnceTheTurnsThatWereUnderWayHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := persistencetest.NewStore()
		e, err := Start(t.Context(), nil, store, Config{})
		if err != nil {
			t.Fatal(err)
		}
		ends := make(chan struct{})
		e.workers[len(e.workers)-1].push(taskFunc(func() { <-ends }))
		begun := make(chan *Watch, 1)
		go func() {
			w, err := e.Watch(t.Context(), WatchQuery{})
			if err != nil {
				t.Error(err)
			}
			begun <- w
		}()
		synctest.Wait()
		if len(begun) != 0 || !e.events.recording.Load() {
			t.Errorf("it has begun: %v, and changes are recorded: %v; want only that", len(begun) != 0, e.events.recording.Load())
		}
		close(ends)
		if w := <-begun; w != nil {
			w.Close()
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
}
