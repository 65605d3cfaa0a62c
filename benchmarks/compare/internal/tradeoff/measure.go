package tradeoff

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/parley-im/parley/benchmarks/compare/internal/parley"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/benchmarks/isolation"
)

// Lab is where and with what is measured.
type Lab struct {
	Launch side.Launcher      // children, as some of them are killed
	Dir    string             // for stores, which are removed again; it must exist
	Source string             // the repository, whose lines are counted
	Say    func(what string)  // is told what is done next
	Step   func(done, of int) // is told how far that is
	Config Config

	fixture string // a store for all bounds; "": it was not filled yet
}

// Measure takes all curves. It takes some minutes at full size, and keeps up to two processors busy.
func (l *Lab) Measure(ctx context.Context) (*Curves, error) {
	curves := &Curves{Config: l.Config, Date: time.Now()}
	var err error
	if curves.Inline, curves.Reaper, err = countDesigns(l.Source); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		name    string
		points  int
		measure func(ctx context.Context, i int) error
	}{
		{"flush interval", len(l.Config.Intervals), func(ctx context.Context, i int) error {
			point, err := l.flush(ctx, l.Config.Intervals[i])
			curves.Flush = append(curves.Flush, point)
			return err
		}},
		{"residency bound", len(l.Config.Bounds), func(ctx context.Context, i int) error {
			point, err := l.residency(ctx, l.Config.Bounds[i])
			curves.Residency = append(curves.Residency, point)
			return err
		}},
		{"deletion", len(l.Config.Doomed), func(ctx context.Context, i int) error {
			point, err := l.deletion(ctx, l.Config.Doomed[i])
			curves.Deletion = append(curves.Deletion, point)
			return err
		}},
	} {
		l.Say(part.name)
		for i := range part.points {
			if err := part.measure(ctx, i); err != nil {
				return nil, fmt.Errorf("%s: %w", part.name, err)
			}
			l.Step(i+1, part.points)
		}
	}
	return curves, nil
}

// in calls do with a directory of its own.
func (l *Lab) in(do func(dir string) error) (err error) {
	dir, err := os.MkdirTemp(l.Dir, "point-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return do(dir)
}

func (l *Lab) flush(ctx context.Context, interval time.Duration) (FlushPoint, error) {
	point := FlushPoint{Interval: interval}
	var rates, rows, lost []float64
	for kill := range l.Config.Kills {
		err := l.in(func(dir string) error {
			p := side.Params{
				Dir: dir, Known: l.Config.Hot, Members: 2, Callers: 4, Batch: 250, Rate: l.Config.Rate, Interval: interval,
				// Longer than the interval, and killed at another of its moments each time.
				Window: max(l.Config.Window, 2*interval) + interval*time.Duration(kill)/time.Duration(l.Config.Kills),
			}
			killed, err := l.Launch(ctx, "parley.doomed", p)
			if err != nil {
				return err
			}
			figures, err := killed.Round(ctx)
			if err == nil {
				_, err = killed.Round(ctx)
			}
			if err = errors.Join(err, side.Kill(killed)); err != nil {
				return err
			}
			posts, err := parley.TakenBack(ctx, p)
			rates, rows, lost = append(rates, figures["rate"]), append(rows, figures["rows"]), append(lost, float64(posts))
			return err
		})
		if err != nil {
			return point, err
		}
	}
	point.Rate, point.Rows, point.Lost, point.LostMost = middle(rates), middle(rows), middle(lost), slices.Max(lost)
	return point, nil
}

// fill fills a store for all bounds, and returns its directory.
func (l *Lab) fill(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp(l.Dir, "fixture-")
	if err != nil {
		return "", err
	}
	filled, err := l.Launch(ctx, "parley.fixture", side.Params{Dir: dir, Known: l.Config.Known, Members: 2})
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "store"), filled.Close()
}

func (l *Lab) residency(ctx context.Context, bound int) (ResidencyPoint, error) {
	point := ResidencyPoint{Bound: bound}
	if l.fixture == "" {
		var err error
		if l.fixture, err = l.fill(ctx); err != nil {
			return point, err
		}
	}
	err := l.in(func(dir string) (err error) {
		s, err := l.Launch(ctx, "parley.bounded", side.Params{
			Dir: dir, Fixture: l.fixture, Known: l.Config.Known, Members: 2, Callers: 4, Batch: 250, Active: bound, Window: l.Config.Window,
		})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		figures, err := s.Round(ctx)
		point.Heap, point.Reads, point.Rate = figures["heap"], figures["reads"], figures["rate"]
		return err
	})
	return point, err
}

func (l *Lab) deletion(ctx context.Context, doomed int) (DeletionPoint, error) {
	point := DeletionPoint{Doomed: doomed}
	err := l.in(func(dir string) error {
		result, err := isolation.Run(ctx, isolation.Config{
			Doomed: doomed, Rate: l.Config.Load, Rounds: l.Config.Turns,
			Before: l.Config.Window / 2, After: l.Config.Window / 2, Dir: dir,
		})
		if err != nil {
			return err
		}
		for d := range result.Series {
			s := &result.Series[d]
			point.P99 = append(point.P99, s.During.Quantile(0.99).Seconds()*1000)
			point.Took = append(point.Took, slices.Max(s.Deleted).Seconds())
		}
		return nil
	})
	return point, err
}

// middle returns the median.
func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
