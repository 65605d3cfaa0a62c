package load_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/benchmarks/load"
)

func TestTheTableTellsAPersonEverything(t *testing.T) {
	latency := &load.Latency{Count: 10, P50Ms: 0.85, P90Ms: 1.694, P99Ms: 12.34, P999Ms: 123.4, MaxMs: 1234}
	asks := &load.Asks{Asked: 1_000, Latency: latency}
	r := &load.Report{
		Target: "an engine", Interrupted: true,
		Settings: load.Settings{Workload: "storm", Conversations: 10_000, Ack: "committed", Rate: 2_000, Arrivals: "poisson", Batch: 50, DurationSeconds: 60},
		Phases:   []load.Part{{Name: "quiet", Seconds: 10, AcceptedPerSecond: 1_999.6, Latency: latency}, {Name: "storm", Seconds: 20, Asks: asks, Dropped: 12_345}},
		Total:    load.Part{Name: "total", Seconds: 30, AcceptedPerSecond: 1_000, Latency: latency, Tally: load.Tally{Overloaded: 3, Failed: 4}},
		Expiry:   &load.Expiry{Expiring: 10_000, Gone: 9_999, TookSeconds: 1.52, Lateness: latency},
		Samples:  []load.Sample{{HeapBytes: 20 << 20, GCCycles: 5, GCPausesSeconds: 1}, {HeapBytes: 10 << 20, GCCycles: 7, GCPausesSeconds: 1.0021}},
		Notes:    []string{"Something is odd."},
	}
	var out bytes.Buffer
	if err := r.WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	const want = `storm: 2,000 proposals/s (poisson) at “committed”, 10,000 conversations, in batches of 50; an engine; interrupted after 30.0 of 60.0 s

   phase   seconds   accepted/s      p50       p90       p99    p99.9     most   refused   dropped
   quiet      10.0        2,000   850 µs   1.69 ms   12.3 ms   123 ms   1.23 s         0         0
   storm      20.0            0        –         –         –        –        –         0    12,345
   total      30.0        1,000   850 µs   1.69 ms   12.3 ms   123 ms   1.23 s         7         0

storm: 1,000 users asked at once what changed: half were told after 850 µs, 99 of 100 after 12.3 ms, the last after 1.23 s
expiry: 9,999 of 10,000 conversations gone, the last 1.5 s after the first was due; late by 850 µs (half), 12.3 ms (99 of 100), 1.23 s (most)
memory: heap at most 20 MiB; 2 collections, which stopped everything for 2.10 ms in all
! Something is odd.
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := r.WriteTable(brokenPipe{}); err == nil || !strings.Contains(err.Error(), "broken pipe") {
		t.Errorf("got %v, want that it cannot be written", err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }
