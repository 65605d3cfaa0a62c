package tradeoff

import "time"

// Curves are what was measured.
type Curves struct {
	Flush     []FlushPoint
	Residency []ResidencyPoint
	Deletion  []DeletionPoint
	Inline    int // lines of code of the deletion that is inline
	Reaper    int // and of the reaper

	Config Config
	Date   time.Time
}

// FlushPoint is one interval between flushes.
type FlushPoint struct {
	Interval time.Duration
	Rate     float64 // posts a second, as fast as they are applied
	Rows     float64 // written to the store for each post
	Lost     float64 // posts that a kill takes back, at Config.Rate a second
	LostMost float64 // in the worst of the kills
}

// ResidencyPoint is one bound on active conversations.
type ResidencyPoint struct {
	Bound int
	Heap  float64 // bytes, of the whole process
	Reads float64 // of the store, for a thousand posts
	Rate  float64 // posts a second
}

// DeletionPoint is a mass of conversations that expire at one moment, deleted in each of the designs of package isolation.
type DeletionPoint struct {
	Doomed int
	P99    []float64 // milliseconds, by design
	Took   []float64 // seconds until the last was gone, by design
}

// Config is how large the measurements are.
type Config struct {
	Intervals []time.Duration
	Hot       int           // conversations that are spoken in while the journal is flushed
	Rate      int           // posts a second, when it is killed
	Kills     int           // at each interval
	Window    time.Duration // of a measurement

	Known  int   // conversations of which some are active
	Bounds []int // how many

	Doomed []int // conversations that expire at one moment
	Load   int   // proposals a second meanwhile
	Turns  int   // of each design
}

// Full returns the sizes of the page.
func Full() Config {
	const ms = time.Millisecond
	return Config{
		Intervals: []time.Duration{2 * ms, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms, 250 * ms, 1000 * ms},
		Hot:       2_000, Rate: 5_000, Kills: 5, Window: 2 * time.Second,
		Known: 200_000, Bounds: []int{1_000, 3_000, 10_000, 30_000, 100_000, 200_000},
		Doomed: []int{1_000, 3_000, 10_000, 20_000}, Load: 2_000, Turns: 3,
	}
}

// Tiny returns sizes that show that everything works.
func Tiny() Config {
	return Config{
		Intervals: []time.Duration{5 * time.Millisecond, 200 * time.Millisecond}, Hot: 50, Rate: 1_000, Kills: 1, Window: 50 * time.Millisecond,
		Known: 1_000, Bounds: []int{300, 1_000}, Doomed: []int{20, 40}, Load: 500, Turns: 1,
	}
}
