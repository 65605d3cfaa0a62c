package actors_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestAWatcherGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		w := e.Events(actors.WatchQuery{})
		e.Post("group:1", "ann", 1)
		e.Advance(time.Second)
		w.Leave()
		w.Take()
		e.Post("group:2", "ann", 1)
		e.Advance(2 * time.Hour)
		w.Resume()
		e.Advance(time.Second)
		got := w.Take()
		if len(got) != 3 || got[0].Changed == nil || got[0].Conversation != "group:2" || got[1].Expired == nil || got[2].Expired == nil {
			t.Errorf("after its absence: %+v, want the second conversation's change and two ends", got)
		}
		w.Resume()
		e.Advance(time.Second)
		heard(t, w.Take())
	})
}

func TestAWatcherIsToldOnceWhatARestartLost(t *testing.T) {
	for name, restart := range map[string]func(*actorstest.Engine){"restart": (*actorstest.Engine).Restart, "crash": (*actorstest.Engine).Crash} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := actorstest.Start(t, hourly())
				w := e.Events(actors.WatchQuery{})
				e.Post("group:1", "ann", 1)
				e.Advance(2 * time.Hour)
				e.Post("group:2", "ann", 1)
				w.Leave()
				w.Take()
				before := w.Cursor()
				restart(e)
				e.Post("group:3", "ann", 1)
				w.Resume()
				e.Advance(time.Second)
				heard(t, w.Take(), actors.Event{Gap: &actors.Gap{Changed: true}})
				e.Post("group:3", "ann", 2)
				w.Resume()
				e.Advance(time.Second)
				got := w.Take()
				if len(got) != 1 || got[0].Changed == nil || got[0].Conversation != "group:3" {
					t.Errorf("after the gap: %+v, want a change of group:3", got)
				}

				ends := e.Events(actors.WatchQuery{Cursor: before, ExpiredOnly: true})
				e.Advance(time.Second)
				heard(t, ends.Take())
				e.Advance(2 * time.Hour)
				if got := ends.Take(); len(got) != 2 || got[0].Conversation == "group:1" || got[1].Conversation == "group:1" {
					t.Errorf("who asked for ends alone: %+v, want two", got)
				}
			})
		})
	}
}

func TestACursorIsRefusedByAnOlderCopyOfItsStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		original := persistencetest.NewStore()
		later, older := original.Crash(), original.Crash()
		e := actorstest.StartOn(t, later, nil, hourly())
		w := e.Events(actors.WatchQuery{})
		e.Post("group:1", "ann", 1)
		e.Advance(2 * time.Hour)
		behind := actorstest.StartOn(t, older, nil, hourly())
		_, err := behind.Watch(t.Context(), actors.WatchQuery{Cursor: w.Cursor()})
		if refusal, ok := errors.AsType[*conversation.Error](err); !ok || !errors.Is(err, conversation.ErrInvalid) || refusal.Field != "cursor" {
			t.Errorf("got %v, want an invalid cursor", err)
		}
	})
}

func TestAWatchEndsWithTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		waiting := e.Events(actors.WatchQuery{})
		slow, err := e.Watch(t.Context(), actors.WatchQuery{})
		if err != nil {
			t.Fatal(err)
		}
		defer slow.Close()
		e.Post("group:1", "ann", 1)
		e.Post("group:2", "ann", 1)
		stuck, release := make(chan struct{}), make(chan struct{})
		ended := make(chan error, 1)
		go func() {
			for event, err := range slow.Events(context.Background()) {
				if err != nil {
					ended <- err
					return
				}
				if event.Conversation == "group:1" {
					close(stuck)
					<-release
				}
			}
		}()
		<-stuck
		began := time.Now()
		if err := e.Stop(t.Context()); err != nil || time.Since(began) > 0 {
			t.Errorf("stop took %v: %v; it must not wait for watchers", time.Since(began), err)
		}
		<-slow.Done()
		close(release)
		synctest.Wait()
		for what, err := range map[string]error{"one that waited": waiting.Err(), "one that was slow": <-ended} {
			if !errors.Is(err, conversation.ErrUnavailable) || !errors.Is(err, actors.ErrStopped) {
				t.Errorf("%s ended with %v, want ErrUnavailable because the engine has stopped", what, err)
			}
		}
		if _, err := e.Watch(t.Context(), actors.WatchQuery{}); !errors.Is(err, actors.ErrStopped) {
			t.Errorf("a watch of a stopped engine: %v", err)
		}
	})
}

func TestARangeOverEventsEndsWithItsContextAndCanBeBegunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		watch, err := e.Watch(t.Context(), actors.WatchQuery{})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		for seq := range uint64(4) {
			e.Post("group:42", "ann", seq+1)
			e.Advance(time.Millisecond) // it is told by itself
		}
		var seqs []uint64
		take := func(ctx context.Context, n int) error {
			for event, err := range watch.Events(ctx) {
				if err != nil {
					return err
				}
				seqs = append(seqs, event.Changed.LastSeq)
				if n--; n == 0 {
					return nil
				}
			}
			return errors.New("the range ended without an error")
		}
		if err := errors.Join(take(t.Context(), 1), take(t.Context(), 2)); err != nil {
			t.Fatal(err)
		}
		why := errors.New("enough of it")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(why) })
		if err := take(ctx, 99); !errors.Is(err, why) {
			t.Errorf("it ended with %v, want its context's cause", err)
		}
		if want := []uint64{1, 2, 3, 4}; !slices.Equal(seqs, want) {
			t.Errorf("got %v, want %v", seqs, want)
		}
	})
}

func TestAStoreThatCannotBeReadEndsTheRangeAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		watch, err := e.Watch(t.Context(), actors.WatchQuery{ExpiredOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		e.Post("group:1", "ann", 1)
		e.Advance(2 * time.Hour)
		broken := errors.New("disk on fire")
		e.Store.SetFaults(persistencetest.Faults{Scan: func(persistence.Range, int) error { return broken }})
		for event, err := range watch.Events(t.Context()) {
			if !errors.Is(err, broken) || !errors.Is(err, conversation.ErrUnavailable) {
				t.Errorf("got %+v, %v; want ErrUnavailable", event, err)
			}
		}
		e.Store.SetFaults(persistencetest.Faults{})
		for event, err := range watch.Events(t.Context()) {
			if err != nil || event.Expired == nil {
				t.Errorf("once it can be read: %+v, %v", event, err)
			}
			break
		}
		if n := e.Store.OpenSnapshots(); n != 0 {
			t.Errorf("%d snapshots are open while its reader is elsewhere", n)
		}
	})
}

func TestARangeLeftInTheMiddleOfAPageOfEndsGoesOnThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		watch, err := e.Watch(t.Context(), actors.WatchQuery{ExpiredOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		for seq := range uint64(3) {
			e.Post("group:42", "ann", seq+1)
			e.Advance(2 * time.Hour)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for want := range uint64(3) {
			for event, err := range watch.Events(ctx) {
				if err != nil || event.Expired.LastSeq != want+1 {
					t.Fatalf("got %+v, %v; want the end of the generation with seq %d", event, err, want+1)
				}
				break
			}
		}
	})
}
