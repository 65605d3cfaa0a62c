package benchmarks_test

import (
	"flag"
	"time"
)

// The sizes of the benchmarks of the reaper. The defaults are small, so that every benchmark can be run once in passing; `make bench-reaper` sets those that count.
// Flags of the test binary must be there before it parses them.
var reaper = struct {
	kept, due *int
	rates     *string
	expiring  *int
	phase     *time.Duration
}{
	kept:     flag.Int("kept", 2_000, "how many conversations are not due, for the benchmark of the reaper's lateness"),
	due:      flag.Int("due", 500, "how many are, all in the same millisecond"),
	rates:    flag.String("rates", "2000", "how many proposals are sent a second, for the benchmark of what they feel of the reaper; several by commas"),
	expiring: flag.Int("expiring", 300, "how many conversations expire a second, for the same"),
	phase:    flag.Duration("phase", 500*time.Millisecond, "how long each part of the benchmarks of the reaper lasts"),
}
