package journal_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// Readers ask the journal, then a snapshot that they take after that, and keep the newer of the two. They must find every row as it was when they began, or
// newer, and never see one go back, while the rows move from the one batch to the next, and into the store, which fails now and then.
func TestAReaderNeverMissesARowOnItsWayIntoTheStore(t *testing.T) {
	const changes = 20_000
	f := newFixture(t, func(c *journal.Config) { c.Interval, c.Rows = 100*time.Microsecond, 50 })
	sometimes := func() error {
		if rand.N(20) == 0 {
			return errDisk
		}
		return nil
	}
	f.store.SetFaults(persistencetest.Faults{
		BeforeGroup: func(persistence.Batch, int) error { return sometimes() },
		AfterCommit: func(persistence.Batch, []persistence.Result) error { return sometimes() },
	})
	const name = "group:1"
	rows := []conversation.Write{head(name, ""), tail(name, ""), membership("ann", name, "")}
	keys := [][]byte{rows[0].Key, rows[1].Key, rows[2].Key}

	var added atomic.Uint64 // the last change of which the Add has returned
	var work sync.WaitGroup
	work.Go(func() {
		for n := uint64(1); n <= changes; n++ {
			value := binary.BigEndian.AppendUint64(nil, n)
			writes := make([]conversation.Write, len(rows))
			for i, row := range rows {
				writes[i] = conversation.Write{Key: row.Key, Value: value, User: row.User}
			}
			if n%100 == 0 {
				w := make(committed, 1)
				f.Add(name, persistence.ShardOf(name), writes, w)
				if err := <-w; err != nil {
					t.Errorf("change %d: %v", n, err)
				}
			} else {
				f.Add(name, persistence.ShardOf(name), writes, nil)
			}
			added.Store(n)
			f.add("group:2", head("group:2", "so that batches have several groups"))
		}
	})
	for range 3 {
		work.Go(func() {
			seen := make([]uint64, len(keys))
			for seen[0] < changes && !t.Failed() {
				least := added.Load()
				listed := least == 0 || len(f.UserRows("ann", everything)) > 0 || f.isStored(keys[2])
				found := f.newest(name, keys)
				for i, got := range found {
					if got < least || got < seen[i] {
						t.Errorf("row %d: found change %d after %d was added and %d was seen", i, got, least, seen[i])
					}
				}
				if !listed {
					t.Errorf("after change %d: a row of ann's is neither in the journal nor in the store", least)
				}
				seen = found
			}
		})
	}
	work.Wait()
	if err := f.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.wantPoisoned()
	for i, got := range f.newest(name, keys) {
		if got != changes {
			t.Errorf("row %d at last: %d, want %d", i, got, changes)
		}
	}
}

type committed chan error

func (c committed) Committed(_ journal.Written, err error) { c <- err }

// newest reads rows as the engine does.
func (f *fixture) newest(name string, keys [][]byte) []uint64 {
	found := make([]uint64, len(keys))
	for i, value := range f.Lookup(name, keys...) {
		if value != nil {
			found[i] = binary.BigEndian.Uint64(value)
		}
	}
	s, err := f.store.Snapshot()
	if err != nil {
		f.Error(err)
		return found
	}
	defer s.Close()
	for i, key := range keys {
		value, err := s.Get(context.Background(), key)
		switch {
		case errors.Is(err, persistence.ErrNotFound):
		case err != nil:
			f.Error(err)
		default:
			found[i] = max(found[i], binary.BigEndian.Uint64(value))
		}
	}
	return found
}

func (f *fixture) isStored(key []byte) bool {
	s, err := f.store.Snapshot()
	if err != nil {
		f.Error(err)
		return true
	}
	defer s.Close()
	_, err = s.Get(context.Background(), key)
	return !errors.Is(err, persistence.ErrNotFound)
}
