package benchmarks_test

import (
	"flag"
	"time"
)

// The sizes of the benchmark of disk space. The defaults are small, so that it can be run once in passing; `make bench-disk` sets those that count.
type diskSizes struct {
	conversations *int
	every         *time.Duration
	share         *float64
	most          *time.Duration
	maintain      *bool
	verbose       *bool
}

// Flags of the test binary must be there before it parses them.
var disks = diskSizes{
	conversations: flag.Int("disk-conversations", 5_000, "how many conversations expire, for the benchmark of disk space"),
	every:         flag.Duration("disk-every", time.Second, "how often the store's maintenance looks"),
	share:         flag.Float64("disk-share", 0, "how much of its time a run of maintenance works; 0: as by default"),
	most:          flag.Duration("disk-most", 10*time.Minute, "how long the directory may take to get small, from when everything was deleted"),
	maintain:      flag.Bool("disk-maintain", true, "whether there is maintenance: without it, the directory is watched for a minute"),
	verbose:       flag.Bool("disk-verbose", false, "print the directory's size over time"),
}
