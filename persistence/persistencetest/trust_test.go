package persistencetest_test

import (
	"testing"

	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestARowThatNobodyCanHaveSeenIsTrustedByNobody(t *testing.T) {
	const there, generation = "group:1", 5
	for name, del := range map[string]persistence.Delete{
		"one that is not there":     {Key: persistence.TailKey("group:2"), UpTo: generation},
		"one of another generation": {Key: persistence.TailKey(there), UpTo: generation - 1},
	} {
		t.Run(name, func(t *testing.T) {
			store := persistencetest.NewStore()
			epochs, err := store.Acquire(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			commit := func(g persistence.Group) {
				g.Shard, g.Epoch = 1, epochs[0]
				if _, err := store.Commit(t.Context(), persistence.Batch{Groups: []persistence.Group{g}}); err != nil {
					t.Fatal(err)
				}
			}
			tail := persistence.Tail{Generation: generation}
			commit(persistence.Group{Puts: []persistence.Put{{Key: persistence.TailKey(there), Value: tail.Encode()}}})
			snapshot, err := store.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			defer snapshot.Close()
			defer func() {
				if recover() == nil {
					t.Error("it was trusted")
				}
			}()
			del.Seen = persistence.Sight{Snapshot: snapshot.Number(), Generation: del.UpTo}
			commit(persistence.Group{Deletes: []persistence.Delete{del}})
		})
	}
}
