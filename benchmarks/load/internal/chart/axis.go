package chart

import (
	"math"
	"slices"
)

// Axis is how values are laid out and told.
type Axis struct {
	Label string // beside the axis to the right
	// Log lays values out by their magnitude; those below Least are at the edge.
	Log bool
	// Least is the end of a logarithmic axis that is not passed. 0: a thousandth.
	Least float64
	// Say writes a value, and Mark one that stands at a tick. Mark nil: as Say does.
	Say, Mark func(float64) string
	// Ticks, where it is not nil, says where ticks may be: those within the values are taken.
	Ticks []float64
}

// tick is a mark on an axis.
type tick struct {
	value float64
	text  string
}

// scale lays values out between two places of the drawing.
type scale struct {
	low, high float64 // of values, or of their logarithms
	from, to  float64 // of the drawing
	log       bool
	ticks     []tick
}

func (s *scale) at(v float64) float64 {
	if s.log {
		v = math.Log10(max(v, math.Pow(10, s.low)))
	}
	return s.from + (v-s.low)/(s.high-s.low)*(s.to-s.from)
}

// wanted is how many ticks a linear axis has, about.
const wanted = 6

// scale lays out an axis for values. There may be none.
func (a *Axis) scale(values []float64, from, to float64) scale {
	low, high := 0.0, 1.0
	if len(values) > 0 {
		low, high = slices.Min(values), slices.Max(values)
	}
	s := scale{from: from, to: to, log: a.Log}
	if a.Log {
		a.decades(&s, low, high)
		return s
	}
	s.low, s.high = min(0, low), high
	if s.high <= s.low {
		s.high = s.low + 1
	}
	if a.Ticks != nil {
		a.mark(&s, a.Ticks)
		return s
	}
	step := niceStep((s.high - s.low) / wanted)
	var at []float64
	for n := math.Ceil(s.low / step); n*step <= s.high+step/1000; n++ {
		at = append(at, n*step)
	}
	a.mark(&s, at)
	return s
}

// decades lays out a logarithmic axis from one power of ten, or twice or five times that, to another.
func (a *Axis) decades(s *scale, low, high float64) {
	least := a.Least
	if least <= 0 {
		least = 0.001
	}
	low, high = max(low, least), max(high, least)
	s.low, s.high = math.Log10(niceBelow(low)), math.Log10(niceAbove(high))
	if s.high <= s.low {
		s.high = s.low + 1
	}
	var at []float64
	factors := []float64{1, 2, 5}
	if s.high-s.low > 3 {
		factors = []float64{1}
	}
	for e := math.Floor(s.low); e <= s.high; e++ {
		for _, factor := range factors {
			at = append(at, factor*math.Pow(10, e))
		}
	}
	a.mark(s, at)
}

// mark makes ticks of those places that are on the axis.
func (a *Axis) mark(s *scale, places []float64) {
	const slack = 1e-9
	say := a.Mark
	if say == nil {
		say = a.Say
	}
	for _, v := range places {
		on := v
		if s.log {
			on = math.Log10(v)
		}
		if on >= s.low-slack && on <= s.high+slack {
			s.ticks = append(s.ticks, tick{value: v, text: say(v)})
		}
	}
}

// niceStep returns the next of 1, 2, 5, 10, … that is not less.
func niceStep(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*unit >= v*(1-1e-9) {
			return factor * unit
		}
	}
	return 10 * unit
}

func niceAbove(v float64) float64 { return niceStep(v) }

// niceBelow returns the last of 1, 2, 5, 10, … that is not more.
func niceBelow(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, factor := range []float64{5, 2} {
		if factor*unit <= v*(1+1e-9) {
			return factor * unit
		}
	}
	return unit
}
