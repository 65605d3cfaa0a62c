package prommetrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/actors/histogram"
)

// metric is one name: what it is, and how it is read from an S.
type metric[S any] struct {
	desc    *prometheus.Desc
	collect func(s *S, to chan<- prometheus.Metric)
}

// values yields what a metric of several series has, with the values of its labels.
type values[S, V any] func(s *S, yield func(v V, labels ...string))

func counter[S any](name, help string, value func(*S) float64) metric[S] {
	return numbers(prometheus.CounterValue, name, help, nil, one(value))
}

func gauge[S any](name, help string, value func(*S) float64) metric[S] {
	return numbers(prometheus.GaugeValue, name, help, nil, one(value))
}

func counters[S any](name, help string, labels []string, of values[S, float64]) metric[S] {
	return numbers(prometheus.CounterValue, name, help, labels, of)
}

func gauges[S any](name, help string, labels []string, of values[S, float64]) metric[S] {
	return numbers(prometheus.GaugeValue, name, help, labels, of)
}

func one[S any](value func(*S) float64) values[S, float64] {
	return func(s *S, yield func(float64, ...string)) { yield(value(s)) }
}

func numbers[S any](as prometheus.ValueType, name, help string, labels []string, of values[S, float64]) metric[S] {
	desc := prometheus.NewDesc("parley_"+name, help, labels, nil)
	return metric[S]{desc: desc, collect: func(s *S, to chan<- prometheus.Metric) {
		of(s, func(v float64, labels ...string) { to <- prometheus.MustNewConstMetric(desc, as, v, labels...) })
	}}
}

func histograms[S any](name, help string, labels []string, of values[S, *histogram.Histogram]) metric[S] {
	desc := prometheus.NewDesc("parley_"+name, help, labels, nil)
	return metric[S]{desc: desc, collect: func(s *S, to chan<- prometheus.Metric) {
		of(s, func(h *histogram.Histogram, labels ...string) {
			to <- &durations{desc: desc, labels: prometheus.MakeLabelPairs(desc, labels), of: h}
		})
	}}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func seconds(d time.Duration) float64 { return d.Seconds() }
