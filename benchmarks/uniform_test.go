package benchmarks_test

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence/badgerstore"
)

const (
	uniformKnown  = 100_000
	uniformActive = 10_000
	uniformRound  = 50_000
)

// BenchmarkUniform proposes posts, in batches, to conversations drawn from ten times as many as may be active, all of which are packed: hardly anything comes twice before it is to leave.
func BenchmarkUniform(b *testing.B) {
	engine := startEngine(b, openStore(b, b.TempDir(), badgerstore.Options{NoSync: true}), actors.Config{MaxActive: uniformActive, MaxPackedBytes: uniformKnown << 9})
	names := make([]string, uniformKnown)
	seqs := make([]atomic.Uint64, uniformKnown)
	for i := range names {
		names[i] = "uniform:" + strconv.Itoa(i)
	}
	post := func(i int) *actors.Proposal {
		return &actors.Proposal{Conversation: names[i], Change: &conversation.Post{Seq: seqs[i].Add(1), Sender: "alice", Members: []string{"bob"}}, Ack: actors.AckApplied}
	}
	const callers = 4
	var refused atomic.Int64
	propose := func(n int, next func() int) {
		var group sync.WaitGroup
		for range callers {
			group.Go(func() {
				for range n / callers / actors.MaxBatch {
					batch := make([]*actors.Proposal, actors.MaxBatch)
					for i := range batch {
						batch[i] = post(next())
					}
					replies, err := engine.ProposeBatch(b.Context(), batch)
					if err != nil {
						b.Error(err)
						return
					}
					var wait time.Duration
					for i := range replies {
						if replies[i].Err == nil {
							continue
						}
						refusal, ok := errors.AsType[*conversation.Error](replies[i].Err)
						if !ok || !errors.Is(refusal, conversation.ErrOverloaded) {
							b.Error(replies[i].Err)
							return
						}
						refused.Add(1)
						wait = max(wait, refusal.RetryAfter)
					}
					if wait > 0 {
						time.Sleep(wait) // as whoever is refused is asked to
					}
				}
			})
		}
		group.Wait()
	}
	var filled atomic.Int64
	propose(uniformKnown, func() int { return int(filled.Add(1)) - 1 })
	refused.Store(0)
	was, cpu, total := engine.Stats().Cells, processTime(), 0
	began := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		propose(uniformRound, func() int { return rand.IntN(uniformKnown) })
		total += uniformRound
	}
	took := time.Since(began)
	now := engine.Stats().Cells
	n := float64(total) - float64(refused.Load())
	b.ReportMetric(n/took.Seconds(), "applied/s")
	b.ReportMetric(float64(processTime()-cpu)/n, "processor-ns/applied")
	b.ReportMetric(float64(now.Unpacked-was.Unpacked)/n, "unpacked/applied")
	b.ReportMetric(float64(now.Activations-was.Activations)/n, "activations/applied")
	b.ReportMetric(float64(refused.Load())/n, "refused/applied")
}
