package benchmarks_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/overload"
)

// The sizes of the benchmark of too high a load. The defaults are small, so that it can be run once in passing; `make bench-overload` sets those that count.
// Flags of the test binary must be there before it parses them.
var overloading = struct {
	conversations *int
	phase         *time.Duration
	rounds        *int
	wait          *time.Duration
}{
	conversations: flag.Int("overload-conversations", 1_000, "how many conversations are posted to, for the benchmark of too high a load"),
	phase:         flag.Duration("overload-phase", 100*time.Millisecond, "how long each load lasts"),
	rounds:        flag.Int("overload-rounds", 1, "how often the nominal load and the one that is too high alternate"),
	wait:          flag.Duration("overload-wait", 10*time.Millisecond, "how long a post should wait at most, from which the bounds of the queues follow; 0: the engine's default bounds"),
}

// BenchmarkOverload proposes twice as much as the engine was found to do in the same run, to 10,000 conversations and to a single one. ratio is the 99th percentile of what accepted
// proposals took then, over what it was at six tenths of what the engine can do, from when they were proposed; due-ratio is that from when they were due. See package overload.
func BenchmarkOverload(b *testing.B) {
	for _, of := range []struct {
		name          string
		conversations int
	}{{"uniform", *overloading.conversations}, {"hot", 1}} {
		for _, ack := range []actors.Ack{actors.AckApplied, actors.AckCommitted} {
			b.Run(fmt.Sprintf("%s/ack=%v", of.name, ack), func(b *testing.B) {
				var last *overload.Result
				for b.Loop() {
					r, err := overload.Run(b.Context(), overload.Config{
						Dir: b.TempDir(), Conversations: of.conversations, Ack: ack, Phase: *overloading.phase, Rounds: *overloading.rounds, Wait: *overloading.wait,
					})
					if err != nil {
						b.Fatal(err)
					}
					last = r
				}
				reportOverload(b, last)
			})
		}
	}
}

func reportOverload(b *testing.B, r *overload.Result) {
	b.Helper()
	for _, l := range append(r.Nominal, r.Over...) {
		if l.Bad > 0 {
			b.Errorf("%d proposals were refused otherwise than as overloaded with a hint when to try again: %v", l.Bad, l.Fault)
		}
	}
	b.ReportMetric(r.Capacity.Posts, "capacity/s")
	b.ReportMetric(milliseconds(r.NominalP99()), "nominal-p99-ms")
	b.ReportMetric(milliseconds(r.OverP99()), "over-p99-ms")
	b.ReportMetric(float64(r.OverP99())/float64(max(1, r.NominalP99())), "ratio")
	b.ReportMetric(float64(r.OverDueP99())/float64(max(1, r.NominalDueP99())), "due-ratio")
	b.ReportMetric(milliseconds(r.RefusedP99()), "refused-p99-ms")
	b.ReportMetric(100*r.Share(func(l *overload.Load) int64 { return l.Refused }), "refused-%")
	b.ReportMetric(100*r.Share(func(l *overload.Load) int64 { return int64(l.Unsent) }), "unsent-%")
	b.ReportMetric(float64(r.ResidentLast())/float64(max(1, r.ResidentFirst())), "resident-last/first")
}
