package journal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

var errDisk = errors.New("disk on fire")

const interval = 50 * time.Millisecond

// fixture is a journal on a store of its own, with a record of all that it did.
type fixture struct {
	*testing.T
	*journal.Journal

	store  *persistencetest.Store
	config journal.Config
	timers atomic.Int64 // that are running

	mu       sync.Mutex
	commits  []persistence.Batch // that were tried
	logs     []persistence.Batch // that were to be logged
	begun    []journal.Attempt
	ended    []error
	flushed  []uint64
	poisoned []string
	fenced   []error
}

// recorder is a store that remembers what it was asked to write.
type recorder struct {
	persistence.Store

	f *fixture
}

func (r *recorder) Commit(ctx context.Context, batch persistence.Batch) ([]persistence.Result, error) {
	r.f.mu.Lock()
	r.f.commits = append(r.f.commits, batch)
	r.f.mu.Unlock()
	return r.Store.Commit(ctx, batch)
}

func (r *recorder) Log(ctx context.Context, batch persistence.Batch) (persistence.Position, error) {
	r.f.mu.Lock()
	r.f.logs = append(r.f.logs, batch)
	r.f.mu.Unlock()
	return r.Store.Log(ctx, batch)
}

// newFixture opens a journal, which the test has to close.
func newFixture(t *testing.T, changes ...func(*journal.Config)) *fixture {
	t.Helper()
	f := &fixture{T: t, store: persistencetest.NewStore()}
	shards := make([]persistence.Shard, persistence.Shards)
	for i := range shards {
		shards[i] = persistence.Shard(i)
	}
	epochs, err := f.store.Acquire(t.Context(), shards...)
	if err != nil {
		t.Fatal(err)
	}
	note := func(change func()) {
		f.mu.Lock()
		defer f.mu.Unlock()
		change()
	}
	f.config = journal.Config{
		Store:    &recorder{f.store, f},
		Epochs:   epochs,
		Now:      func() persistence.Instant { return persistence.InstantOf(time.Now()) },
		After:    f.after,
		Interval: interval,
		Rows:     1000,
		MaxBytes: 1 << 20,
		OnFlush:  func(seq uint64) { note(func() { f.flushed = append(f.flushed, seq) }) },
		OnPoison: func(name string, _ error) { note(func() { f.poisoned = append(f.poisoned, name) }) },
		OnFenced: func(err error) { note(func() { f.fenced = append(f.fenced, err) }) },
		Begin:    func(a journal.Attempt) { note(func() { f.begun = append(f.begun, a) }) },
		End:      func(_ journal.Attempt, _ time.Duration, err error) { note(func() { f.ended = append(f.ended, err) }) },
	}
	for _, change := range changes {
		change(&f.config)
	}
	f.Journal = journal.Open(f.config)
	return f
}

func (f *fixture) after(d time.Duration, call func()) (stop func() bool) {
	f.timers.Add(1)
	timer := time.AfterFunc(d, func() {
		f.timers.Add(-1)
		call()
	})
	return func() bool {
		stopped := timer.Stop()
		if stopped {
			f.timers.Add(-1)
		}
		return stopped
	}
}

func (f *fixture) wantTimers(when string, want int64) {
	f.Helper()
	if got := f.timers.Load(); got != want {
		f.Errorf("%s: %d timers are running, want %d", when, got, want)
	}
}

// inBubble runs a test on a journal in a synctest bubble and closes the journal after it. Between two steps of the test, nothing of the journal runs.
func inBubble(t *testing.T, test func(f *fixture), changes ...func(*journal.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, changes...)
		defer func() {
			// A test that failed may have left the store in any state.
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := f.Close(ctx); err != nil {
				t.Errorf("close: %v", err)
			}
			f.wantTimers("after close", 0)
			if n := f.store.OpenSnapshots(); n != 0 {
				t.Errorf("%d snapshots were left open", n)
			}
		}()
		test(f)
	})
}

func (f *fixture) add(name string, writes ...conversation.Write) uint64 {
	return f.Add(name, persistence.ShardOf(name), writes, nil)
}

// addWaiting adds writes and returns who waits for them.
func (f *fixture) addWaiting(name string, writes ...conversation.Write) *waiter {
	w := &waiter{}
	f.Add(name, persistence.ShardOf(name), writes, w)
	return w
}

func (f *fixture) wait(name string, seq uint64) *waiter {
	w := &waiter{}
	f.Wait(name, seq, w)
	return w
}

// advance lets time pass, and everything happen that happens in it.
func (f *fixture) advance(d time.Duration) {
	time.Sleep(d) // virtual: the one place of this package where time goes by
	synctest.Wait()
}

// hold stops the store before it takes the next commit, or logs anything, until the func that it returns is called. From then on commits fail for which then returns an error.
func (f *fixture) hold(then func(persistence.Batch) error) (release func()) {
	gate := make(chan struct{})
	f.failing(func(persistence.Batch) error {
		<-gate
		return nil
	})
	return func() {
		f.failing(then)
		close(gate)
		synctest.Wait()
	}
}

// slow makes every commit take that long, and every Log.
func (f *fixture) slow(d time.Duration) { f.slowly(d, persistencetest.OpCommit, persistencetest.OpLog) }

// slowly has operations of some kinds take a time.
func (f *fixture) slowly(d time.Duration, kinds ...persistencetest.Op) {
	f.store.SetFaults(persistencetest.Faults{Latency: func(op persistencetest.Op) time.Duration {
		if slices.Contains(kinds, op) {
			return d
		}
		return 0
	}})
}

// failing makes every commit, and every Log, fail for which why returns an error.
func (f *fixture) failing(why func(persistence.Batch) error) {
	f.store.SetFaults(persistencetest.Faults{BeforeCommit: why})
}

func (f *fixture) recovered() { f.store.SetFaults(persistencetest.Faults{}) }

// stored returns the value of a row in the store.
func (f *fixture) stored(key []byte) (value string, ok bool) {
	f.Helper()
	s, err := f.store.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	found, err := s.Get(context.Background(), key)
	if err != nil && !errors.Is(err, persistence.ErrNotFound) {
		f.Fatal(err)
	}
	return string(found), err == nil
}

func (f *fixture) wantStored(key []byte, want string) {
	f.Helper()
	if got, ok := f.stored(key); !ok || got != want {
		f.Errorf("in the store under %q: got %q (present: %t), want %q", key, got, ok, want)
	}
}

func (f *fixture) wantAbsent(key []byte) {
	f.Helper()
	if got, ok := f.stored(key); ok {
		f.Errorf("in the store under %q: got %q, want nothing", key, got)
	}
}

// tried returns the commits so far, each as the sorted lines of what it would write.
func (f *fixture) tried() [][]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return describeAll(f.commits)
}

func (f *fixture) wantLogged(want ...[]string) {
	f.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if diff := cmp.Diff(append([][]string{}, want...), describeAll(f.logs)); diff != "" {
		f.Errorf("to be logged: -want +got:\n%s", diff)
	}
}

func describeAll(batches []persistence.Batch) [][]string {
	all := [][]string{}
	for _, batch := range batches {
		all = append(all, describe(batch))
	}
	return all
}

func describe(batch persistence.Batch) []string {
	lines := []string{}
	for i := range batch.Groups {
		g := &batch.Groups[i]
		for _, p := range g.Puts {
			condition := ""
			if p.IfPresent {
				condition = " if present"
			}
			lines = append(lines, fmt.Sprintf("put %q = %q%s", p.Key, p.Value, condition))
		}
		for _, d := range g.Deletes {
			lines = append(lines, fmt.Sprintf("delete %q", d.Key))
		}
	}
	slices.Sort(lines)
	return lines
}

func (f *fixture) wantTried(want ...[]string) {
	f.Helper()
	if diff := cmp.Diff(append([][]string{}, want...), f.tried()); diff != "" {
		f.Errorf("commits: -want +got:\n%s", diff)
	}
}

func (f *fixture) wantPoisoned(want ...string) {
	f.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	got := slices.Sorted(slices.Values(f.poisoned))
	slices.Sort(want)
	if diff := cmp.Diff(append([]string{}, want...), append([]string{}, got...)); diff != "" {
		f.Errorf("OnPoison: -want +got:\n%s", diff)
	}
}
