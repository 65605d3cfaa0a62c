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

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestAWatcherIsToldOfAConversationsLifeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := actorstest.Start(t, hourly())
		w := e.Events(actors.WatchQuery{})
		first := e.Post("group:42", "ann", 1, "bob")
		synctest.Wait() // it is told by itself
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
		synctest.Wait() // it is in the store
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
