package prommetrics

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/actors/histogram"
)

// native reads native buckets as a server does.
func native(h *dto.Histogram) map[int]uint64 {
	buckets := map[int]uint64{}
	index, next, count := 0, 0, int64(0)
	for _, span := range h.GetPositiveSpan() {
		index += int(span.GetOffset())
		for range span.GetLength() {
			count += h.GetPositiveDelta()[next]
			next++
			if count > 0 {
				buckets[index] = uint64(count)
			}
			index++
		}
	}
	return buckets
}

func TestSpansSayWhatTheBucketsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOf(rapid.IntRange(-92, 88), rapid.Uint64Range(1, 1<<40)).Draw(t, "buckets")
		runs, deltas := spans(want)
		if diff := cmp.Diff(want, native(&dto.Histogram{PositiveSpan: runs, PositiveDelta: deltas})); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if len(runs) == 0 {
			t.Fatal("there is no run: it is taken for a classic histogram")
		}
	})
}

// The library's own native histogram of the same durations has the same buckets.
func TestANativeHistogramIsAsTheLibraryMakesIt(t *testing.T) {
	theirs := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "theirs", Help: "Theirs.", NativeHistogramBucketFactor: 1.2, NativeHistogramZeroThreshold: histogram.ZeroThreshold,
	})
	var recorder histogram.Recorder
	for d := 50 * time.Nanosecond; d < 40*24*time.Hour; d += d/7 + 1 {
		theirs.Observe(d.Seconds())
		recorder.Record(d)
	}
	var ours histogram.Histogram
	ours.Add(&recorder)
	var want, got dto.Metric
	if err := theirs.Write(&want); err != nil {
		t.Fatal(err)
	}
	if err := (&durations{of: &ours}).Write(&got); err != nil {
		t.Fatal(err)
	}
	w, g := want.GetHistogram(), got.GetHistogram()
	if w.GetSchema() != g.GetSchema() || w.GetZeroThreshold() != g.GetZeroThreshold() || w.GetZeroCount() != g.GetZeroCount() || w.GetSampleCount() != g.GetSampleCount() {
		t.Errorf("schema, zero threshold, zero count and count: %v, %v, %v, %v; want %v, %v, %v, %v", g.GetSchema(), g.GetZeroThreshold(), g.GetZeroCount(),
			g.GetSampleCount(), w.GetSchema(), w.GetZeroThreshold(), w.GetZeroCount(), w.GetSampleCount())
	}
	if diff := cmp.Diff(native(w), native(g)); diff != "" {
		t.Errorf("native buckets (-theirs +ours):\n%s", diff)
	}
	if math.Abs(w.GetSampleSum()-g.GetSampleSum()) > 1e-6*w.GetSampleSum() {
		t.Errorf("sum %v, want %v", g.GetSampleSum(), w.GetSampleSum())
	}
	var bounds []float64
	for _, b := range g.GetBucket() {
		bounds = append(bounds, b.GetUpperBound())
	}
	if !slices.IsSorted(bounds) || !slices.Contains(bounds, 0.0025) || !slices.Contains(bounds, 1) {
		t.Errorf("classic bounds: %v", bounds)
	}
}
