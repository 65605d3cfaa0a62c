// Package histogram counts how long things take, cheaply enough for the hottest path: a few comparisons and two additions for each, no lock, no allocation.
//
// Durations are sorted into cells that are fixed for the whole program. Their bounds are those of two ways in which Prometheus shows histograms, so that both are exact: of native
// histograms, in which each bound is the fourth root of two times the one before ([Schema]), and of classic ones ([Bounds]).
package histogram

import (
	"iter"
	"slices"
	"sync/atomic"
	"time"
)

// Recorder counts durations. The zero Recorder is ready. It may be used from any goroutine; it must not be copied.
type Recorder struct {
	counts [cells]atomic.Uint64
	sum    atomic.Int64
}

// Record counts one duration. A negative one counts as 0.
func (r *Recorder) Record(d time.Duration) { r.RecordMany(d, 1) }

// RecordMany counts n of the same duration.
func (r *Recorder) RecordMany(d time.Duration, n int) {
	d = max(d, 0)
	r.counts[cellOf(d)].Add(uint64(n))
	r.sum.Add(int64(d) * int64(n))
}

// Histogram is what was counted: how many durations there were of what length. The zero Histogram is that of none. Its methods may
// be called from any goroutine, but for Add.
type Histogram struct {
	Sum    time.Duration // of all
	counts []uint64      // by cell; nil: none were counted
}

// Add adds what a recorder has counted so far. What is being recorded meanwhile is in it or not; the sum may be that much ahead of the counts, or behind.
func (h *Histogram) Add(r *Recorder) {
	if h.counts == nil {
		h.counts = make([]uint64, cells)
	}
	for i := range r.counts {
		h.counts[i] += r.counts[i].Load()
	}
	h.Sum += time.Duration(r.sum.Load())
}

// Count returns how many durations were counted.
func (h Histogram) Count() uint64 {
	var n uint64
	for _, count := range h.counts {
		n += count
	}
	return n
}

// Quantile returns a duration that a share q of all did not exceed, from 0 to 1. It is at most a fifth too long, for what took from 120 ns to 48 days. It is 0 where nothing was
// counted.
func (h Histogram) Quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.Count()))
	var n uint64
	for i, count := range h.counts {
		if n += count; n > 0 && n >= rank {
			return table.cells[i].upTo
		}
	}
	return 0
}

// Buckets yields the classic buckets, in ascending order: a bound, and how many durations were not longer. What was longer than the last bound is in Count alone.
func (h Histogram) Buckets() iter.Seq2[time.Duration, uint64] {
	return func(yield func(time.Duration, uint64) bool) {
		var n uint64
		next := 0
		for i, bound := range table.bounds {
			for ; next < len(h.counts) && table.cells[next].classic <= i; next++ {
				n += h.counts[next]
			}
			if !yield(bound, n) {
				return
			}
		}
	}
}

// Native returns the native buckets of [Schema] that are not empty, by their index, and how many durations were not longer than [ZeroThreshold]. What is longer than the last
// bucket, which ends at 48 days, counts in it.
func (h Histogram) Native() (zero uint64, buckets map[int]uint64) {
	buckets = map[int]uint64{}
	for i, count := range h.counts {
		switch native := table.cells[i].native; {
		case count == 0:
		case native == lowest:
			zero += count
		default:
			buckets[native] += count
		}
	}
	return zero, buckets
}

// Bounds returns the upper bounds of the classic buckets, in ascending order.
func Bounds() []time.Duration { return slices.Clone(table.bounds) }
