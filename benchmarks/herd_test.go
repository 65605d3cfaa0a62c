package benchmarks_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// herdSize is how many users there are. The default is small, so that the benchmark can be run once in passing; `make bench-herd` sets what counts.
var herdSize = flag.Int("herd", 1_000, "how many users ask at once, for the benchmark of a herd")

const herdMembers = 20 // of a group: so that each user is in ten of them, with half as many groups as users

// BenchmarkHerd has every one of -herd users, in ten groups each, ask what changed, as they do after a restart, while proposals come at a steady rate. ratio is the 99th percentile of
// what those take meanwhile over what it was before, in the same run; heap-MB is the most that the heap grew to above what it was. In the last of them all ask at once, which only
// somebody who embeds the engine and has no bound of their own can do.
func BenchmarkHerd(b *testing.B) {
	for _, callers := range []int{16, 256, *herdSize} {
		for _, full := range []bool{false, true} {
			b.Run(fmt.Sprintf("callers=%d/full=%v", callers, full), func(b *testing.B) { herd(b, callers, full) })
		}
	}
}

func herd(b *testing.B, callers int, full bool) {
	b.Helper()
	store := openStore(b, b.TempDir(), badgerstore.Options{NoSync: true})
	cursors := herdCursors(b, store, full)
	engine := startEngine(b, store, actors.Config{})
	var before, during []time.Duration
	took, heap := time.Duration(0), uint64(0)
	for b.Loop() {
		before = append(before, felt(b, engine, func() { waitFor(b, 2*time.Second) })...)
		resting := heapBytes()
		began := time.Now()
		during = append(during, felt(b, engine, func() {
			highest := syncAll(b, engine, cursors, callers)
			heap = max(heap, highest-min(highest, resting))
		})...)
		took += time.Since(began)
	}
	b.ReportMetric(p99(during).Seconds()/p99(before).Seconds(), "ratio")
	b.ReportMetric(milliseconds(p99(before)), "idle-p99-ms")
	b.ReportMetric(milliseconds(p99(during)), "herd-p99-ms")
	b.ReportMetric(float64(b.N**herdSize)/took.Seconds(), "syncs/s")
	b.ReportMetric(float64(heap)/(1<<20), "heap-MB")
}

// herdCursors fills a store and returns what each user's device has: cursors, or nothing. A tenth of the groups have changed since.
func herdCursors(b *testing.B, store *badgerstore.Store, full bool) []string {
	b.Helper()
	engine, err := actors.Start(b.Context(), nil, store, actors.Config{})
	if err != nil {
		b.Fatal(err)
	}
	post := func(seq uint64, groups int) {
		proposals := make([]*actors.Proposal, groups)
		for i := range proposals {
			p := &conversation.Post{Seq: seq, Sender: memberName(i)}
			for k := range herdMembers {
				p.Members = append(p.Members, memberName((i*herdMembers/10*(1+k%10)+k*997)%*herdSize))
			}
			proposals[i] = &actors.Proposal{Conversation: fmt.Sprintf("group:%d", i), Change: p}
		}
		for part := range slices.Chunk(proposals, 500) {
			if _, err := engine.ProposeBatch(b.Context(), part); err != nil {
				b.Fatal(err)
			}
		}
	}
	post(1, *herdSize/2)
	cursors := make([]string, *herdSize)
	for i := range cursors {
		if full {
			break
		}
		page, err := engine.Sync(b.Context(), actors.SyncQuery{User: memberName(i), Limit: actors.MaxPage})
		if err != nil {
			b.Fatal(err)
		}
		cursors[i] = page.Cursor
	}
	post(2, *herdSize/20)
	stopEngine(b, engine)
	return cursors
}

// syncAll has every user ask what changed, and returns how large the heap was at most.
func syncAll(b *testing.B, engine *actors.Engine, cursors []string, callers int) (heap uint64) {
	b.Helper()
	var next, answered atomic.Int64
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(cursors) {
					return
				}
				for q := (actors.SyncQuery{User: memberName(i), Cursor: cursors[i]}); ; {
					page, err := engine.Sync(b.Context(), q)
					if err != nil {
						b.Error(err)
						return
					}
					if q.Cursor = page.Cursor; !page.More {
						break
					}
				}
				answered.Add(1)
			}
		})
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for over := false; !over; {
		select {
		case <-done:
			over = true
		case <-ticker.C:
		}
		heap = max(heap, heapBytes())
	}
	if n := answered.Load(); n != int64(*herdSize) {
		b.Errorf("%d of %d users were answered", n, *herdSize)
	}
	return heap
}

// felt returns what proposals at a steady rate took while f ran.
func felt(b *testing.B, engine *actors.Engine, f func()) []time.Duration {
	b.Helper()
	const every = 2 * time.Millisecond
	ctx, cancel := context.WithCancel(b.Context())
	var (
		mu    sync.Mutex
		all   []time.Duration
		group sync.WaitGroup
	)
	group.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for i := 0; ; i++ {
			var due time.Time
			select {
			case due = <-ticker.C:
			case <-ctx.Done():
				return
			}
			group.Go(func() { //nolint:contextcheck // it may end after f: so that one that takes long does not keep the next from coming
				p := &actors.Proposal{Conversation: fmt.Sprintf("chat:%d", i%64), Change: &conversation.Join{Users: []string{fmt.Sprint(i)}}, Ack: actors.AckApplied}
				if _, err := engine.Propose(b.Context(), p); err != nil {
					b.Error(err)
					return
				}
				took := time.Since(due)
				mu.Lock()
				all = append(all, took)
				mu.Unlock()
			})
		}
	})
	f()
	cancel()
	group.Wait()
	return all
}

func p99(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, int(math.Ceil(0.99*float64(len(all))))-1)]
}

func waitFor(b *testing.B, d time.Duration) {
	b.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.Context().Done():
	}
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
