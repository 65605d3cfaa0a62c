package load

import (
	"context"
	"time"
)

// sampler asks a target now and then how it is.
type sampler struct {
	target  Target
	step    time.Duration
	samples []sample // to be read once run has returned
	err     error    // why there are no more
}

type sample struct {
	at time.Duration
	Vitals
}

func newSampler(target Target, step time.Duration) *sampler {
	return &sampler{target: target, step: max(step, time.Second/2)}
}

// run samples until ctx ends, or the target cannot say.
func (s *sampler) run(ctx context.Context, began time.Time) {
	tick := time.NewTicker(s.step)
	defer tick.Stop()
	for {
		v, err := s.target.Vitals(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.err = err
			return
		}
		s.samples = append(s.samples, sample{at: time.Since(began), Vitals: v})
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// mostWindows is how many windows a run has at most, about.
const mostWindows = 150

// stepOf returns how long the windows of a run are: a tenth of a second or more, in round figures.
func stepOf(total time.Duration) time.Duration {
	for unit := 100 * time.Millisecond; ; unit *= 10 {
		for _, factor := range []time.Duration{1, 2, 5} {
			if step := unit * factor; total <= step*mostWindows {
				return step
			}
		}
	}
}
