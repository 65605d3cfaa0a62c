package persistencetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/persistence"
)

// Opened is a store in the hands of who opened it.
type Opened interface {
	persistence.Store
	// Close ends the store. It may be called more than once, and while others use the store.
	Close() error
}

// Storage opens a store on the same rows each time: what the store before, which is closed, left there. The first one is new.
type Storage func() (Opened, error)

// Run checks that a store keeps the contract. Each of its tests asks for a storage of its own, which it leaves closed; what lies under it is to be
// removed by a cleanup of the test.
func Run(t *testing.T, storage func(t *testing.T) Storage) {
	t.Helper()
	for _, group := range []struct {
		name  string
		tests []suiteTest
	}{
		{"Commit", commitTests()},
		{"Log", logTests()},
		{"Guard", guardTests()},
		{"Fence", fenceTests()},
		{"Event", eventTests()},
		{"Snapshot", snapshotTests()},
		{"Scan", scanTests()},
		{"Name", nameTests()},
		{"Life", lifeTests()},
	} {
		for _, test := range group.tests {
			t.Run(group.name+"/"+test.rule, func(t *testing.T) { test.run(begin(t, storage)) })
		}
	}
	t.Run("Life/it runs in a synctest bubble", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, storage)
			s.acquire(1)
			s.commit(s.group(1, put("k", "v")))
			s.reopen()
			s.want("k", "v")
		})
	})
}

type suiteTest struct {
	rule string
	run  func(s *subject)
}

// subject is a store under test, with the epochs that the test holds.
type subject struct {
	*testing.T

	storage Storage
	store   Opened
	epochs  map[persistence.Shard]persistence.Epoch
}

func begin(t *testing.T, storage func(t *testing.T) Storage) *subject {
	t.Helper()
	s := &subject{T: t, storage: storage(t), epochs: make(map[persistence.Shard]persistence.Epoch)}
	s.open()
	t.Cleanup(s.close)
	return s
}

func (s *subject) open() {
	s.Helper()
	store, err := s.storage()
	if err != nil {
		s.Fatalf("open: %v", err)
	}
	s.store = store
}

func (s *subject) close() {
	s.Helper()
	if err := s.store.Close(); err != nil {
		s.Errorf("close: %v", err)
	}
}

func (s *subject) reopen() {
	s.Helper()
	s.close()
	s.open()
}

// acquire becomes the owner of the shards.
func (s *subject) acquire(shards ...persistence.Shard) {
	s.Helper()
	epochs, err := s.store.Acquire(s.Context(), shards...)
	if err != nil {
		s.Fatalf("acquire %v: %v", shards, err)
	}
	if len(epochs) != len(shards) {
		s.Fatalf("acquire %v: %d epochs, want %d", shards, len(epochs), len(shards))
	}
	for i, shard := range shards {
		s.epochs[shard] = epochs[i]
	}
}

// change is one part of a group.
type change func(*persistence.Group)

// group makes a group under the epoch that the test holds.
func (s *subject) group(shard persistence.Shard, changes ...change) persistence.Group {
	g := persistence.Group{Shard: shard, Epoch: s.epochs[shard]}
	for _, change := range changes {
		change(&g)
	}
	return g
}

// free is a key that belongs to nobody; it sorts behind the rows of all shards.
func free(key string) []byte { return []byte("x" + key) }

func put(key, value string) change { return putValue(key, []byte(value)) }

func putValue(key string, value []byte) change {
	return func(g *persistence.Group) { g.Puts = append(g.Puts, persistence.Put{Key: free(key), Value: value}) }
}

func putIfPresent(key, value string) change {
	return func(g *persistence.Group) {
		g.Puts = append(g.Puts, persistence.Put{Key: free(key), Value: []byte(value), IfPresent: true})
	}
}

// putGeneration puts a row that carries a generation.
func putGeneration(key string, generation persistence.Generation) change {
	return putValue(key, persistence.Member{Generation: generation}.Encode())
}

func remove(key string) change { return removeUpTo(key, 0, nil) }

func removeUpTo(key string, upTo persistence.Generation, replace []byte) change {
	return func(g *persistence.Group) {
		g.Deletes = append(g.Deletes, persistence.Delete{Key: free(key), UpTo: upTo, Replace: replace})
	}
}

func requires(key string) change { return func(g *persistence.Group) { g.Requires = free(key) } }

func event(values ...string) change {
	return func(g *persistence.Group) {
		for _, value := range values {
			g.Events = append(g.Events, []byte(value))
		}
	}
}

// commit commits the groups, which may be refused one by one.
func (s *subject) commit(groups ...persistence.Group) []persistence.Result {
	s.Helper()
	results, err := s.store.Commit(s.Context(), persistence.Batch{Groups: groups})
	if err != nil {
		s.Fatalf("commit: %v", err)
	}
	if len(results) != len(groups) {
		s.Fatalf("commit of %d groups: %d results", len(groups), len(results))
	}
	return results
}

// commitAll commits groups none of which may be refused.
func (s *subject) commitAll(groups ...persistence.Group) []persistence.Result {
	s.Helper()
	results := s.commit(groups...)
	for i, result := range results {
		if result.Err != nil {
			s.Fatalf("group %d: %v", i, result.Err)
		}
	}
	return results
}

func (s *subject) snapshot() persistence.Snapshot {
	s.Helper()
	snapshot, err := s.store.Snapshot()
	if err != nil {
		s.Fatalf("snapshot: %v", err)
	}
	return snapshot
}

// number returns that of the latest snapshot.
func (s *subject) number() uint64 {
	s.Helper()
	snapshot := s.snapshot()
	defer snapshot.Close()
	return snapshot.Number()
}

// want checks a row in the latest snapshot.
func (s *subject) want(key, value string) {
	s.Helper()
	snapshot := s.snapshot()
	defer snapshot.Close()
	got, err := snapshot.Get(s.Context(), free(key))
	if err != nil || string(got) != value {
		s.Errorf("row %q: %q, %v; want %q", key, got, err, value)
	}
}

// wantNone checks that the latest snapshot has no such rows.
func (s *subject) wantNone(keys ...string) {
	s.Helper()
	snapshot := s.snapshot()
	defer snapshot.Close()
	for _, key := range keys {
		if got, err := snapshot.Get(s.Context(), free(key)); !errors.Is(err, persistence.ErrNotFound) {
			s.Errorf("row %q: %q, %v; want ErrNotFound", key, got, err)
		}
	}
}

// entry is a row whose slices are its own.
type entry struct{ Key, Value string }

// rows returns what the latest snapshot has in the range.
func (s *subject) rows(ranges ...persistence.Range) []entry {
	s.Helper()
	snapshot := s.snapshot()
	defer snapshot.Close()
	rows, err := collect(s.Context(), snapshot, ranges...)
	if err != nil {
		s.Fatalf("scan: %v", err)
	}
	return rows
}

func collect(ctx context.Context, snapshot persistence.Snapshot, ranges ...persistence.Range) ([]entry, error) {
	var rows []entry
	for row, err := range snapshot.Scan(ctx, ranges...) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, entry{string(row.Key), string(row.Value)})
	}
	return rows, nil
}

// all is the rows that are not the store's own.
func (s *subject) all() []entry {
	s.Helper()
	return slices.Concat(
		s.rows(persistence.PrefixRange([]byte("k"))), s.rows(persistence.PrefixRange([]byte("u"))), s.rows(persistence.PrefixRange([]byte("x"))),
	)
}

func (s *subject) equal(what string, got, want any) {
	s.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("%s: -want +got:\n%s", what, diff)
	}
}
