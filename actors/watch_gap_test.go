package actors_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
)

func TestWhoAsksForChangesAfterAWatchOfEndsIsToldOfAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		ends := e.Events(actors.WatchQuery{ExpiredOnly: true})
		e.Post("group:1", "ann", 1)
		e.Advance(2 * time.Hour)
		if got := ends.All(); len(got) != 1 || got[0].Expired == nil {
			t.Fatalf("got %+v, want one end", got)
		}
		w := e.Events(actors.WatchQuery{Cursor: ends.Cursor()})
		e.Advance(time.Second)
		heard(t, w.All(), actors.Event{Gap: &actors.Gap{Changed: true}})
	})
}

func TestACursorThatIsOlderThanTheEventsThatAreKeptIsToldOfAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := hourly()
		config.EventsFor = 24 * time.Hour
		e := actorstest.Start(t, config)
		w := e.Events(actors.WatchQuery{ExpiredOnly: true})
		e.Post("group:1", "ann", 1)
		e.Advance(2 * time.Hour)
		w.Leave()
		w.Take()
		for i := range 20 {
			e.Post("group:1", "ann", uint64(i+2))
			e.Post("group:other", "ann", uint64(i+2))
			e.Advance(4 * time.Hour)
		}
		w.Resume()
		e.Advance(time.Second)
		got := w.Take()
		if len(got) == 0 || got[0].Gap == nil || *got[0].Gap != (actors.Gap{Expired: true}) {
			t.Fatalf("after three days: %+v, want a gap first", got)
		}
		if n := len(got) - 1; n < 10 || n > 14 {
			t.Errorf("then %d ends, want those of the last day, which are about 12", n)
		}
		for _, event := range got[1:] {
			if event.Expired == nil || time.Since(event.At) > 26*time.Hour {
				t.Errorf("got %+v, want the end of a generation within a day", event)
			}
		}
		w.Leave()
		e.Advance(10 * 24 * time.Hour)
		w.Resume()
		e.Advance(time.Second)
		heard(t, w.Take()) // all have gone, and all had been told
		w.Resume()
		e.Post("group:1", "ann", 100)
		e.Advance(2 * time.Hour)
		if got := w.Take(); len(got) != 1 || got[0].Expired == nil || got[0].Expired.LastSeq != 100 {
			t.Errorf("the next end: %+v", got)
		}
	})
}

func TestWhenAllEventsAreForgottenTheGapIsToldAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := hourly()
		config.EventsFor = 24 * time.Hour
		e := actorstest.Start(t, config)
		w := e.Events(actors.WatchQuery{ExpiredOnly: true})
		e.Post("group:1", "ann", 1)
		e.Advance(2 * time.Hour)
		w.Leave()
		w.Take()
		e.Post("group:1", "ann", 2)
		e.Advance(48 * time.Hour)
		w.Resume()
		e.Advance(time.Second)
		heard(t, w.Take(), actors.Event{Gap: &actors.Gap{Expired: true}})
	})
}

func TestAWatcherThatChangesOvertakeIsToldOfAGapAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{WatchBuffer: 100})
		watch, err := e.Watch(t.Context(), actors.WatchQuery{})
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		for seq := range uint64(1000) {
			e.Post("group:42", "ann", seq+1)
			synctest.Wait() // each is told by itself
		}
		if got := e.Stats().Events; got.Kept > 100 || got.Kept < 90 || got.Bytes > 100*256 || got.Changed != 1000 {
			t.Errorf("a watcher that does not read: %+v, want 1,000 changes of which the last 100 are kept", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var last uint64
		n := 0
		for event, err := range watch.Events(ctx) {
			if errors.Is(err, context.Canceled) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if first := n == 0; first != (event.Gap != nil) {
				t.Fatalf("event %d: %+v, want a gap, and then changes", n, event)
			}
			if n++; event.Gap != nil {
				continue
			}
			if last != 0 && event.Changed.LastSeq != last+1 {
				t.Fatalf("seq %d after %d", event.Changed.LastSeq, last)
			}
			if last = event.Changed.LastSeq; last == 1000 {
				cancel()
			}
		}
		cancel()
		if n < 90 || last != 1000 {
			t.Errorf("%d events, the last of seq %d", n, last)
		}
		if got := e.Stats().Events.Gaps; got != 1 {
			t.Errorf("%d gaps were counted, want 1", got)
		}
	})
}

func TestChangesAreRecordedOnlyAsLongAsSomebodyMayStillAskForThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{WatchBuffer: 10})
		seq := uint64(0)
		post := func(n int) {
			for range n {
				seq++
				e.Post("group:42", "ann", seq)
				synctest.Wait() // each is told by itself
			}
			e.Advance(time.Second)
		}
		post(5)
		if got := e.Stats().Events.Changed; got != 0 {
			t.Errorf("%d changes were recorded before anybody watched", got)
		}
		w := e.Events(actors.WatchQuery{})
		post(5)
		w.Leave()
		w.Take()
		post(10)
		w.Resume()
		e.Advance(time.Second)
		if got := w.Take(); len(got) != 10 || got[0].Changed == nil {
			t.Errorf("back in time: %d events, want the 10 that came meanwhile", len(got))
		}
		w.Leave()
		post(50)
		if got := e.Stats().Events; got.Changed > 35 || got.Kept != 0 || got.Watchers != 0 {
			t.Errorf("long after the last watcher left: %+v, want nothing kept", got)
		}
		w.Resume()
		post(1)
		got := w.Take()
		if len(got) != 2 || got[0].Gap == nil || got[1].Changed == nil {
			t.Errorf("back too late: %+v, want a gap and a change", got)
		}
	})
}
