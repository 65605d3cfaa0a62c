package parley

import (
	"context"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/benchmarks/overload"
)

// Committed has posts wait for the store where they would not otherwise.
const Committed = "committed"

// OpenOverload returns a side whose rounds find how many posts to Known conversations an engine does in a second, and then propose six tenths of that, and twice as many, for the Window each, to an
// engine whose bounds follow from Wait: see package overload. Variant may be [Committed]; else posts ask for [actors.AckApplied]. Figures: capacity, the posts a second; nominal and over, the 99th percentile of what those accepted took,
// from when they were proposed, in milliseconds; turned, that of refusals; first and last, the bytes resident in the first and the last third of the time under too high a load; refused,
// of all that were due then, in per cent; limit, a millisecond, which refusals are to be below.
func OpenOverload(_ context.Context, p side.Params) (side.Side, error) {
	c := overload.Config{Conversations: p.Known, Ack: actors.AckApplied, Phase: p.Window, Wait: p.Wait, Rounds: 1}
	if p.Variant == Committed {
		c.Ack = actors.AckCommitted
	}
	return &reaps{p, func(ctx context.Context, dir string) (side.Figures, error) {
		c := c
		c.Dir = dir
		r, err := overload.Run(ctx, c)
		if err != nil {
			return nil, err
		}
		for _, l := range append(r.Nominal, r.Over...) {
			if l.Bad > 0 {
				return nil, l.Fault
			}
		}
		return side.Figures{
			"capacity": r.Capacity.Posts,
			"nominal":  r.NominalP99().Seconds() * 1000,
			"over":     r.OverP99().Seconds() * 1000,
			"turned":   r.RefusedP99().Seconds() * 1000,
			"first":    float64(r.ResidentFirst()),
			"last":     float64(r.ResidentLast()),
			"refused":  100 * r.Share(func(l *overload.Load) int64 { return l.Refused }),
			"limit":    1,
		}, nil
	}}, nil
}
