package journal

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestTheChangesOfAGenerationAreMerged(t *testing.T) {
	r := &record{name: "g:1"}
	for i, change := range []Change{
		newChange("g:1", 0, Note{Kinds: 1, Generation: 7, Version: 1, LastSeq: 1, Origin: "a", Users: []string{"ann"}}),
		newChange("g:1", 0, Note{Kinds: 4, Generation: 7, Version: 2, LastSeq: 3, Origin: "a", Users: []string{"bob"}}),
		newChange("g:1", 0, Note{Kinds: 4, Generation: 8, Version: 1, LastSeq: 4, Origin: "a", Users: []string{"ann"}}),
		newChange("g:1", 0, Note{Kinds: 4, Generation: 8, Version: 1, LastSeq: 4, Origin: "b", Everyone: true, Users: []string{"bob"}}),
	} {
		r.note(change)
		if want := 1 + i/2; len(r.changes) != want {
			t.Fatalf("after %d: %d changes, want %d: one for each generation", i+1, len(r.changes), want)
		}
	}
	want := []Change{
		{Note: Note{Kinds: 5, Generation: 7, Version: 2, LastSeq: 3, Origin: "a", Users: []string{"ann", "bob"}}, Conversation: "g:1"},
		{Note: Note{Kinds: 4, Generation: 8, Version: 1, LastSeq: 4, Everyone: true}, Conversation: "g:1"},
	}
	b := newBatch(1)
	b.order = append(b.order, r)
	if diff := cmp.Diff(want, b.changes()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestAChangeOfTooManyUsersIsForEveryone(t *testing.T) {
	r := &record{name: "g:1"}
	for i := range MaxUsers + 1 {
		if r.note(newChange("g:1", 0, Note{Kinds: 1, Users: []string{fmt.Sprint(i)}})); (i == MaxUsers) != r.changes[0].Everyone {
			t.Errorf("with %d users: everyone is %v", i+1, r.changes[0].Everyone)
		}
	}
	if users := r.changes[0].Users; len(users) != 0 {
		t.Errorf("it names %v", users)
	}
}

func TestTheChangesOfAShardAreInTheOrderOfTheirCommits(t *testing.T) {
	b := newBatch(1)
	for i, next := range []uint64{3, 1, 2} {
		r := &record{name: fmt.Sprint(i)}
		r.note(Change{Conversation: r.name})
		r.placed(next)
		b.order = append(b.order, r)
	}
	var names string
	for _, c := range b.changes() {
		names += c.Conversation
	}
	if names != "120" {
		t.Errorf("got %s, want 120", names)
	}
}

// A batch that the store takes in parts takes in the next one meanwhile: what came later was not committed with the first part.
func TestAChangeThatCameOnceTheRecordWasInTheStoreHasAPlaceOfItsOwn(t *testing.T) {
	r := &record{name: "g:1"}
	r.note(Change{Conversation: "g:1", Note: Note{Generation: 1, Version: 1}})
	r.note(Change{Conversation: "g:1", Note: Note{Generation: 1, Version: 2}})
	r.placed(7)
	r.note(Change{Conversation: "g:1", Note: Note{Generation: 1, Version: 3}})
	r.placed(9)
	b := newBatch(1)
	b.order = append(b.order, r)
	var got []string
	for _, c := range b.changes() {
		got = append(got, fmt.Sprintf("version %d before event %d", c.Version, c.NextEvent))
	}
	if want := []string{"version 2 before event 7", "version 3 before event 9"}; !slices.Equal(got, want) {
		t.Errorf("told: %q, want %q", got, want)
	}
}

func TestChangesAreToldOnceTheyCanBeReadAndBeforeAnybodyHearsOfTheFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := persistencetest.NewStore()
		shard := persistence.ShardOf("g:1")
		epochs, err := store.Acquire(t.Context(), shard)
		if err != nil {
			t.Fatal(err)
		}
		all := make([]persistence.Epoch, persistence.Shards)
		all[shard] = epochs[0]
		key := persistence.HeadKey("g:1")
		var j *Journal
		told := 0
		j = Open(Config{
			Store: store, Epochs: all, Interval: time.Second, Rows: 100, MaxBytes: 1 << 20,
			Now:   func() persistence.Instant { return persistence.InstantOf(time.Now()) },
			After: func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop },
			Begin: func(Attempt) {}, End: func(Attempt, time.Duration, error) {}, OnFlush: func(uint64) {},
			OnCommitted: func(changes []Change) {
				told += len(changes)
				if seq := j.Flushed(); seq != 0 {
					t.Errorf("batch %d is said to be in the store", seq)
				}
				if seq := j.InFlight(func(yield func(string) bool) { yield("g:1") }); seq != 1 {
					t.Errorf("the conversation is in batch %d, want 1", seq)
				}
				s, err := store.Snapshot()
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if _, err := s.Get(context.Background(), key); err != nil {
					t.Errorf("what is told cannot be read: %v", err)
				}
			},
		})
		j.AddNoted("g:1", shard, []conversation.Write{{Key: key, Value: (&persistence.Head{Generation: 1}).Encode()}}, Note{Kinds: 1}, nil)
		if err := j.Close(t.Context()); err != nil || told != 1 {
			t.Errorf("%d changes were told: %v", told, err)
		}
	})
}
