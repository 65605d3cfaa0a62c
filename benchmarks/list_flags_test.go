package benchmarks_test

import (
	"flag"
	"time"
)

// The sizes of the benchmarks of lists. The defaults are small, so that every benchmark can be run once in passing; `make bench-lists` sets those that count.
type listSizes struct {
	conversations *int
	members       *int
	samples       *int
	most          *time.Duration
	colds         *int
	data          *string
}

// Flags of the test binary must be there before it parses them.
var lists = listSizes{
	conversations: flag.Int("conversations", 1_000, "how many conversations the users with many have, for the benchmarks of lists"),
	members:       flag.Int("members", 1_000, "how many members the largest group has, for the benchmark of what a post writes"),
	samples:       flag.Int("samples", 20, "how often a call is measured in one round"),
	most:          flag.Duration("most", 10*time.Second, "how long one round takes at most, though there are less samples then"),
	colds:         flag.Int("colds", 1, "how often an engine is started on a store of which nothing is in memory"),
	data:          flag.String("data", "", "a directory to keep the conversations in, so that the next run of the same size finds them there"),
}
