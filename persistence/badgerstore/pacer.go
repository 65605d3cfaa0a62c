package badgerstore

import (
	"context"
	"time"
)

// pacer spaces the steps of a run so that they take no more than a share of its time.
type pacer struct {
	share  float64 // above 0; 1: no pauses
	steps  int
	worked time.Duration
	began  time.Time // of the step under way; zero: none is
}

// pause ends the step under way, waits for its due, and lets the next one begin; or it returns what ended ctx.
func (p *pacer) pause(ctx context.Context) error {
	worked := p.rest()
	due := min(maxPause, time.Duration(float64(worked)*(1/p.share-1)))
	if due > 0 {
		if err := wait(ctx, due); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.began = time.Now()
	return nil
}

// rest ends the step under way, and returns how long it took.
func (p *pacer) rest() (worked time.Duration) {
	if !p.began.IsZero() {
		worked = time.Since(p.began)
		p.began = time.Time{}
	}
	p.worked += worked
	return worked
}

// wait returns after d, or with what ended ctx.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
