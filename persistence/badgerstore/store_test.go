package badgerstore

import (
	"errors"
	"fmt"
	"testing"

	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	for name, o := range map[string]Options{"synced": {}, "unsynced": {NoSync: true}} {
		t.Run(name, func(t *testing.T) {
			persistencetest.Run(t, func(t *testing.T) persistencetest.Storage {
				t.Helper()
				dir := t.TempDir()
				return func() (persistencetest.Opened, error) { return Open(dir, o) }
			})
		})
	}
}

// subject is a store under test that owns shard 1.
type subject struct {
	*testing.T
	*Store

	epoch persistence.Epoch
}

func open(t *testing.T, dir string, o Options) *subject {
	t.Helper()
	store, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if fault := store.Close(); fault != nil {
			t.Error(fault)
		}
	})
	epochs, err := store.Acquire(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return &subject{T: t, Store: store, epoch: epochs[0]}
}

// batch puts each row in a group of its own.
func (s *subject) batch(keys ...string) persistence.Batch {
	var batch persistence.Batch
	for _, key := range keys {
		batch.Groups = append(batch.Groups, persistence.Group{
			Shard: 1, Epoch: s.epoch, Puts: []persistence.Put{{Key: []byte("x" + key), Value: []byte(key)}},
		})
	}
	return batch
}

func (s *subject) commit(batch persistence.Batch) []persistence.Result {
	s.Helper()
	results, err := s.Commit(s.Context(), batch)
	if err != nil {
		s.Fatal(err)
	}
	return results
}

// has reports whether the latest snapshot has the row.
func (s *subject) has(key string) bool {
	s.Helper()
	snapshot, err := s.Snapshot()
	if err != nil {
		s.Fatal(err)
	}
	defer snapshot.Close()
	_, err = snapshot.Get(s.Context(), []byte("x"+key))
	if err != nil && !errors.Is(err, persistence.ErrNotFound) {
		s.Fatal(err)
	}
	return err == nil
}

func (s *subject) want(present bool, keys ...string) {
	s.Helper()
	for _, key := range keys {
		if s.has(key) != present {
			s.Errorf("row %q is there: %v, want %v", key, !present, present)
		}
	}
}

func TestAGroupWithAnUnreadableGuardLeavesNothing(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	s.commit(s.batch("a")) // "a" carries no generation
	batch := s.batch("b", "c")
	batch.Groups[0].Deletes = []persistence.Delete{{Key: []byte("xa"), UpTo: 1}}
	results := s.commit(batch)
	if !errors.Is(results[0].Err, persistence.ErrNewerFormat) || results[1].Err != nil {
		t.Errorf("%v; want the first to fail alone", results)
	}
	s.want(true, "a", "c")
	s.want(false, "b")
}

func TestKeysThatNoRowMayHaveAreRefusedBeforeAnythingIsWritten(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	for _, key := range [][]byte{nil, {}, []byte("!badger!x"), persistence.OwnerKey(1), persistence.StoreKey("clock")} {
		put, del := s.batch("a", "b"), s.batch("a", "b")
		put.Groups[1].Puts = append(put.Groups[1].Puts, persistence.Put{Key: key})
		del.Groups[1].Deletes = append(del.Groups[1].Deletes, persistence.Delete{Key: key})
		for what, batch := range map[string]persistence.Batch{"put": put, "delete": del} {
			if _, err := s.Commit(t.Context(), batch); !errors.Is(err, persistence.ErrKey) {
				t.Errorf("%s %q: %v, want ErrKey", what, key, err)
			}
		}
	}
	s.want(false, "a", "b")
}

func TestTheLargestGroupThatIsAcceptedFitsItsTransaction(t *testing.T) {
	s := open(t, t.TempDir(), Options{NoSync: true})
	rows := func(n, size, events int) persistence.Group {
		g := persistence.Group{Shard: 1, Epoch: s.epoch}
		for i := range n {
			g.Puts = append(g.Puts, persistence.Put{Key: fmt.Appendf(nil, "x%08d", i), Value: make([]byte, size)})
		}
		for range events {
			g.Events = append(g.Events, make([]byte, size))
		}
		return g
	}
	clock := persistence.Never - 1 // takes the most room
	for _, test := range []struct {
		name         string
		size, events int
	}{{"entries", 0, 0}, {"entries and events", 0, 3}, {"bytes", 1_000, 0}, {"bytes and events", 10_000, 3}} {
		t.Run(test.name, func(t *testing.T) {
			accepted := func(n int) bool {
				g := rows(n, test.size, test.events)
				c, possible := costOf(&g)
				return possible && fixed.plus(c).fits(s.db)
			}
			n := 1
			for accepted(n * 2) {
				n *= 2
			}
			for step := n; step > 0; step /= 2 {
				if accepted(n + step) {
					n += step
				}
			}
			clock--
			results, err := s.Commit(t.Context(), persistence.Batch{Clock: clock, Groups: []persistence.Group{
				rows(n, test.size, test.events), rows(n+1, test.size, test.events),
			}})
			if err != nil {
				t.Fatalf("%d rows: %v", n, err)
			}
			if results[0].Err != nil || !errors.Is(results[1].Err, persistence.ErrGroupTooLarge) {
				t.Errorf("%d rows: %v; one more: %v, want ErrGroupTooLarge", n, results[0].Err, results[1].Err)
			}
		})
	}
	g := rows(1, maxValue, 0)
	if results := s.commit(persistence.Batch{Groups: []persistence.Group{g}}); !errors.Is(results[0].Err, persistence.ErrGroupTooLarge) {
		t.Errorf("a value that Badger would keep apart: %v, want ErrGroupTooLarge", results[0].Err)
	}
}
