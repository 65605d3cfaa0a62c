package badgerstore

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/parley-im/parley/persistence"
)

// bench opens a store that owns shard 1.
func bench(b *testing.B, o Options) (*Store, persistence.Epoch) {
	b.Helper()
	store, err := Open(b.TempDir(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if fault := store.Close(); fault != nil {
			b.Error(fault)
		}
	})
	epochs, err := store.Acquire(b.Context(), 1)
	if err != nil {
		b.Fatal(err)
	}
	return store, epochs[0]
}

func benchKey(n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte("x a key as long as that of a row is "), n*0x9e3779b97f4a7c15)
}

// BenchmarkCommit measures synced rows per second, in batches of so many groups of one row each.
func BenchmarkCommit(b *testing.B) {
	value := make([]byte, 120)
	for _, size := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("groups=%d", size), func(b *testing.B) {
			store, epoch := bench(b, Options{})
			var n uint64
			for b.Loop() {
				batch := persistence.Batch{Groups: make([]persistence.Group, size)}
				for i := range batch.Groups {
					n++
					batch.Groups[i] = persistence.Group{Shard: 1, Epoch: epoch, Puts: []persistence.Put{{Key: benchKey(n), Value: value}}}
				}
				if _, err := store.Commit(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkCommitTogether measures synced rows per second of 64 callers that each commit one row at a time.
func BenchmarkCommitTogether(b *testing.B) {
	store, epoch := bench(b, Options{})
	value := make([]byte, 120)
	var n atomic.Uint64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			g := persistence.Group{Shard: 1, Epoch: epoch, Puts: []persistence.Put{{Key: benchKey(n.Add(1)), Value: value}}}
			if _, err := store.Commit(b.Context(), persistence.Batch{Groups: []persistence.Group{g}}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(n.Load())/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkSnapshotGet measures a read of one row through a snapshot of its own, alone and beside a committer.
func BenchmarkSnapshotGet(b *testing.B) {
	const rows = 100_000
	for _, busy := range []bool{false, true} {
		b.Run(fmt.Sprintf("committing=%v", busy), func(b *testing.B) {
			store, epoch := bench(b, Options{})
			fill := func(from, n uint64) error {
				g := persistence.Group{Shard: 1, Epoch: epoch}
				for i := range n {
					g.Puts = append(g.Puts, persistence.Put{Key: benchKey(from + i), Value: make([]byte, 120)})
				}
				_, err := store.Commit(b.Context(), persistence.Batch{Groups: []persistence.Group{g}})
				return err
			}
			for from := uint64(0); from < rows; from += 5_000 {
				if err := fill(from, 5_000); err != nil {
					b.Fatal(err)
				}
			}
			done, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for from := uint64(0); busy; from = (from + 500) % rows {
					select {
					case <-done:
						return
					default:
					}
					if err := fill(from, 500); err != nil {
						b.Error(err)
						return
					}
				}
			}()
			for b.Loop() {
				snapshot, err := store.Snapshot()
				if err != nil {
					b.Fatal(err)
				}
				if _, err := snapshot.Get(b.Context(), benchKey(rand.Uint64N(rows))); err != nil {
					b.Fatal(err)
				}
				snapshot.Close()
			}
			close(done)
			<-stopped
		})
	}
}
