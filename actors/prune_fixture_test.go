package actors_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// ago returns an instant before the bubble's clock.
func ago(d time.Duration) persistence.Instant { return persistence.InstantOf(time.Now().Add(-d)) }

func removalKey(i int, age time.Duration) []byte {
	return persistence.RemovalKey(fmt.Sprintf("user%d", i), uint64(ago(age)), fmt.Sprintf("group:%d", i))
}

// ownKey is the key of the entry of a user's own change that is as old.
func ownKey(i int, age time.Duration) []byte {
	return persistence.EntryKey(fmt.Sprintf("user%d", i), persistence.EntryOwn, ago(age), fmt.Sprintf("group:%d", i))
}

// storeOf returns a store in which an engine left removals and entries of conversations that are gone.
func storeOf(t *testing.T, keys ...[]byte) *persistencetest.Store {
	t.Helper()
	store := persistencetest.NewStore()
	for i, key := range keys {
		value := persistence.Member{Generation: 1}.Encode()
		if persistence.KindOf(key) == persistence.KindRemoval {
			value = persistence.Removal{Generation: 1, Reason: persistence.ReasonExpired}.Encode()
		}
		if i == 0 {
			if _, err := store.Acquire(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
		}
		g := persistence.Group{Epoch: 1, Puts: []persistence.Put{{Key: key, Value: value}}}
		if results, err := store.Commit(t.Context(), persistence.Batch{Groups: []persistence.Group{g}}); err != nil || results[0].Err != nil {
			t.Fatal(err, results)
		}
	}
	return store
}

func wantRows(t *testing.T, when string, store *persistencetest.Store, want ...[]byte) {
	t.Helper()
	var left, wanted []string
	for key := range stored(t, store) {
		left = append(left, key)
	}
	for _, key := range want {
		wanted = append(wanted, string(key))
	}
	slices.Sort(left)
	slices.Sort(wanted)
	if diff := cmp.Diff(wanted, left); diff != "" {
		t.Fatalf("%s: the rows in the store (-want +got):\n%s", when, diff)
	}
}

// prunes reports whether a batch is one of the pruner's: it only deletes, and without asking for a due entry.
func prunes(b persistence.Batch) bool {
	return len(b.Groups) > 0 && !slices.ContainsFunc(b.Groups, func(g persistence.Group) bool {
		return g.Requires != nil || len(g.Puts) > 0 || len(g.Events) > 0
	})
}

// pruneConfig has a pass every hour.
func pruneConfig() actors.Config { return actors.Config{SyncHorizon: 30 * time.Hour} }
