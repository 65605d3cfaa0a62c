package badgerstore

import (
	"errors"
	"math"
	"sync/atomic"
	"testing"

	"github.com/parley-im/parley/persistence"
)

func TestAFullDiskRefusesWritesUntilThereIsSpace(t *testing.T) {
	const reserve = 1 << 20
	var free atomic.Uint64
	free.Store(math.MaxUint64)
	s := open(t, t.TempDir(), Options{ReserveBytes: reserve, FreeSpace: func(string) (uint64, error) { return free.Load(), nil }})
	s.commit(s.batch("before"))
	version := s.db.MaxVersion()
	for _, left := range []uint64{0, reserve - 1, reserve, reserve + 10} {
		free.Store(left)
		if _, err := s.Commit(t.Context(), s.batch("a", "b")); !errors.Is(err, persistence.ErrStoreFull) {
			t.Errorf("commit with %d bytes free: %v, want ErrStoreFull", left, err)
		}
		if _, err := s.Acquire(t.Context(), 1); !errors.Is(err, persistence.ErrStoreFull) {
			t.Errorf("acquire with %d bytes free: %v, want ErrStoreFull", left, err)
		}
	}
	s.want(true, "before")
	s.want(false, "a", "b")
	if s.db.MaxVersion() != version {
		t.Error("something was written")
	}
	free.Store(reserve + 4096)
	s.commit(s.batch("a", "b")) // under the same epoch
	s.want(true, "a", "b")
}

func TestABatchOfSeveralTransactionsIsRefusedBeforeTheFirst(t *testing.T) {
	var free atomic.Uint64
	free.Store(math.MaxUint64)
	s := open(t, t.TempDir(), Options{ReserveBytes: 1, FreeSpace: func(string) (uint64, error) { return free.Load(), nil }})
	batch := s.batch("0", "1", "2", "3", "4", "5", "6", "7")
	for i := range batch.Groups {
		batch.Groups[i].Puts[0].Value = make([]byte, 900_000)
	}
	free.Store(5_000_000) // enough for the first transaction
	if _, err := s.Commit(t.Context(), batch); !errors.Is(err, persistence.ErrStoreFull) {
		t.Errorf("%v, want ErrStoreFull", err)
	}
	s.want(false, "0", "7")
}

func TestSpaceThatCannotBeAskedForFailsTheCommit(t *testing.T) {
	errStat := errors.New("no such disk")
	var failing atomic.Bool
	s := open(t, t.TempDir(), Options{FreeSpace: func(string) (uint64, error) {
		if failing.Load() {
			return 0, errStat
		}
		return math.MaxUint64, nil
	}})
	failing.Store(true)
	if _, err := s.Commit(t.Context(), s.batch("a")); !errors.Is(err, errStat) {
		t.Errorf("%v, want the failure", err)
	}
	s.want(false, "a")
	failing.Store(false)
	s.commit(s.batch("a"))
}

func TestANegativeReserveIsNone(t *testing.T) {
	s := open(t, t.TempDir(), Options{ReserveBytes: -1, FreeSpace: func(string) (uint64, error) { return 0, nil }})
	s.commit(s.batch("a"))
	s.want(true, "a")
}

// TestSpaceIsSharedOutWithinATurn has each request of a turn find less than the one before it.
func TestSpaceIsSharedOutWithinATurn(t *testing.T) {
	asked := 0
	s := &space{reserve: 100, ask: func(string) (uint64, error) { asked++; return 1_100, nil }}
	for i, test := range []struct {
		bytes int64
		full  bool
	}{{300, false}, {300, true}, {200, false}, {1, true}} {
		if err := s.take(test.bytes); errors.Is(err, persistence.ErrStoreFull) != test.full {
			t.Errorf("request %d of %d bytes: %v, want it refused: %v", i, test.bytes, err, test.full)
		}
	}
	s.turn(0)
	if err := s.take(500); err != nil || asked != 2 {
		t.Errorf("the next turn: %v, asked %d times; want it to ask again", err, asked)
	}
}

func TestTheSystemKnowsItsFreeSpace(t *testing.T) {
	if free, err := freeSpace(t.TempDir()); err != nil || free == 0 {
		t.Errorf("%d, %v", free, err)
	}
	if _, err := freeSpace("/nowhere/at/all"); err == nil {
		t.Error("a directory that does not exist has free space")
	}
}
