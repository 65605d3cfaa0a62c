package main

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/plot"
)

// latencyTicks marks the decades of milliseconds.
func latencyTicks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for e := math.Ceil(math.Log10(low)); e <= math.Log10(high); e++ {
		value := math.Pow(10, e)
		ticks = append(ticks, plot.Tick{Value: value, Label: brief(time.Duration(math.Round(value * float64(time.Millisecond))))})
	}
	return ticks
}

// secondTicks marks whole seconds, or steps of a few where there are many.
func secondTicks(low, high float64) []plot.Tick {
	step := math.Max(1, math.Ceil((high-low)/12))
	var ticks []plot.Tick
	for n := math.Ceil(low / step); n*step <= high; n++ {
		ticks = append(ticks, plot.Tick{Value: n * step, Label: fmt.Sprintf("%d s", int(n*step))})
	}
	return ticks
}

// brief returns a latency to two digits with its unit.
func brief(d time.Duration) string {
	switch {
	case d <= 0:
		return "–"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", twoDigits(d, time.Microsecond))
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2g ms", d.Seconds()*1e3)
	case d < time.Second:
		return fmt.Sprintf("%d ms", twoDigits(d, time.Millisecond))
	}
	return fmt.Sprintf("%.2g s", d.Seconds())
}

// twoDigits returns how many units d is, rounded to two digits.
func twoDigits(d, unit time.Duration) int64 {
	n := d.Round(unit) / unit
	if n >= 100 {
		n = (n + 5) / 10 * 10
	}
	return int64(n)
}
