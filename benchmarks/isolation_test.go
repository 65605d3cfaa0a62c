package benchmarks_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/benchmarks/isolation"
)

// BenchmarkIsolation runs a small mass expiry under load in each of three designs: deletion in the way of proposals, by the reaper unpaced, by
// the reaper at its pace. It reports what proposals felt meanwhile; `go run ./benchmarks/cmd/isolation` has the full size.
func BenchmarkIsolation(b *testing.B) {
	names := [isolation.Designs]string{"inline", "unpaced", "paced"}
	var last *isolation.Result
	for b.Loop() {
		result, err := isolation.Run(b.Context(), isolation.Config{
			Rate: 2000, HotPerShard: 1, Doomed: 1500, Before: 500 * time.Millisecond, After: 200 * time.Millisecond,
			Limit: 10 * time.Second, Rounds: 1, Dir: b.TempDir(),
		})
		if err != nil {
			b.Fatal(err)
		}
		last = result
	}
	for d, name := range names {
		series := &last.Series[d]
		if series.Left > 0 || series.Refused > 0 {
			b.Errorf("%s: %d conversations were left, %d proposals refused", name, series.Left, series.Refused)
		}
		b.ReportMetric(milliseconds(series.During.Quantile(0.99)), name+"-p99-ms")
	}
	before := last.Series[isolation.Paced].Before.Quantile(0.99)
	b.ReportMetric(milliseconds(before), "idle-p99-ms")
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }
