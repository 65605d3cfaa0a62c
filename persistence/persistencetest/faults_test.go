package persistencetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

var errDisk = errors.New("disk on fire")

// fixture is a store with a shard of its own.
type fixture struct {
	*testing.T

	store *persistencetest.Store
	epoch persistence.Epoch
}

func begin(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, store: persistencetest.NewStore()}
	epochs, err := f.store.Acquire(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	f.epoch = epochs[0]
	return f
}

// batch puts each row in a group of its own.
func (f *fixture) batch(keys ...string) persistence.Batch {
	var batch persistence.Batch
	for _, key := range keys {
		batch.Groups = append(batch.Groups, persistence.Group{
			Shard: 1, Epoch: f.epoch, Puts: []persistence.Put{{Key: []byte("x" + key), Value: []byte(key)}},
		})
	}
	return batch
}

func (f *fixture) wantKeys(store *persistencetest.Store, want ...string) {
	f.Helper()
	snapshot, err := store.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	defer snapshot.Close()
	var got []string
	for row, err := range snapshot.Scan(f.Context(), persistence.PrefixRange([]byte("x"))) {
		if err != nil {
			f.Fatal(err)
		}
		got = append(got, string(row.Key[1:]))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("rows: -want +got:\n%s", diff)
	}
}

func TestAFailedCommitWritesNothingPartOrAll(t *testing.T) {
	for _, test := range []struct {
		name   string
		faults persistencetest.Faults
		want   []string
	}{
		{"nothing", persistencetest.Faults{BeforeCommit: func(persistence.Batch) error { return errDisk }}, nil},
		{"the groups before the fault", persistencetest.Faults{BeforeGroup: func(_ persistence.Batch, i int) error {
			if i == 2 {
				return errDisk
			}
			return nil
		}}, []string{"a", "b"}},
		{"everything", persistencetest.Faults{AfterCommit: func(persistence.Batch, []persistence.Result) error { return errDisk }}, []string{"a", "b", "c"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := begin(t)
			f.store.SetFaults(test.faults)
			if _, err := f.store.Commit(t.Context(), f.batch("a", "b", "c")); !errors.Is(err, errDisk) {
				t.Errorf("%v, want the fault", err)
			}
			f.wantKeys(f.store, test.want...)
			f.wantKeys(f.store.Crash(), test.want...)
		})
	}
}

func TestReadsAndAcquisitionsCanFail(t *testing.T) {
	f := begin(t)
	if _, err := f.store.Commit(t.Context(), f.batch("a", "b")); err != nil {
		t.Fatal(err)
	}
	snapshot, err := f.store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	f.store.SetFaults(persistencetest.Faults{
		Acquire:  func([]persistence.Shard) error { return errDisk },
		Snapshot: func() error { return errDisk },
		Get:      func([]byte) error { return errDisk },
		Scan: func(_ persistence.Range, yielded int) error {
			if yielded == 1 {
				return errDisk
			}
			return nil
		},
	})
	if _, err := f.store.Acquire(t.Context(), 1); !errors.Is(err, errDisk) {
		t.Errorf("acquire: %v", err)
	}
	if _, err := f.store.Snapshot(); !errors.Is(err, errDisk) {
		t.Errorf("snapshot: %v", err)
	}
	if _, err := snapshot.Get(t.Context(), []byte("xa")); !errors.Is(err, errDisk) {
		t.Errorf("get: %v", err)
	}
	var seen []string
	for row, err := range snapshot.Scan(t.Context(), persistence.PrefixRange([]byte("x"))) {
		seen = append(seen, fmt.Sprintf("%s %v", row.Key, err))
	}
	if diff := cmp.Diff([]string{"xa <nil>", " disk on fire"}, seen); diff != "" {
		t.Errorf("scan: -want +got:\n%s", diff)
	}
	f.store.SetFaults(persistencetest.Faults{})
	if _, err := f.store.Commit(t.Context(), f.batch("c")); err != nil {
		t.Errorf("commit under the epoch from before the failed acquisition: %v", err)
	}
}

func TestLatencyPassesOnTheBubblesClockAndReadsHonourTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := begin(t)
		f.store.SetFaults(persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
			return map[persistencetest.Op]time.Duration{
				persistencetest.OpAcquire: time.Second, persistencetest.OpCommit: 2 * time.Second, persistencetest.OpSnapshot: 3 * time.Second,
				persistencetest.OpGet: 4 * time.Second, persistencetest.OpScan: 5 * time.Second,
			}[op]
		}})
		took := func(want time.Duration, do func()) {
			t.Helper()
			start := time.Now()
			do()
			if got := time.Since(start); got != want {
				t.Errorf("took %v, want %v", got, want)
			}
		}
		took(time.Second, func() {
			epochs, err := f.store.Acquire(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			f.epoch = epochs[0]
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		took(2*time.Second, func() { // a write under way is not stopped
			if _, err := f.store.Commit(ctx, f.batch("a")); err != nil {
				t.Error(err)
			}
		})
		var snapshot persistence.Snapshot
		took(3*time.Second, func() {
			var err error
			if snapshot, err = f.store.Snapshot(); err != nil {
				t.Fatal(err)
			}
		})
		defer snapshot.Close()
		took(4*time.Second, func() {
			if value, err := snapshot.Get(t.Context(), []byte("xa")); string(value) != "a" || err != nil {
				t.Errorf("%q, %v", value, err)
			}
		})
		late, cancelLate := context.WithTimeout(t.Context(), time.Second)
		defer cancelLate()
		took(time.Second, func() {
			if _, err := snapshot.Get(late, []byte("xa")); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("get: %v, want DeadlineExceeded", err)
			}
		})
	})
}

func TestACommitStopsAtAPointWhileReadsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := begin(t)
		release := make(chan struct{})
		f.store.SetFaults(persistencetest.Faults{BeforeGroup: func(_ persistence.Batch, i int) error {
			if i == 1 {
				<-release
			}
			return nil
		}})
		committed := make(chan error)
		go func() {
			_, err := f.store.Commit(t.Context(), f.batch("a", "b"))
			committed <- err
		}()
		synctest.Wait()
		f.wantKeys(f.store) // nothing is published before its commit is done
		close(release)
		if err := <-committed; err != nil {
			t.Fatal(err)
		}
		f.wantKeys(f.store, "a", "b")
	})
}

func TestAfterACrashThereIsWhatWasCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := begin(t)
		if _, err := f.store.Commit(t.Context(), f.batch("a")); err != nil {
			t.Fatal(err)
		}
		snapshot, err := f.store.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		reached, release := make(chan struct{}), make(chan struct{})
		f.store.SetFaults(persistencetest.Faults{BeforeGroup: func(_ persistence.Batch, i int) error {
			if i == 1 {
				close(reached)
				<-release
			}
			return nil
		}})
		under, waiting := make(chan error), make(chan error)
		go func() {
			_, err := f.store.Commit(t.Context(), f.batch("b", "c"))
			under <- err
		}()
		<-reached
		go func() {
			_, err := f.store.Commit(t.Context(), f.batch("d"))
			waiting <- err
		}()
		synctest.Wait()
		after := f.store.Crash()
		close(release)
		_, commit := f.store.Commit(t.Context(), f.batch("e"))
		_, acquire := f.store.Acquire(t.Context(), 1)
		_, open := f.store.Snapshot()
		_, get := snapshot.Get(t.Context(), []byte("xa"))
		for what, err := range map[string]error{
			"the commit under way": <-under, "the commit that waited": <-waiting, "a later commit": commit, "acquire": acquire, "snapshot": open, "get": get,
		} {
			if !errors.Is(err, persistencetest.ErrCrashed) {
				t.Errorf("%s: %v, want ErrCrashed", what, err)
			}
		}
		if err := f.store.Close(); err != nil {
			t.Error(err)
		}
		f.wantKeys(after, "a", "b")
		if got, want := after.Meta(), f.store.Meta(); got != want {
			t.Errorf("meta %+v, was %+v", got, want)
		}
		if _, err := after.Commit(t.Context(), f.batch("f")); err != nil {
			t.Fatal(err)
		}
		f.wantKeys(after, "a", "b", "f")
	})
}

func TestAScansSlicesAreLentForOneStep(t *testing.T) {
	f := begin(t)
	if _, err := f.store.Commit(t.Context(), f.batch("a", "b")); err != nil {
		t.Fatal(err)
	}
	snapshot, err := f.store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	var kept [][]byte
	for row, err := range snapshot.Scan(t.Context(), persistence.PrefixRange([]byte("x"))) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, row.Key, row.Value)
	}
	for _, b := range kept {
		if s := string(b); s == "xa" || s == "xb" || s == "a" || s == "b" {
			t.Errorf("%q can be kept beyond its step", s)
		}
	}
}

func TestOpenSnapshotsAreCounted(t *testing.T) {
	f := begin(t)
	snapshot, err := f.store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if n := f.store.OpenSnapshots(); n != 1 {
		t.Errorf("%d open, want 1", n)
	}
	snapshot.Close()
	snapshot.Close()
	if n := f.store.OpenSnapshots(); n != 0 {
		t.Errorf("%d open, want 0", n)
	}
}

func TestAGroupWithAnUnreadableGuardLeavesNothing(t *testing.T) {
	f := begin(t)
	if _, err := f.store.Commit(t.Context(), f.batch("a")); err != nil { // "a" carries no generation
		t.Fatal(err)
	}
	batch := f.batch("b", "c")
	batch.Groups[0].Deletes = []persistence.Delete{{Key: []byte("xa"), UpTo: 1}}
	results, err := f.store.Commit(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	if results[0].Err == nil || results[1].Err != nil {
		t.Errorf("%v; want the first to fail alone", results)
	}
	f.wantKeys(f.store, "a", "c")
}

func TestRowsOfTheStoreItselfCannotBeWritten(t *testing.T) {
	f := begin(t)
	for _, key := range [][]byte{nil, persistence.OwnerKey(1), persistence.StoreKey("clock")} {
		batch := persistence.Batch{Groups: []persistence.Group{{Shard: 1, Epoch: f.epoch, Puts: []persistence.Put{{Key: key}}}}}
		if _, err := f.store.Commit(t.Context(), batch); !errors.Is(err, persistence.ErrKey) {
			t.Errorf("put %q: %v, want ErrKey", key, err)
		}
	}
}
