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
	"github.com/parley-im/parley/persistence/badgerstore"
)

const (
	// reaperLead is how long after the clock goes on the first deadline comes.
	reaperLead = time.Second
	// reaperLimit is how long a benchmark waits for everything to be deleted.
	reaperLimit = 5 * time.Minute
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
	late, gone := newLatencies(), atomic.Int64{}
	at := newWaitingClock()
	config := actors.Config{
		Clock:      at,
		Namespaces: map[string]conversation.Policy{"due": {ExpireAfter: *reaping.phase + reaperLead}, "kept": {ExpireAfter: 1000 * time.Hour}},
		Observer: &actors.Observer{Expired: func(i actors.ExpiredInfo) {
			late.record(i.Lateness, 1)
			gone.Add(1)
		}},
	}
	engine := startEngine(b, openStore(b, b.TempDir(), badgerstore.Options{}), config)
	fill(b, engine, *reaping.kept, func(i int) string { return fmt.Sprintf("kept:%d", i) })
	rate := capacity(b, engine) / 2
	fill(b, engine, *reaping.due, func(i int) string { return fmt.Sprintf("due:%d", i) })
	at.goOn()
	t := startTalk(b, engine, rate)
	waitFor(b, *reaping.phase+reaperLead-10*time.Millisecond)
	quiet := t.measure()
	took := awaitGone(b, &gone, *reaping.due)
	during := t.end(b)
	b.ReportMetric(float64(rate), "proposals/s")
	b.ReportMetric(took.Seconds(), "all-gone-s")
	late.report(b, "late")
	quiet.report(b, "quiet")
	during.report(b, "during")
}

// capacity returns how many committed posts a second the engine takes, from callers that wait for their answers, in batches of 250.
func capacity(b *testing.B, engine *actors.Engine) int {
	b.Helper()
	t := &talk{engine: engine, name: "before", stop: make(chan struct{})}
	began := time.Now()
	const callers, each = 8, 250
	var n atomic.Int64
	for range callers {
		t.group.Go(func() {
			for time.Since(began) < *reaping.phase {
				if err := t.post(int(n.Add(1)), each); err != nil {
					b.Error(err)
					return
				}
				t.done.Add(each)
			}
		})
	}
	t.group.Wait()
	return int(float64(t.done.Load()) / time.Since(began).Seconds())
}

// awaitGone waits until so many were deleted, and returns how long that took.
func awaitGone(b *testing.B, gone *atomic.Int64, n int) time.Duration {
	b.Helper()
	began := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for int(gone.Load()) < n {
		if time.Since(began) > reaperLimit {
			b.Fatalf("%d of %d were deleted in %v", gone.Load(), n, reaperLimit)
		}
		<-tick.C
	}
	return time.Since(began)
}

// BenchmarkReaperFelt has -expiring conversations expire a second while proposals come at each of -rates a second, in batches, each answered once it is committed. ratio is the 99th percentile of
// what proposals took meanwhile over what they took before, in the same run. In "unpaced" nothing holds the reaper back.
func BenchmarkReaperFelt(b *testing.B) {
	for rate := range strings.SplitSeq(*reaping.rates, ",") {
		n, err := strconv.Atoi(rate)
		if err != nil {
			b.Fatalf("-rates: %v", err)
		}
		for name, most := range map[string]int{"steered": 0, "unpaced": -1} {
			b.Run(fmt.Sprintf("rate=%d/%s", n, name), func(b *testing.B) {
				for b.Loop() {
					reaperFelt(b, n, most)
				}
			})
		}
	}
}

// reaperSlot is the step in which conversations expire: each has a namespace of its own.
const reaperSlot = 20 * time.Millisecond

func reaperFelt(b *testing.B, rate, most int) {
	b.Helper()
	late, gone := newLatencies(), atomic.Int64{}
	at := newWaitingClock()
	namespaces := map[string]conversation.Policy{}
	slots := int(*reaping.phase / reaperSlot)
	for slot := range slots {
		namespaces[fmt.Sprint("slot", slot)] = conversation.Policy{ExpireAfter: *reaping.phase + reaperLead + time.Duration(slot)*reaperSlot}
	}
	engine := startEngine(b, openStore(b, b.TempDir(), badgerstore.Options{}), actors.Config{
		Clock: at, Namespaces: namespaces, Reaper: actors.ReaperConfig{MaxRowsPerSecond: most},
		Observer: &actors.Observer{Expired: func(i actors.ExpiredInfo) {
			late.record(i.Lateness, 1)
			gone.Add(1)
		}},
	})
	n := int(float64(*reaping.expiring) * reaping.phase.Seconds())
	fill(b, engine, n, func(i int) string { return fmt.Sprintf("slot%d:%d", i%slots, i) })
	at.goOn()
	t := startTalk(b, engine, rate)
	waitFor(b, reaperLead-10*time.Millisecond) // it warms up
	t.measure()
	waitFor(b, *reaping.phase)
	quiet := t.measure()
	before := engine.Stats().Reaper
	waitFor(b, *reaping.phase)
	during := t.measure()
	deleted := engine.Stats().Reaper.Rows - before.Rows
	awaitGone(b, &gone, n)
	t.end(b)
	b.ReportMetric(float64(during.quantile(99))/float64(max(1, quiet.quantile(99))), "ratio")
	b.ReportMetric(float64(deleted)/reaping.phase.Seconds(), "rows/s")
	quiet.report(b, "quiet")
	during.report(b, "during")
	late.report(b, "late")
}
