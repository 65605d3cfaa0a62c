package overload

import (
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/reaping"
)

// Result is what was measured.
type Result struct {
	Capacity      Capacity
	Bounds        actors.Config // those that follow from it, with every default
	Nominal, Over []*Load       // by round
	Resident      []uint64      // bytes, from the beginning to the end of the time under too high a load
}

// NominalP99 returns the median of the rounds' 99th percentiles of what accepted posts took at the nominal load, from when they were proposed.
func (r *Result) NominalP99() time.Duration { return r.p99(r.Nominal, inside) }

// OverP99 returns the same at the load that is too high.
func (r *Result) OverP99() time.Duration { return r.p99(r.Over, inside) }

// NominalDueP99 returns what NominalP99 does, from when posts were due.
func (r *Result) NominalDueP99() time.Duration { return r.p99(r.Nominal, sinceDue) }

// OverDueP99 returns what OverP99 does, from when posts were due.
func (r *Result) OverDueP99() time.Duration { return r.p99(r.Over, sinceDue) }

// RefusedP99 returns the median of the rounds' 99th percentiles of how long a refusal took, at the load that is too high.
func (r *Result) RefusedP99() time.Duration { return r.p99(r.Over, turned) }

func inside(l *Load) *reaping.Latencies   { return l.Inside }
func sinceDue(l *Load) *reaping.Latencies { return l.Latency }
func turned(l *Load) *reaping.Latencies   { return l.Turned }

func (*Result) p99(of []*Load, figure func(*Load) *reaping.Latencies) time.Duration {
	all := make([]time.Duration, len(of))
	for i, l := range of {
		all[i] = figure(l).Quantile(99)
	}
	return median(all)
}

// ResidentFirst and ResidentLast return how much memory the process had in the first and in the last third of the time under too high a load, in bytes; 0 where that is not known.
func (r *Result) ResidentFirst() uint64 { return median(r.Resident[:len(r.Resident)/3]) }

// ResidentLast is described with ResidentFirst.
func (r *Result) ResidentLast() uint64 { return median(r.Resident[len(r.Resident)-len(r.Resident)/3:]) }

// Share returns how many of the posts that were due under too high a load were what of counts, from 0 to 1.
func (r *Result) Share(of func(*Load) int64) float64 {
	var n, planned int64
	for _, l := range r.Over {
		n += of(l)
		planned += int64(l.Planned)
	}
	return float64(n) / float64(max(1, planned))
}
