package benchmarks_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// activated is how many conversations of two are asked in turn.
const activated = 20_000

// BenchmarkActivation asks conversations in turn for a change that they have had, so that nothing is written: once where all have an actor, and else where each must become active for it and
// leaves again for one of the next: from what is packed, from rows that the store has in memory, and from rows that it has to look for. It is what an actor saves, and what its memory buys.
func BenchmarkActivation(b *testing.B) {
	for _, from := range []struct {
		name   string
		config actors.Config
		cache  int
	}{
		{"resident", actors.Config{MaxActive: 4 * activated}, -1},
		{"packed", actors.Config{MaxActive: 1, MaxPackedBytes: 64 << 20}, -1},
		{"row cache", actors.Config{MaxActive: 1}, 64 << 20},
		{"store", actors.Config{MaxActive: 1}, -1},
	} {
		dir := b.TempDir()
		prepare(b, dir)
		b.Run(from.name, func(b *testing.B) {
			var refused atomic.Int64
			store := openStore(b, dir, badgerstore.Options{NoSync: true, RowCacheBytes: from.cache})
			engine := startEngine(b, store, from.config)
			repeat := func(int) conversation.Change { return &conversation.Read{User: "ann", Seq: 1} }
			before := heap()
			ask(b, engine, &refused, repeat) // whatever keeps something of them has it
			taken := heap() - before
			was := engine.Stats().Cells
			cpu := processTime()
			b.ReportAllocs()
			for b.Loop() {
				ask(b, engine, &refused, repeat)
			}
			now := engine.Stats().Cells
			b.ReportMetric(float64(processTime()-cpu)/float64(b.N)/activated, "processor-ns/proposal")
			b.ReportMetric(float64(taken)/activated, "heap-B/conversation")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/activated, "ns/proposal")
			b.ReportMetric(float64(now.Activations-was.Activations)/float64(b.N)/activated, "activations/proposal")
			b.ReportMetric(float64(now.Unpacked-was.Unpacked)/float64(b.N)/activated, "unpacked/proposal")
			if n := refused.Load(); n > 0 {
				b.Errorf("%d proposals were refused", n)
			}
		})
	}
}

// prepare writes the conversations to a store.
func prepare(b *testing.B, dir string) {
	b.Helper()
	store, err := badgerstore.Open(dir, badgerstore.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	engine, err := actors.Start(b.Context(), nil, store, actors.Config{})
	if err != nil {
		b.Fatal(err)
	}
	var refused atomic.Int64
	ask(b, engine, &refused, func(int) conversation.Change {
		return &conversation.Post{Seq: 1, Sender: "ann", Members: []string{"bob"}}
	})
	stopEngine(b, engine)
	if err := store.Close(); err != nil || refused.Load() > 0 {
		b.Fatalf("%v; %d proposals were refused", err, refused.Load())
	}
}

// ask proposes a change to each of the conversations, and waits for the answers. Of those under way there are a few thousand at a time, as where many ask at once.
func ask(b *testing.B, engine *actors.Engine, refused *atomic.Int64, change func(int) conversation.Change) {
	b.Helper()
	underWay := make(chan struct{}, 4096)
	for i := range activated {
		underWay <- struct{}{}
		engine.ProposeFunc(&actors.Proposal{Conversation: fmt.Sprint("pair:", i), Ack: actors.AckApplied, Change: change(i)}, func(r *actors.Reply) {
			if r.Err != nil {
				refused.Add(1)
			}
			<-underWay
		})
	}
	for range cap(underWay) {
		underWay <- struct{}{}
	}
}

// heap returns how many bytes are alive.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
