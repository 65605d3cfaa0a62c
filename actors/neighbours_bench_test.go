package actors_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// The sizes of the benchmark of a conversation that panics beside others. The defaults are small, so that it can be run once in passing; `make bench-neighbours` sets those that count.
var (
	neighbourPhase  = flag.Duration("neighbours-phase", 100*time.Millisecond, "how long each load lasts")
	neighbourRounds = flag.Int("neighbours-rounds", 1, "how often the neighbours are alone, and are not")
)

const (
	neighbours    = 1_000
	neighbourRate = 20_000 // posts a second, to all of them
	panicEvery    = 500 * time.Microsecond
)

// BenchmarkNeighbours measures what 1,000 conversations feel of one that panics whenever it is given anything, and is given something 2,000 times a second: five of those panic, then it is quarantined for 10 ms, and
// so on. ratio is the 99th percentile of what 20,000 posts a second to the others took, from when they were due, over the same without that one, both medians of rounds that alternate.
func BenchmarkNeighbours(b *testing.B) {
	config := actors.Config{QuarantineFor: 10 * time.Millisecond}
	var panics atomic.Int64
	config.Break(func(p *actors.Proposal) {
		if p.Conversation == "room:bad" {
			panics.Add(1)
			panic("it always does")
		}
	}, nil)
	store, err := badgerstore.Open(b.TempDir(), badgerstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	engine, err := actors.Start(b.Context(), nil, store, config)
	if err != nil {
		b.Fatal(err)
	}
	crowd := &neighbourhood{engine: engine, seqs: make([]uint64, neighbours)}
	var alone, beside []time.Duration
	for b.Loop() {
		crowd.talk(b, *neighbourPhase) // all of them become active
		for range *neighbourRounds {
			alone = append(alone, crowd.talk(b, *neighbourPhase))
			ctx, stop := context.WithCancel(b.Context())
			bad := make(chan struct{})
			go func() {
				defer close(bad)
				panicking(ctx, b, engine)
			}()
			beside = append(beside, crowd.talk(b, *neighbourPhase))
			stop()
			<-bad
		}
	}
	slices.Sort(alone)
	slices.Sort(beside)
	quiet, felt := alone[len(alone)/2], beside[len(beside)/2]
	b.ReportMetric(float64(quiet.Microseconds()), "alone-p99-us")
	b.ReportMetric(float64(felt.Microseconds()), "beside-p99-us")
	b.ReportMetric(float64(felt)/float64(max(1, quiet)), "ratio")
	b.ReportMetric(float64(panics.Load())/float64(len(beside)), "panics/round")
	if panics.Load() == 0 {
		b.Error("nothing panicked")
	}
	if err := errors.Join(engine.Stop(context.Background()), store.Close()); err != nil {
		b.Error(err)
	}
}

// panicking proposes to the conversation that panics, until ctx ends.
func panicking(ctx context.Context, b *testing.B, engine *actors.Engine) {
	b.Helper()
	tick := time.NewTicker(panicEvery)
	defer tick.Stop()
	for seq := uint64(1); ctx.Err() == nil; seq++ {
		r, _ := engine.Propose(ctx, &actors.Proposal{Conversation: "room:bad", Change: &conversation.Post{Seq: seq, Sender: "eve"}, Ack: actors.AckApplied})
		if ctx.Err() == nil && !errors.Is(r.Err, conversation.ErrUnavailable) && !errors.Is(r.Err, conversation.ErrQuarantined) {
			b.Errorf("got %+v, want a failure", r)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// neighbourhood is the conversations that do not panic.
type neighbourhood struct {
	engine *actors.Engine
	seqs   []uint64
}

// talk posts to them, for a while, at a rate that does not ask how fast answers come, and returns the 99th percentile of how long those took.
func (n *neighbourhood) talk(b *testing.B, lasting time.Duration) time.Duration {
	b.Helper()
	var answered atomic.Int64
	planned := int(neighbourRate * lasting.Seconds())
	took := make([]time.Duration, planned)
	began := time.Now()
	for i := range planned {
		due := began.Add(time.Duration(i) * time.Second / neighbourRate)
		for time.Until(due) > 0 {
			runtime.Gosched() // a timer is later than what is to be measured
		}
		at := i % neighbours
		n.seqs[at]++
		n.engine.ProposeFunc(&actors.Proposal{
			Conversation: fmt.Sprint("room:", at), Change: &conversation.Post{Seq: n.seqs[at], Sender: "ann"}, Ack: actors.AckApplied,
		}, func(r *actors.Reply) {
			if r.Err != nil {
				b.Error(r.Err)
			}
			took[i] = time.Since(due)
			answered.Add(1)
		})
	}
	for answered.Load() < int64(planned) {
		runtime.Gosched()
	}
	slices.Sort(took)
	return took[planned*99/100]
}
