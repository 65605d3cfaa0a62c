package prommetrics

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/parley-im/parley/actors/histogram"
)

// durations is a histogram both classic and native: a server that asks for native ones gets both and keeps what it is told to. The library's own constant histograms are one or the
// other.
type durations struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	of     *histogram.Histogram
}

// Desc implements [prometheus.Metric].
func (d *durations) Desc() *prometheus.Desc { return d.desc }

// Write implements [prometheus.Metric].
func (d *durations) Write(out *dto.Metric) error {
	h := &dto.Histogram{
		SampleCount: new(d.of.Count()), SampleSum: new(d.of.Sum.Seconds()), Schema: new(int32(histogram.Schema)), ZeroThreshold: new(histogram.ZeroThreshold),
	}
	for bound, n := range d.of.Buckets() {
		h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: new(bound.Seconds()), CumulativeCount: new(n)})
	}
	zero, buckets := d.of.Native()
	h.ZeroCount = new(zero)
	h.PositiveSpan, h.PositiveDelta = spans(buckets)
	out.Label, out.Histogram = d.labels, h
	return nil
}

// spans writes native buckets as the protocol has them: runs of neighbouring indices, each with how far it begins behind the one before, and each count as its difference from
// the one before. A histogram without any has one empty run: that is what tells it from one that is only classic.
func spans(buckets map[int]uint64) (runs []*dto.BucketSpan, deltas []int64) {
	next, before := 0, uint64(0)
	for _, index := range slices.Sorted(maps.Keys(buckets)) {
		if len(runs) == 0 || index != next {
			runs = append(runs, &dto.BucketSpan{Offset: new(int32(index - next)), Length: new(uint32(0))})
		}
		*runs[len(runs)-1].Length++
		deltas = append(deltas, int64(buckets[index]-before))
		next, before = index+1, buckets[index]
	}
	if len(runs) == 0 {
		runs = []*dto.BucketSpan{{Offset: new(int32(0)), Length: new(uint32(0))}}
	}
	return runs, deltas
}
