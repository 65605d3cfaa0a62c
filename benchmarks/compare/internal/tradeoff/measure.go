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
	l.Say("flush interval")
	if curves.Flush, err = l.flush(ctx); err != nil {
		return nil, fmt.Errorf("flush interval: %w", err)
	}
	l.Say("residency bound")
	for i, bound := range l.Config.Bounds {
		point, err := l.residency(ctx, bound)
		if err != nil {
			return nil, fmt.Errorf("residency bound: %w", err)
		}
		curves.Residency = append(curves.Residency, point)
		l.Step(i+1, len(l.Config.Bounds))
	}
	l.Say("deletion")
	for i, doomed := range l.Config.Doomed {
		point, err := l.deletion(ctx, doomed)
		if err != nil {
			return nil, fmt.Errorf("deletion: %w", err)
		}
		curves.Deletion = append(curves.Deletion, point)
		l.Step(i+1, len(l.Config.Doomed))
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

// flush measures all intervals in turns, a kill of each at a time, so that a busy minute of the machine does not fall on one of them alone.
func (l *Lab) flush(ctx context.Context) ([]FlushPoint, error) {
	intervals := l.Config.Intervals
	rates, rows, lost := make([][]float64, len(intervals)), make([][]float64, len(intervals)), make([][]float64, len(intervals))
	for kill := range l.Config.Kills {
		for i, interval := range intervals {
			p := side.Params{
				Known: l.Config.Hot, Members: 2, Callers: 4, Batch: 250, Rate: l.Config.Rate, Interval: interval,
				// Longer than the interval, and killed at another of its moments each time.
				Window: max(l.Config.Window/2, 2*interval) + interval*time.Duration(kill)/time.Duration(l.Config.Kills),
			}
			figures, posts, err := l.kill(ctx, p)
			if err != nil {
				return nil, err
			}
			rates[i], rows[i], lost[i] = append(rates[i], figures["rate"]), append(rows[i], figures["rows"]), append(lost[i], float64(posts))
			l.Step(kill*len(intervals)+i+1, l.Config.Kills*len(intervals))
		}
	}
	points := make([]FlushPoint, len(intervals))
	for i, interval := range intervals {
		points[i] = FlushPoint{Interval: interval, Rate: middle(rates[i]), Rows: middle(rows[i]), Lost: middle(lost[i]), LostMost: slices.Max(lost[i])}
	}
	return points, nil
}

// kill measures an engine, kills it, and returns how many posts that took back.
func (l *Lab) kill(ctx context.Context, p side.Params) (figures side.Figures, posts int, err error) {
	err = l.in(func(dir string) error {
		p.Dir = dir
		killed, err := l.Launch(ctx, "parley.doomed", p)
		if err != nil {
			return err
		}
		figures, err = killed.Round(ctx)
		if err == nil {
			_, err = killed.Round(ctx)
		}
		if err = errors.Join(err, side.Kill(killed)); err != nil {
			return err
		}
		posts, err = parley.TakenBack(ctx, p)
		return err
	})
	return figures, posts, err
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
