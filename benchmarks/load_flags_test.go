package benchmarks_test

import (
	"flag"
	"time"
)

// The sizes of the benchmark of the workloads. The defaults are small, so that every benchmark can be run once in passing.
// Flags of the test binary must be there before it parses them.
var loading = struct {
	rate     *float64
	duration *time.Duration
	batch    *int
}{
	rate:     flag.Float64("load-rate", 1_000, "how many proposals are planned a second, for the benchmark of the workloads"),
	duration: flag.Duration("load-duration", 400*time.Millisecond, "how long each is measured"),
	batch:    flag.Int("load-batch", 1, "how many proposals travel together"),
}
