package actors

import (
	"testing"

	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// started begins on a store as an engine does, after something was committed at a time.
func started(t *testing.T, store *persistencetest.Store, at persistence.Instant) lineage {
	t.Helper()
	epochs, err := store.Acquire(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Commit(t.Context(), persistence.Batch{Clock: at}); err != nil {
		t.Fatal(err)
	}
	l, err := begin(t.Context(), store, epochs[0])
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAStartKnowsTheStartsBeforeItUpToWhatTheyHadCommitted(t *testing.T) {
	store := persistencetest.NewStore()
	first := started(t, store, 10)
	second := started(t, store, 20)
	third := started(t, store, 30)
	for _, test := range []struct {
		name string
		mark uint64
		upTo persistence.Instant
		want bool
	}{
		{"its own", third.current, persistence.Never, true},
		{"the one before, as it ended", second.current, 30, true},
		{"the one before, later than what is here", second.current, 31, false},
		{"the first, as it ended", first.current, 20, true},
		{"the first, later than what is here", first.current, 21, false},
		{"one that never was here", first.current ^ second.current ^ third.current ^ 1, 1, false},
	} {
		if got := third.knows(test.mark, test.upTo); got != test.want {
			t.Errorf("%s: known is %v, want %v", test.name, got, test.want)
		}
	}
	if first.knows(second.current, 1) {
		t.Error("the first start knows the second: a copy from before that would take its cursors")
	}
}

func TestALineageForgetsItsOldestStarts(t *testing.T) {
	store := persistencetest.NewStore()
	first := started(t, store, 1)
	second := started(t, store, 2)
	var last lineage
	for i := range persistence.MaxLineage - 1 {
		last = started(t, store, persistence.Instant(3+i))
	}
	all, err := readLineage(t.Context(), store)
	if err != nil || len(all) != persistence.MaxLineage {
		t.Fatalf("%d starts are kept, %v; want %d", len(all), err, persistence.MaxLineage)
	}
	if last.knows(first.current, 1) || !last.knows(second.current, 2) {
		t.Error("want that the first start is forgotten, and only that")
	}
}

func TestAStartThatCannotBeNotedFails(t *testing.T) {
	store := persistencetest.NewStore()
	epochs, err := store.Acquire(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Acquire(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := begin(t.Context(), store, epochs[0]); err == nil {
		t.Error("a start under an old epoch was noted")
	}
}
