package load

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the longest time that is told from longer ones.
const longest = time.Hour

// newHistogram returns a histogram of microseconds, to so many digits.
func newHistogram(digits int) *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(longest/time.Microsecond), digits)
}

func recordIn(h *hdrhistogram.Histogram, d time.Duration, times int) {
	_ = h.RecordValues(min(max(d.Microseconds(), 1), h.HighestTrackableValue()), int64(times)) // clamped to its range, no value is refused
}

// Latency sums up how long something took, in milliseconds, to three digits. Percentiles are of the HDR histogram of all of it, not of averages.
type Latency struct {
	Count  int64   `json:"count"`
	MinMs  float64 `json:"min_ms"`
	MeanMs float64 `json:"mean_ms"`
	P50Ms  float64 `json:"p50_ms"`
	P90Ms  float64 `json:"p90_ms"`
	P99Ms  float64 `json:"p99_ms"`
	P999Ms float64 `json:"p99_9_ms"`
	// P9999Ms says little where there are less than some ten thousand.
	P9999Ms float64 `json:"p99_99_ms"`
	MaxMs   float64 `json:"max_ms"`
	// Curve is the whole distribution, towards ever rarer ones.
	Curve []Point `json:"curve,omitempty"`
}

// Point is a place in a distribution: that share of all, in percent, took at most so long.
type Point struct {
	Percent float64 `json:"percent"`
	Ms      float64 `json:"ms"`
}

// latencyOf returns nil where nothing was recorded.
func latencyOf(h *hdrhistogram.Histogram) *Latency {
	n := h.TotalCount()
	if n == 0 {
		return nil
	}
	at := func(percent float64) float64 { return float64(h.ValueAtQuantile(percent)) / 1000 }
	l := &Latency{
		Count: n, MinMs: float64(h.Min()) / 1000, MeanMs: h.Mean() / 1000, MaxMs: float64(h.Max()) / 1000,
		P50Ms: at(50), P90Ms: at(90), P99Ms: at(99), P999Ms: at(99.9), P9999Ms: at(99.99),
	}
	l.Curve = curveOf(n, at)
	return l
}

// curveSteps is how many points a curve has for each further nine.
const curveSteps = 8

// curveOf has points at 0 %, in ever smaller steps of what is left, until what is left is a single one, which is the longest.
func curveOf(n int64, at func(percent float64) float64) (curve []Point) {
	for i := 0; ; i++ {
		left := math.Pow(10, -float64(i)/curveSteps)
		if left*float64(n) < 1 {
			return append(curve, Point{Percent: 100, Ms: at(100)})
		}
		percent := 100 * (1 - left)
		curve = append(curve, Point{Percent: percent, Ms: at(percent)})
	}
}
