package reaping

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies is a histogram of microseconds, from 1 to ten minutes, to three digits. It may be used from any goroutine.
type Latencies struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

// NewLatencies returns an empty histogram.
func NewLatencies() *Latencies {
	return &Latencies{h: hdrhistogram.New(1, int64(10*time.Minute/time.Microsecond), 3)}
}

// Record takes in a latency of so many.
func (l *Latencies) Record(d time.Duration, times int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.h.RecordValues(min(max(d.Microseconds(), 1), l.h.HighestTrackableValue()), int64(times)) // clamped to its range, no value is refused
}

// Quantile returns the latency that so many per cent did not exceed; 0 where there are none.
func (l *Latencies) Quantile(percent float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.h.ValueAtQuantile(percent)) * time.Microsecond
}

// Count returns how many there are.
func (l *Latencies) Count() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.h.TotalCount()
}
