package actors_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// heard describes events without their cursors and times.
func heard(t *testing.T, got []actors.Event, want ...actors.Event) {
	t.Helper()
	for i := range got {
		if got[i].At.IsZero() {
			t.Errorf("event %d has no time: %+v", i, got[i])
		}
	}
	ignored := cmp.Options{
		cmpopts.IgnoreFields(actors.Event{}, "Cursor", "At"), cmpopts.IgnoreFields(actors.Expired{}, "Lateness", "Deadline"), cmpopts.EquateEmpty(),
	}
	if diff := cmp.Diff(want, got, ignored); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func propose(t *testing.T, e *actorstest.Engine, p *actors.Proposal) actors.Reply {
	t.Helper()
	r, err := e.Propose(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAWatcherIsToldOfAConversationsLifeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		w := e.Events(actors.WatchQuery{})
		first := e.Post("group:42", "ann", 1, "bob")
		propose(t, e, &actors.Proposal{Conversation: "group:42", Change: &conversation.Read{User: "bob", Seq: 1}, Origin: "phone"})
		e.Advance(2 * time.Hour)
		second := e.Post("group:42", "ann", 2)
		e.Advance(time.Second)
		heard(t, w.All(),
			actors.Event{Conversation: "group:42", Generation: first.Generation, Changed: &actors.Changed{Version: 1, LastSeq: 1, Kinds: []string{"post"}}},
			actors.Event{Conversation: "group:42", Generation: first.Generation, Changed: &actors.Changed{
				Version: 1, LastSeq: 1, Kinds: []string{"read"}, Users: []string{"bob"}, Origin: "phone",
			}},
			actors.Event{Conversation: "group:42", Generation: first.Generation, Expired: &actors.Expired{
				Reason: persistence.ReasonExpired, LastSeq: 1, Users: []string{"ann", "bob"},
			}},
			actors.Event{Conversation: "group:42", Generation: second.Generation, Changed: &actors.Changed{Version: 1, LastSeq: 2, Kinds: []string{"post"}}},
		)
		if got := w.All()[2]; !got.Expired.Deadline.Equal(got.At.Add(-got.Expired.Lateness)) || got.Expired.Lateness <= 0 || got.Expired.Lateness > time.Second {
			t.Errorf("it was over at %v and gone at %v, %v later", got.Expired.Deadline, got.At, got.Expired.Lateness)
		}
	})
}

func TestWhatOneFlushBringsToAConversationIsOneEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{FlushInterval: time.Minute})
		e.Post("group:42", "ann", 1, "bob", "cid")
		w := e.Events(actors.WatchQuery{})
		do := func(name, origin string, change conversation.Change) {
			propose(t, e, &actors.Proposal{Conversation: name, Change: change, Ack: actors.AckApplied, Origin: origin})
		}
		do("group:42", "a", &conversation.Read{User: "bob", Seq: 1})
		do("group:42", "a", &conversation.Set{User: "cid", Pin: new(uint64(7))})
		do("group:42", "a", &conversation.Read{User: "bob", Seq: 1}) // changes nothing
		do("group:42", "a", &conversation.MarkUnread{User: "bob"})
		e.Advance(time.Second)
		heard(t, w.Take())
		e.Advance(time.Minute)
		generation := e.View("group:42", "").Generation
		heard(t, w.Take(), actors.Event{Conversation: "group:42", Generation: generation, Changed: &actors.Changed{
			Version: 1, LastSeq: 1, Kinds: []string{"read", "mark_unread", "set"}, Users: []string{"bob", "cid"}, Origin: "a",
		}})
		do("group:42", "a", &conversation.Read{User: "cid", Seq: 1})
		do("group:42", "b", &conversation.Post{Seq: 2, Sender: "ann"})
		do("group:43", "b", &conversation.Join{Users: []string{"ann"}})
		e.Advance(time.Minute)
		got := w.Take()
		slices.SortFunc(got, func(a, b actors.Event) int { return strings.Compare(a.Conversation, b.Conversation) })
		heard(t, got,
			actors.Event{Conversation: "group:42", Generation: generation, Changed: &actors.Changed{Version: 2, LastSeq: 2, Kinds: []string{"post", "read"}}},
			actors.Event{Conversation: "group:43", Generation: e.View("group:43", "").Generation, Changed: &actors.Changed{
				Version: 1, Kinds: []string{"join"}, Origin: "b",
			}},
		)
	})
}

func TestNothingIsToldThatIsNotInTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, actors.Config{})
		w := e.Events(actors.WatchQuery{})
		post := &actors.Proposal{Conversation: "group:42", Change: &conversation.Post{Seq: 1, Sender: "ann"}}
		go func() {
			time.Sleep(time.Minute) // virtual: the watcher waits by then
			_, _ = e.Propose(context.Background(), post)
		}()
		resume := hold(e, func(f *persistencetest.Faults, stop func()) {
			f.BeforeCommit = func(persistence.Batch) error { stop(); return nil }
		})
		e.Advance(time.Minute)
		heard(t, w.Take())
		resume()
		e.Advance(time.Second)
		if got := w.Take(); len(got) != 1 {
			t.Errorf("after the commit: %+v, want one event", got)
		}
	})
}

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

func TestAWatcherOfSomeNamespacesIsToldOfThose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		w := e.Events(actors.WatchQuery{Namespaces: []string{"a", "b"}})
		for _, name := range []string{"a:1", "b:1", "c:1", "ab:1"} {
			e.Post(name, "ann", 1)
		}
		e.Advance(2 * time.Hour)
		seen := map[string]int{}
		for _, event := range w.All() {
			seen[event.Conversation]++
		}
		if diff := cmp.Diff(map[string]int{"a:1": 2, "b:1": 2}, seen); diff != "" {
			t.Errorf("events by conversation (-want +got):\n%s", diff)
		}
	})
}

func TestABadWatchIsRefusedByItsField(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := actorstest.Start(t, hourly())
		foreign := other.Events(actors.WatchQuery{})
		other.Post("group:1", "ann", 1)
		other.Advance(time.Second)
		e := actorstest.Start(t, hourly())
		w := e.Events(actors.WatchQuery{})
		e.Post("group:1", "ann", 1)
		e.Advance(2 * time.Hour)
		good := w.Cursor()
		for name, test := range map[string]struct {
			query actors.WatchQuery
			field string
		}{
			"nonsense":        {actors.WatchQuery{Cursor: "nonsense"}, "cursor"},
			"not base64":      {actors.WatchQuery{Cursor: "???"}, "cursor"},
			"cut off":         {actors.WatchQuery{Cursor: good[:len(good)-4]}, "cursor"},
			"another store's": {actors.WatchQuery{Cursor: foreign.Cursor()}, "cursor"},
			"empty namespace": {actors.WatchQuery{Namespaces: []string{"a", ""}}, "namespaces[1]"},
			"a whole name":    {actors.WatchQuery{Namespaces: []string{"a:1"}}, "namespaces[0]"},
		} {
			_, err := e.Watch(t.Context(), test.query)
			if refusal, ok := errors.AsType[*conversation.Error](err); !ok || !errors.Is(err, conversation.ErrInvalid) || refusal.Field != test.field {
				t.Errorf("%s: %v, want an invalid %s", name, err, test.field)
			}
		}
	})
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
