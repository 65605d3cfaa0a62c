package badgerstore

import (
	"errors"
	"maps"
	"math"
	"sync/atomic"
	"testing"

	"github.com/parley-im/parley/persistence"
)

// TestStirringChangesNoRow compares all rows, those that maintenance writes again among them.
func TestStirringChangesNoRow(t *testing.T) {
	s := open(t, t.TempDir(), Options{NoSync: true, MaintainEvery: -1})
	s.bulk(0, 300, false)
	contents := func() map[string]string {
		snapshot := s.snapshot()
		defer snapshot.Close()
		rows := make(map[string]string)
		for row, err := range snapshot.Scan(t.Context(), persistence.Range{Start: []byte{0}, End: []byte{0xff}}) {
			if err != nil {
				t.Fatal(err)
			}
			rows[string(row.Key)] = string(row.Value)
		}
		return rows
	}
	before := contents()
	touch := [][]byte{[]byte("xnobody"), nil, []byte("!badger!x"), persistence.OwnerKey(1), persistence.StoreKey(rowShards)}
	for n := range 300 {
		touch = append(touch, bulkKey(n))
	}
	f, err := measure(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.maintainer.stir(t.Context(), touch); err != nil {
		t.Fatal(err)
	}
	if after := contents(); !maps.Equal(before, after) {
		t.Errorf("%d rows before, other %d after", len(before), len(after))
	}
	if _, there := f.logged[f.newest]; !there || s.db.Levels()[0].NumTables != 1 {
		t.Errorf("%v and %d tables: want the memtable to be one", f.logged, s.db.Levels()[0].NumTables)
	}
	s.commit(s.batch("a")) // under the same epoch
}

func TestAStirThatCannotBeWrittenLeavesRowsAsTheyAre(t *testing.T) {
	var free atomic.Uint64
	free.Store(math.MaxUint64)
	s := open(t, t.TempDir(), Options{NoSync: true, MaintainEvery: -1, FreeSpace: func(string) (uint64, error) { return free.Load(), nil }})
	s.commit(s.batch("a"))
	free.Store(DefaultReserve)
	if err := s.maintainer.stir(t.Context(), [][]byte{[]byte("xa")}); !errors.Is(err, persistence.ErrStoreFull) {
		t.Errorf("%v, want ErrStoreFull", err)
	}
	s.want(true, "a")
}
