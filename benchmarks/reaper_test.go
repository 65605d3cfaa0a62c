package benchmarks_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/reaping"
	"github.com/parley-im/parley/persistence/badgerstore"
)

// BenchmarkReaperLateness has -due conversations expire in the same millisecond while -kept others do not, under half of the load of committed posts that the engine takes. It reports how long
// after their deadline they were durably deleted, and what proposals felt before and meanwhile.
func BenchmarkReaperLateness(b *testing.B) {
	for b.Loop() {
		reaperLateness(b)
	}
}

func reaperLateness(b *testing.B) {
	b.Helper()
	late, gone := reaping.NewLatencies(), atomic.Int64{}
	at := reaping.NewWaitingClock()
	engine := startEngine(b, openStore(b, b.TempDir(), badgerstore.Options{}), actors.Config{
		Clock:      at,
		Namespaces: map[string]conversation.Policy{"due": {ExpireAfter: *reaper.phase + reaping.Lead}, "kept": {ExpireAfter: 1000 * time.Hour}},
		Observer: &actors.Observer{Expired: func(i actors.ExpiredInfo) {
			late.Record(i.Lateness, 1)
			gone.Add(1)
		}},
	})
	fill(b, engine, *reaper.kept, "kept")
	capacity, err := reaping.Capacity(b.Context(), engine, *reaper.phase)
	if err != nil {
		b.Fatal(err)
	}
	fill(b, engine, *reaper.due, "due")
	at.GoOn()
	talk := reaping.StartTalk(b.Context(), engine, capacity/2)
	time.Sleep(*reaper.phase + reaping.Lead - 10*time.Millisecond) // until just before the deadline
	quiet := talk.Measure()
	began := time.Now()
	if err := reaping.AwaitGone(b.Context(), &gone, *reaper.due); err != nil {
		b.Error(err)
	}
	b.ReportMetric(time.Since(began).Seconds(), "all-gone-s")
	during, err := talk.End()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(talk.Refused()), "refused")
	b.ReportMetric(float64(capacity/2), "proposals/s")
	reportLatencies(b, late, "late")
	reportLatencies(b, quiet, "quiet")
	reportLatencies(b, during, "during")
}

// BenchmarkReaperFelt has -expiring conversations expire a second while proposals come at each of -rates a second, in batches, each answered once it is committed. ratio is the 99th percentile of
// what proposals took meanwhile over what they took before, in the same run. In "unpaced" nothing holds the reaper back.
func BenchmarkReaperFelt(b *testing.B) {
	for rate := range strings.SplitSeq(*reaper.rates, ",") {
		n, err := strconv.Atoi(rate)
		if err != nil {
			b.Fatalf("-rates: %v", err)
		}
		for name, unpaced := range map[string]bool{"steered": false, "unpaced": true} {
			b.Run(fmt.Sprintf("rate=%d/%s", n, name), func(b *testing.B) {
				for b.Loop() {
					reaperFelt(b, reaping.Load{Rate: n, Expiring: *reaper.expiring, Phase: *reaper.phase, Unpaced: unpaced})
				}
			})
		}
	}
}

func reaperFelt(b *testing.B, load reaping.Load) {
	b.Helper()
	felt, err := reaping.Feel(b.Context(), b.TempDir(), load)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(felt.During.Quantile(99))/float64(max(1, felt.Quiet.Quantile(99))), "ratio")
	b.ReportMetric(felt.Rows, "rows/s")
	b.ReportMetric(float64(felt.Refused), "refused")
	reportLatencies(b, felt.Quiet, "quiet")
	reportLatencies(b, felt.During, "during")
	reportLatencies(b, felt.Late, "late")
}

// fill begins conversations of two members in a namespace.
func fill(b *testing.B, engine *actors.Engine, n int, namespace string) {
	b.Helper()
	if err := reaping.Fill(b.Context(), engine, n, 2, func(i int) string { return fmt.Sprintf("%s:%d", namespace, i) }); err != nil {
		b.Fatal(err)
	}
}

func reportLatencies(b *testing.B, l *reaping.Latencies, name string) {
	b.Helper()
	b.ReportMetric(milliseconds(l.Quantile(50)), name+"-p50-ms")
	b.ReportMetric(milliseconds(l.Quantile(99)), name+"-p99-ms")
	b.ReportMetric(milliseconds(l.Quantile(100)), name+"-max-ms")
}
