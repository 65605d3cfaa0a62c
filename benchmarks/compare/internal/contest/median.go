package contest

import (
	"math"
	"slices"

	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// median returns the middle of the values, NaN where there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// measured is the figures of all rounds, by contender.
type measured [][]side.Figures

// of returns a figure in each of a contender's rounds.
func (m measured) of(f Figure) []float64 {
	if f.Contender < 0 {
		return nil
	}
	values := make([]float64, 0, len(m[f.Contender]))
	for _, figures := range m[f.Contender] {
		values = append(values, figures[f.Name])
	}
	return values
}

func (m measured) outcome(r Ratio) Outcome {
	ours, theirs := m.of(r.Ours), m.of(r.Theirs)
	o := Outcome{Ours: median(ours), Theirs: median(theirs), Rounds: min(len(ours), len(theirs)), Low: math.Inf(1), High: math.Inf(-1)}
	o.Value = o.Ours / o.Theirs
	for i := range o.Rounds {
		o.Low, o.High = min(o.Low, ours[i]/theirs[i]), max(o.High, ours[i]/theirs[i])
	}
	return o
}
