package chat

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors"
)

// answersWithin is how long the last answers of an open load may take after its end.
const answersWithin = time.Minute

// Open is a load that goes on at a steady rate whether or not earlier messages were dealt with. Message number i is due i/rate after the start, and its
// latency runs from then until Done: a stall counts for all that were due while it lasted. One that was refused counts as if it had taken the whole
// window.
type Open struct {
	rate      int
	lasting   time.Duration
	start     time.Time
	latencies []time.Duration
	answered  atomic.Int64
	refused   atomic.Int64
	wait      func(until time.Time)
}

// NewOpen returns a load of so many messages a second for a window of time.
func NewOpen(rate int, lasting time.Duration) *Open {
	return &Open{rate: rate, lasting: lasting, latencies: make([]time.Duration, int(lasting.Seconds()*float64(rate))), wait: attend()}
}

// yieldEvery is how long a load keeps its processor.
const yieldEvery = 50 * time.Microsecond

// attend returns a func that waits on its processor: the runtime's timer is late by a millisecond, which is more than what is to be measured. It lets others run now and then only. Each time it
// does, the runtime wakes a thread to look for work, and where that never ends, three threads take turns on two processors, four milliseconds each: half of the loads that were answered at once had
// a 99th percentile above 1.8 ms, and 0.5 ms with this.
func attend() func(until time.Time) {
	yielded := time.Now()
	return func(until time.Time) {
		for {
			now := time.Now()
			if now.Sub(yielded) >= yieldEvery {
				runtime.Gosched()
				now = time.Now()
				yielded = now
			}
			if !now.Before(until) {
				return
			}
		}
	}
}

// Done says that the message with a tag was dealt with, or refused. It may be called from any goroutine, once for each message.
func (o *Open) Done(tag uint64, refused bool) {
	took := time.Since(o.due(int(tag)))
	if refused {
		took = max(took, o.lasting)
		o.refused.Add(1)
	}
	o.latencies[tag] = took
	o.answered.Add(1)
}

func (o *Open) due(i int) time.Time {
	return o.start.Add(time.Duration(float64(i) / float64(o.rate) * float64(time.Second)))
}

// Run sends the speaker's posts, tagged with their numbers, each when it is due. It has the collector run so many times meanwhile, and returns once all were dealt with.
func (o *Open) Run(ctx context.Context, s *Speaker, collections int, send func(p *actors.Proposal, i int)) error {
	o.start = time.Now()
	collected := make(chan struct{})
	go func() {
		defer close(collected)
		for i := range collections {
			time.Sleep(time.Until(o.start.Add(o.lasting * time.Duration(i+1) / time.Duration(collections+1))))
			runtime.GC()
		}
	}()
	for n := 0; n < len(o.latencies); {
		o.wait(o.due(n))
		for now := time.Now(); n < len(o.latencies) && !o.due(n).After(now); n++ {
			p, i := s.Next(actors.AckApplied)
			p.Tag = uint64(n)
			send(p, i)
		}
	}
	<-collected
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	for o.answered.Load() < int64(len(o.latencies)) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("chat: %d of %d messages were answered: %w", o.answered.Load(), len(o.latencies), context.Cause(ctx))
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// Quantile returns the latency that a part q of all messages, from 0 to 1, did not exceed. It may be called once Run has returned.
func (o *Open) Quantile(q float64) time.Duration {
	if len(o.latencies) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(o.latencies))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// Collections is how many collections are forced in the window of an open load.
const Collections = 2

// Figures returns p50 and p99 in milliseconds, and refused, of all messages, in per cent.
func (o *Open) Figures() map[string]float64 {
	return map[string]float64{
		"p50":     o.Quantile(0.5).Seconds() * 1000,
		"p99":     o.Quantile(0.99).Seconds() * 1000,
		"refused": 100 * float64(o.refused.Load()) / float64(max(1, len(o.latencies))),
	}
}
