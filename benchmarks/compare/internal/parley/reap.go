package parley

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/benchmarks/isolation"
	"github.com/parley-im/parley/benchmarks/reaping"
)

// reaps is a side that begins each round with nothing.
type reaps struct {
	p       side.Params
	measure func(ctx context.Context, dir string) (side.Figures, error)
}

// Round implements [side.Side].
func (s *reaps) Round(ctx context.Context) (figures side.Figures, err error) {
	dir, err := os.MkdirTemp(s.p.Dir, "round-")
	if err != nil {
		return nil, fmt.Errorf("a directory for the round: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return s.measure(ctx, dir)
}

// Close implements [side.Side].
func (*reaps) Close() error { return nil }

// OpenReap returns a side whose rounds have Expire conversations of so many Members expire at once, and deleted by an unpaced reaper. Figures: rate, the
// conversations deleted a second.
func OpenReap(_ context.Context, p side.Params) (side.Side, error) {
	return &reaps{p, func(ctx context.Context, dir string) (side.Figures, error) {
		took, _, err := reaping.Reap(ctx, dir, p.Expire, p.Members)
		return side.Figures{"rate": float64(p.Expire) / took.Seconds()}, err
	}}, nil
}

// Unpaced has nothing hold the reaper back.
const Unpaced = "unpaced"

// OpenFelt returns a side whose rounds have Expire conversations a second expire beside Rate committed posts a second: see [reaping.Feel]. Variant may be
// [Unpaced]. Figures: quiet and during, the 99th percentile of the posts' latencies, in milliseconds, for the Window before conversations expire and that
// in which they do; late, that of the deletions; refused posts, in all.
func OpenFelt(_ context.Context, p side.Params) (side.Side, error) {
	return &reaps{p, func(ctx context.Context, dir string) (side.Figures, error) {
		felt, err := reaping.Feel(ctx, dir, reaping.Load{Rate: p.Rate, Expiring: p.Expire, Phase: p.Window, Unpaced: p.Variant == Unpaced})
		if err != nil {
			return nil, err
		}
		return side.Figures{
			"quiet":   felt.Quiet.Quantile(99).Seconds() * 1000,
			"during":  felt.During.Quantile(99).Seconds() * 1000,
			"late":    felt.Late.Quantile(99).Seconds() * 1000,
			"refused": float64(felt.Refused),
		}, nil
	}}, nil
}

// OpenInline returns a side whose rounds have Expire conversations expire at one moment beside Rate posts a second, and deleted by whoever proposes: see
// package isolation, whose other designs run as well. Figures: quiet and during, the 99th percentile of the posts' latencies in milliseconds.
func OpenInline(_ context.Context, p side.Params) (side.Side, error) {
	return &reaps{p, func(ctx context.Context, dir string) (side.Figures, error) {
		result, err := isolation.Run(ctx, isolation.Config{
			Rate: p.Rate, Doomed: p.Expire, Members: p.Members, Before: p.Window, After: p.Window / 4, Rounds: 1, Dir: dir,
		})
		if err != nil {
			return nil, err
		}
		inline := &result.Series[isolation.Inline]
		return side.Figures{
			"quiet":  inline.Before.Quantile(0.99).Seconds() * 1000,
			"during": inline.During.Quantile(0.99).Seconds() * 1000,
		}, nil
	}}, nil
}
