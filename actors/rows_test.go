package actors_test

import (
	"context"
	"testing"
	"time"

	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// outdatedAfter is when, under the default config, nothing is left of rows that no cursor asks for any more: the horizon, an hour, the rest of an entry's hour, and the
// time from one pass to the next.
const outdatedAfter = (30*24 + 1 + 1 + 24) * time.Hour

// stored returns the rows of a store by their keys, but for those of the store itself.
func stored(t *testing.T, store *persistencetest.Store) map[string][]byte {
	t.Helper()
	snapshot, err := store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	rows := map[string][]byte{}
	for row, err := range snapshot.Scan(context.Background(), persistence.Range{Start: []byte{0}, End: []byte{0xff}}) {
		if err != nil {
			t.Fatal(err)
		}
		switch persistence.KindOf(row.Key) {
		case persistence.KindOwner, persistence.KindStore, persistence.KindLineage, persistence.KindSweep:
		default:
			rows[string(row.Key)] = append([]byte(nil), row.Value...)
		}
	}
	return rows
}

// kinds counts the rows of conversations, users and events in an engine's store.
func kinds(t *testing.T, e *actorstest.Engine) map[persistence.Kind]int {
	t.Helper()
	counts := map[persistence.Kind]int{}
	for key := range stored(t, e.Store) {
		counts[persistence.KindOf([]byte(key))]++
	}
	return counts
}
