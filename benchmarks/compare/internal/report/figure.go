package report

import (
	"fmt"
	"math"
	"strconv"

	"github.com/dustin/go-humanize"

	"github.com/parley-im/parley/benchmarks/compare/internal/contest"
)

// figure writes a figure in its unit, to three digits.
func figure(value float64, unit contest.Unit) string {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return "–"
	}
	switch unit {
	case contest.PerSecond:
		return rounded(value) + "/s"
	case contest.Nanoseconds:
		if value >= 10_000 {
			return rounded(value/1000) + " µs"
		}
		return rounded(value) + " ns"
	case contest.Milliseconds:
		if 0 < value && value < 0.1 {
			return rounded(value*1000) + " µs"
		}
		return rounded(value) + " ms"
	case contest.Bytes:
		if value >= 1<<20 {
			return rounded(value/(1<<20)) + " MiB"
		}
		return rounded(value) + " B"
	}
	return rounded(value)
}

// percent writes a part of one.
func percent(value float64) string { return strconv.FormatFloat(100*value, 'f', 1, 64) + " %" }

// rounded writes a number to three digits, with commas.
func rounded(value float64) string {
	switch {
	case value == 0:
		return "0"
	case math.Abs(value) < 10:
		return strconv.FormatFloat(value, 'f', 2, 64)
	case math.Abs(value) < 100:
		return strconv.FormatFloat(value, 'f', 1, 64)
	}
	digits := math.Pow(10, math.Floor(math.Log10(math.Abs(value)))-2)
	return humanize.Comma(int64(math.Round(value/digits) * digits))
}

// ratio writes a ratio to three digits.
func ratio(value float64) string {
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0):
		return "–"
	case value < 0.1:
		return strconv.FormatFloat(value, 'f', 4, 64)
	case value < 1:
		return strconv.FormatFloat(value, 'f', 3, 64)
	}
	return rounded(value)
}

// reach writes a target.
func reach(r contest.Ratio) string {
	switch {
	case r.Reach == 0:
		return "–"
	case r.AtMost:
		return fmt.Sprintf("≤ %v", r.Reach)
	}
	return fmt.Sprintf("≥ %v", r.Reach)
}

// reached says whether a target was.
func reached(r contest.Ratio, o contest.Outcome) string {
	switch {
	case r.Reach == 0:
		return ""
	case r.Reached(o):
		return "yes"
	}
	return "no"
}
