package isolation

import (
	"context"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The histograms hold microseconds, from 1 to a minute, to three digits.
const (
	lowest    = 1
	highest   = int64(time.Minute / time.Microsecond)
	precision = 3
)

// Histogram holds latencies. The zero value holds none.
type Histogram struct{ h *hdrhistogram.Histogram }

func newHistogram() Histogram { return Histogram{hdrhistogram.New(lowest, highest, precision)} }

// Quantile returns the latency that a part q of all, from 0 to 1, did not exceed; 0 where there are none.
func (h Histogram) Quantile(q float64) time.Duration {
	if h.h == nil {
		return 0
	}
	return time.Duration(h.h.ValueAtQuantile(100*q)) * time.Microsecond
}

// Count returns how many latencies there are.
func (h Histogram) Count() int64 {
	if h.h == nil {
		return 0
	}
	return h.h.TotalCount()
}

func (h Histogram) record(latency time.Duration) {
	// Clamped to its range, no value is refused.
	_ = h.h.RecordValue(min(max(latency.Microseconds(), lowest), highest))
}

// Series is what was measured of one design, over all its turns.
type Series struct {
	Design  Design
	Windows []Histogram     // by time since the start of the load, in steps of Config.Window
	Before  Histogram       // of messages that were due before the moment of expiry
	During  Histogram       // of those due from then until all was deleted
	Deleted []time.Duration // how long that took, by turn; the rest of the turn where it was not finished
	Left    int             // conversations that were not deleted when their turn was over
	Refused int             // proposals answered with an error
}

// add takes in a turn, of which the messages below end were sent and answered.
func (s *Series) add(r *run, end int, c Config) {
	over := time.Duration(r.overAt.Load())
	if over == 0 {
		over = time.Duration(end) * r.interval
		s.Left += int(r.doomed - r.gone.Load())
	}
	s.Deleted = append(s.Deleted, over-c.Before)
	for i, latency := range r.latencies[:end] {
		switch {
		case latency == 0:
			continue
		case latency < 0:
			s.Refused++
			continue
		}
		due := time.Duration(i) * r.interval
		window := int(due / c.Window)
		for len(s.Windows) <= window {
			s.Windows = append(s.Windows, newHistogram())
		}
		s.Windows[window].record(latency)
		switch {
		case due < c.Before:
			s.Before.record(latency)
		case due < over:
			s.During.record(latency)
		}
	}
}

// Result is what was measured of all designs.
type Result struct {
	Config Config // with its defaults
	Series [Designs]Series
}

// Run measures all designs in turns. It takes about Rounds × Designs × (a few seconds), keeps up to two processors busy and writes to disk.
func Run(ctx context.Context, config Config) (*Result, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	result := &Result{Config: config}
	for d := range result.Series {
		result.Series[d] = Series{Design: Design(d), Before: newHistogram(), During: newHistogram()}
	}
	population := newPopulation(config)
	for range config.Rounds {
		for d := range result.Series {
			if err := turn(ctx, config, population, Design(d), &result.Series[d]); err != nil {
				return nil, err
			}
		}
	}
	return result, nil
}
