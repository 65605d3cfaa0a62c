package benchmarks_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks"
	"github.com/parley-im/parley/benchmarks/load"
	"github.com/parley-im/parley/benchmarks/trace"
	"github.com/parley-im/parley/benchmarks/workload"
)

// BenchmarkLoad sends each workload to an engine of its own at -load-rate proposals a second, for -load-duration, and reports what they took from when they were planned: `engine load`
// does the same, and shows how it went. Compare percentiles, not ns/op, which is how long a run takes with its preparation.
func BenchmarkLoad(b *testing.B) {
	for _, kind := range workload.Kinds() {
		for _, ack := range []actors.Ack{actors.AckApplied, actors.AckCommitted} {
			b.Run("workload="+string(kind)+"/ack="+ack.String(), func(b *testing.B) {
				var last *load.Report
				for b.Loop() {
					last = loadOnce(b, kind, ack)
				}
				reportLoad(b, last)
			})
		}
	}
}

func loadOnce(b *testing.B, kind workload.Kind, ack actors.Ack) *load.Report {
	b.Helper()
	of := workload.Config{Kind: kind, Conversations: 1_000, Reads: 0.25, Ack: ack, Seed: 1, Expiring: 500, Askers: 100}
	switch kind {
	case workload.Groups:
		of.Conversations, of.Members = 5, 1_500
	case workload.Trace:
		reader, err := trace.NewReader(benchmarks.ExcerptName, benchmarks.Excerpt())
		if err != nil {
			b.Fatal(err)
		}
		of.Trace = reader
	case workload.Zipf, workload.Uniform, workload.Hot, workload.Expiry, workload.Storm:
	}
	w, err := workload.New(of)
	if err != nil {
		b.Fatal(err)
	}
	c := load.Config{Rate: *loading.rate, Batch: *loading.batch, WarmUp: *loading.duration / 4, Duration: *loading.duration, DrainFor: 10 * time.Second, Seed: 1}
	engine, err := load.OpenEmbedded(ctx(), w, c, load.EmbeddedConfig{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	report, err := load.Run(ctx(), engine, w, c)
	if err != nil {
		b.Error(err)
	}
	if err := engine.Close(); err != nil {
		b.Error(err)
	}
	if b.Failed() {
		b.FailNow()
	}
	return report
}

func reportLoad(b *testing.B, r *load.Report) {
	b.Helper()
	total := &r.Total
	b.ReportMetric(total.AcceptedPerSecond, "accepted/s")
	b.ReportMetric(float64(total.NotAccepted()+total.Dropped+total.Unanswered), "not-accepted")
	if l := total.Latency; l != nil {
		b.ReportMetric(l.P50Ms, "p50-ms")
		b.ReportMetric(l.P99Ms, "p99-ms")
		b.ReportMetric(l.P999Ms, "p99.9-ms")
		b.ReportMetric(l.MaxMs, "max-ms")
	}
	if e := r.Expiry; e != nil && e.Lateness != nil {
		b.ReportMetric(e.Lateness.P99Ms, "late-p99-ms")
	}
	if a := total.Asks; a != nil && a.Latency != nil {
		b.ReportMetric(a.Latency.P99Ms, "told-p99-ms")
	}
}
