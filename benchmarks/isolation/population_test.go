package isolation

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/badgerstore"
)

func TestEveryShardIsSpokenInAndDoomedAlike(t *testing.T) {
	p := newPopulation(Config{HotPerShard: 2, Doomed: 3 * persistence.Shards})
	var hot [persistence.Shards]int
	for _, name := range p.hot {
		if p.shards[name] != persistence.ShardOf(name) {
			t.Fatalf("%s is taken for one of shard %d", name, p.shards[name])
		}
		hot[p.shards[name]]++
	}
	doomed := 0
	for shard := range persistence.Shard(persistence.Shards) {
		if hot[shard] != 2 {
			t.Errorf("shard %d has %d hot conversations, want 2", shard, hot[shard])
		}
		doomed += len(p.doomed[shard])
		for _, name := range p.doomed[shard] {
			if persistence.ShardOf(name) != shard {
				t.Fatalf("%s is not of shard %d", name, shard)
			}
		}
	}
	if doomed != 3*persistence.Shards {
		t.Errorf("%d are doomed, want %d", doomed, 3*persistence.Shards)
	}
	if again := newPopulation(Config{HotPerShard: 2, Doomed: 3 * persistence.Shards}); !slices.Equal(p.hot, again.hot) {
		t.Error("the order differs from run to run")
	}
}

func TestSweepingInlineRemovesWhatTheReaperWould(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	config := Config{HotPerShard: 1, Doomed: 600, Members: 3}.withDefaults()
	p := newPopulation(config)
	if err := p.fill(ctx, dir, config); err != nil {
		t.Fatal(err)
	}
	store, err := badgerstore.Open(dir, badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	hot, doomed := uint64(len(p.hot)), uint64(config.Doomed)
	members := uint64(config.Members)
	want := map[persistence.Kind]uint64{
		persistence.KindHead: hot + doomed, persistence.KindTail: hot + doomed, persistence.KindDue: doomed,
		persistence.KindMember: members * (hot + doomed), persistence.KindMembership: members * (hot + doomed),
		persistence.KindRoster: hot + doomed, persistence.KindEntry: members * (hot + doomed),
	}
	if diff := cmp.Diff(want, count(ctx, t, store)); diff != "" {
		t.Fatalf("rows before (-want +got):\n%s", diff)
	}

	for shard, names := range p.doomed {
		s, err := newSweeper(ctx, store, persistence.Shard(shard), names, config.Rows())
		if err != nil {
			t.Fatal(err)
		}
		for left := len(names); left > 0; {
			n, err := s.sweep(ctx, persistence.InstantOf(born().Add(retention)))
			if err != nil || n == 0 || n > batchRows/config.Rows() {
				t.Fatalf("shard %d: %d conversations swept at once, error %v", shard, n, err)
			}
			left -= n
		}
		if n, err := s.sweep(ctx, 0); n != 0 || err != nil {
			t.Fatalf("shard %d: %d conversations swept when none was left, error %v", shard, n, err)
		}
	}
	want = map[persistence.Kind]uint64{
		persistence.KindHead: hot + doomed, persistence.KindTail: hot, persistence.KindEvent: doomed,
		persistence.KindMember: members * hot, persistence.KindMembership: members * hot,
		persistence.KindRoster: hot, persistence.KindEntry: members * hot, persistence.KindRemoval: members * doomed,
	}
	if diff := cmp.Diff(want, count(ctx, t, store)); diff != "" {
		t.Errorf("rows after, heads including tombstones (-want +got):\n%s", diff)
	}
}

// count returns how many rows of each kind there are, but for the store's own.
func count(ctx context.Context, t *testing.T, store persistence.Store) map[persistence.Kind]uint64 {
	t.Helper()
	snapshot, err := store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	kinds := make(map[persistence.Kind]uint64)
	var errs []error
	for row, err := range snapshot.Scan(ctx, persistence.Range{Start: []byte{0}, End: []byte{0xff}}) {
		errs = append(errs, err)
		kinds[persistence.KindOf(row.Key)]++
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	delete(kinds, persistence.KindOwner)
	delete(kinds, persistence.KindStore)
	delete(kinds, persistence.KindLineage)
	return kinds
}
