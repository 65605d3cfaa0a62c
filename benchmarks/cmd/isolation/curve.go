package main

import (
	"slices"
	"time"

	"gonum.org/v1/plot/plotter"

	"github.com/parley-im/parley/benchmarks/isolation"
)

// curve returns a quantile over time: seconds since the moment of expiry against milliseconds. Windows without messages are left out.
func curve(series *isolation.Series, config isolation.Config, quantile float64) plotter.XYs {
	var points plotter.XYs
	for i, window := range series.Windows {
		if window.Count() == 0 {
			continue
		}
		middle := time.Duration(i)*config.Window + config.Window/2 - config.Before
		points = append(points, plotter.XY{X: middle.Seconds(), Y: milliseconds(window.Quantile(quantile))})
	}
	return points
}

// bounds returns the smallest rectangle that holds the p50 and p99 of all designs.
func bounds(result *isolation.Result) (minX, maxX, minY, maxY float64) {
	var xs, ys []float64
	for d := range result.Series {
		for _, quantile := range []float64{0.5, 0.99} {
			for _, point := range curve(&result.Series[d], result.Config, quantile) {
				xs, ys = append(xs, point.X), append(ys, point.Y)
			}
		}
	}
	if len(xs) == 0 {
		return 0, 1, 0.1, 1
	}
	return slices.Min(xs), slices.Max(xs), slices.Min(ys), slices.Max(ys)
}

// deletedWithin returns how long the deletion of everything took in the longest of a design's turns.
func deletedWithin(series *isolation.Series) time.Duration {
	if len(series.Deleted) == 0 {
		return 0
	}
	return slices.Max(series.Deleted)
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }
