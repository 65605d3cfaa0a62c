package badgerstore

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/parley-im/parley/persistence"
)

// liveTransactions returns how many read-only transactions are held.
func (s *subject) liveTransactions() int {
	s.snapshots.mu.Lock()
	defer s.snapshots.mu.Unlock()
	return len(s.snapshots.live)
}

func TestATransactionIsDiscardedWithItsLastReader(t *testing.T) {
	s := open(t, t.TempDir(), Options{NoSync: true})
	snapshot := func() persistence.Snapshot {
		h, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	want := func(when string, n int) {
		t.Helper()
		if got := s.liveTransactions(); got != n {
			t.Errorf("%s: %d transactions, want %d", when, got, n)
		}
	}
	one, two := snapshot(), snapshot()
	want("two readers of the latest", 1)
	for i := range 10 {
		s.commit(s.batch(fmt.Sprint(i)))
	}
	want("two readers of an old one", 2)
	one.Close()
	one.Close()
	want("one reader of an old one", 2)
	two.Close()
	want("no reader", 1)
}

func TestReadersAndCommitsLeaveOneTransaction(t *testing.T) {
	s := open(t, t.TempDir(), Options{NoSync: true})
	var load sync.WaitGroup
	for c := range 3 {
		load.Go(func() {
			for i := range 200 {
				if _, err := s.Commit(t.Context(), s.batch(fmt.Sprintf("%d-%d", c, i))); err != nil {
					t.Error(err)
				}
			}
		})
		load.Go(func() {
			for range 500 {
				h, err := s.Snapshot()
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := h.Get(t.Context(), []byte("x0-0")); err != nil && !errors.Is(err, persistence.ErrNotFound) {
					t.Error(err)
				}
				h.Close()
			}
		})
	}
	load.Wait()
	if n := s.liveTransactions(); n != 1 {
		t.Errorf("%d transactions, want 1", n)
	}
}

// TestASnapshotMayBeClosedWhileItIsRead has a read race with the Close of its own snapshot: it answers or is refused.
func TestASnapshotMayBeClosedWhileItIsRead(t *testing.T) {
	s := open(t, t.TempDir(), Options{NoSync: true})
	s.commit(s.batch("a", "b", "c"))
	for range 300 {
		h, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		s.commit(s.batch("d")) // h is now the last reader of its transaction
		var racing sync.WaitGroup
		racing.Go(func() {
			if value, err := h.Get(t.Context(), []byte("xa")); !errors.Is(err, persistence.ErrClosed) && (err != nil || string(value) != "a") {
				t.Errorf("get: %q, %v", value, err)
			}
		})
		racing.Go(func() {
			n := 0
			for _, err := range h.Scan(t.Context(), persistence.PrefixRange([]byte("x"))) {
				if errors.Is(err, persistence.ErrClosed) {
					return
				}
				if err != nil {
					t.Errorf("scan: %v", err)
				}
				n++
			}
			if n < 3 {
				t.Errorf("scan: %d rows", n)
			}
		})
		racing.Go(h.Close)
		racing.Wait()
	}
	if n := s.liveTransactions(); n != 1 {
		t.Errorf("%d transactions, want 1", n)
	}
}

func TestCloseWaitsForTheNextStepOfAScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{})
		s.commit(s.batch("a", "b", "c"))
		h, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		closed := make(chan error, 1)
		var seen []error
		for _, err := range h.Scan(t.Context(), persistence.PrefixRange([]byte("x"))) {
			seen = append(seen, err)
			if len(seen) > 1 {
				continue
			}
			go func() { closed <- s.Close() }()
			synctest.Wait()
			select {
			case err := <-closed:
				t.Fatalf("Close did not wait for the scan: %v", err)
			default:
			}
			if _, err := h.Get(t.Context(), []byte("xa")); !errors.Is(err, persistence.ErrClosed) {
				t.Errorf("a Get meanwhile: %v, want ErrClosed", err)
			}
		}
		if len(seen) != 2 || seen[0] != nil || !errors.Is(seen[1], persistence.ErrClosed) {
			t.Errorf("the scan yielded %v, want one row and ErrClosed", seen)
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}
