package actors_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/actorstest"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// batches watches over what the pruner writes.
type batches struct {
	mu     sync.Mutex
	sizes  []int
	faults []string
}

func (b *batches) watch(most int, horizon time.Duration) persistencetest.Faults {
	return persistencetest.Faults{BeforeCommit: func(batch persistence.Batch) error {
		if !prunes(batch) {
			return nil
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		rows, seen := 0, map[persistence.Shard]bool{}
		for _, g := range batch.Groups {
			if seen[g.Shard] {
				b.faults = append(b.faults, fmt.Sprintf("shard %d has two groups", g.Shard))
			}
			seen[g.Shard] = true
			for _, d := range g.Deletes {
				rows++
				b.judge(g.Shard, d.Key, ago(horizon+time.Hour))
			}
		}
		if rows > most {
			b.faults = append(b.faults, fmt.Sprintf("a batch of %d rows", rows))
		}
		b.sizes = append(b.sizes, rows)
		return nil
	}}
}

func (b *batches) judge(shard persistence.Shard, key []byte, limit persistence.Instant) {
	_, stamp, name, err := persistence.ParseRemovalKey(key)
	last := persistence.Instant(stamp)
	if err != nil {
		var kind persistence.EntryKind
		var at persistence.Instant
		_, kind, at, name, err = persistence.ParseEntryKey(key)
		last = at.Add(time.Hour)
		if err != nil || kind != persistence.EntryOwn {
			b.faults = append(b.faults, fmt.Sprintf("it removes %q", key))
			return
		}
	}
	if last > limit {
		b.faults = append(b.faults, fmt.Sprintf("%q is too young by %v", key, last.Sub(limit)))
	}
	if persistence.ShardOf(name) != shard {
		b.faults = append(b.faults, fmt.Sprintf("%q is removed as of shard %d", key, shard))
	}
}

// soFar returns the sizes of the batches up to now.
func (b *batches) soFar() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sizes)
}

func (b *batches) want(t *testing.T, rows int) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, fault := range b.faults {
		t.Error(fault)
	}
	sum := 0
	for _, n := range b.sizes {
		sum += n
	}
	if sum != rows {
		t.Errorf("%d rows were removed in batches of %v, want %d", sum, b.sizes, rows)
	}
}

func TestOldRowsGoInBatchesOfTheirShardsAndTheYoungStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all, young [][]byte
		for i := range 300 {
			age := time.Duration(i) * 20 * time.Minute // up to a hundred hours
			all = append(all, removalKey(i, age), ownKey(i, age))
			if age < 31*time.Hour-10*time.Minute { // when the first pass comes
				young = append(young, removalKey(i, age))
			}
			if age < 32*time.Hour-10*time.Minute { // it may tell of what was an hour later
				young = append(young, ownKey(i, age))
			}
		}
		config := pruneConfig()
		config.Reaper = actors.ReaperConfig{BatchRows: 16}
		e := actorstest.StartOn(t, storeOf(t, all...), nil, config)
		var b batches
		e.Store.SetFaults(b.watch(16, config.SyncHorizon))
		e.Advance(15 * time.Minute)
		wantRows(t, "after the first pass", e.Store, young...)
		b.want(t, len(all)-len(young))
		if got := e.Stats().Reaper.Pruned; got != uint64(len(all)-len(young)) {
			t.Errorf("Stats.Reaper.Pruned: %d, want %d", got, len(all)-len(young))
		}
		sizes := b.soFar()
		for i, r := range e.Reaps() {
			if r.Generations != 0 || r.Rows != sizes[i] || r.Age < 31*time.Hour || r.Age > 102*time.Hour || r.Attempt != 1 || r.Err != nil {
				t.Errorf("batch %d of %d rows is told as %+v", i, sizes[i], r)
			}
		}
		e.Advance(34 * time.Hour)
		wantRows(t, "at last", e.Store)
		b.want(t, len(all))
	})
}
