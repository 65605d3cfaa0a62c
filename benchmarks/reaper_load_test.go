package benchmarks_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
)

// waitingClock stands still until it is let go, so that any number of changes have the same stamp, and goes on from there.
type waitingClock struct {
	clock.Clock

	born   time.Time
	letGo  atomic.Bool
	wentOn time.Time // on the clock below
}

func newWaitingClock() *waitingClock {
	c := clock.System()
	return &waitingClock{Clock: c, born: c.Now()}
}

func (c *waitingClock) Now() time.Time {
	if !c.letGo.Load() {
		return c.born
	}
	return c.born.Add(c.Clock.Now().Sub(c.wentOn))
}

func (c *waitingClock) goOn() {
	c.wentOn = c.Clock.Now()
	c.letGo.Store(true)
}

// latencies is a histogram of microseconds, from 1 to ten minutes, to three digits. It may be used from any goroutine.
type latencies struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

func newLatencies() *latencies {
	return &latencies{h: hdrhistogram.New(1, int64(10*time.Minute/time.Microsecond), 3)}
}

func (l *latencies) record(d time.Duration, times int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.h.RecordValues(min(max(d.Microseconds(), 1), l.h.HighestTrackableValue()), int64(times)) // clamped to its range, no value is refused
}

func (l *latencies) quantile(percent float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.h.ValueAtQuantile(percent)) * time.Microsecond
}

func (l *latencies) report(b *testing.B, name string) {
	b.Helper()
	b.ReportMetric(milliseconds(l.quantile(50)), name+"-p50-ms")
	b.ReportMetric(milliseconds(l.quantile(99)), name+"-p99-ms")
	b.ReportMetric(milliseconds(l.quantile(100)), name+"-max-ms")
}

const (
	talkEvery         = 5 * time.Millisecond
	talkConversations = 1_000
	// talkAhead is how many batches may be under way. Where the engine is so far behind, the load is more than it can do, and the latencies say nothing.
	talkAhead = 400
)

// talk posts at a steady rate, in batches, and waits for each to be committed. The load is open: a batch is due whether or not those before it were answered, and its latency runs
// from when it was due until its last reply.
type talk struct {
	engine  *actors.Engine
	name    string // its conversations begin with that
	seq     atomic.Uint64
	into    atomic.Pointer[latencies]
	done    atomic.Int64
	refused atomic.Int64 // because the engine was overloaded
	stop    chan struct{}
	group   sync.WaitGroup
}

// startTalk has so many proposals sent a second until end is called.
func startTalk(b *testing.B, engine *actors.Engine, rate int) *talk {
	b.Helper()
	t := &talk{engine: engine, name: "talk", stop: make(chan struct{})}
	t.into.Store(newLatencies())
	each := max(1, int(int64(rate)*int64(talkEvery)/int64(time.Second)))
	places := make(chan struct{}, talkAhead)
	t.group.Go(func() {
		began := time.Now()
		tick := time.NewTicker(talkEvery)
		defer tick.Stop()
		for n := 0; ; n++ {
			due := began.Add(time.Duration(n) * talkEvery)
			for time.Now().Before(due) {
				select {
				case <-tick.C:
				case <-t.stop:
					return
				}
			}
			select {
			case places <- struct{}{}:
			case <-t.stop:
				return
			}
			t.group.Go(func() {
				defer func() { <-places }()
				if err := t.post(n, each); err != nil {
					b.Errorf("the load: %v", err)
					return
				}
				t.into.Load().record(time.Since(due), each)
				t.done.Add(int64(each))
			})
		}
	})
	return t
}

// post sends the n-th batch.
func (t *talk) post(n, each int) error {
	var err error
	for from := 0; from < each; from += actors.MaxBatch {
		batch := make([]*actors.Proposal, min(each-from, actors.MaxBatch))
		for i := range batch {
			batch[i] = &actors.Proposal{
				Conversation: fmt.Sprintf("%s:%d", t.name, (n*each+from+i)%talkConversations),
				Change:       &conversation.Post{Seq: t.seq.Add(1), Sender: "ann", Preview: []byte("see you at eight")},
			}
		}
		replies, failed := t.engine.ProposeBatch(ctx(), batch)
		err = errors.Join(err, failed)
		for i := range replies {
			switch refused := replies[i].Err; {
			case errors.Is(refused, conversation.ErrOverloaded):
				t.refused.Add(1)
			case refused != nil:
				err = errors.Join(err, refused)
			}
		}
	}
	return err
}

// measure has what is sent from now on measured by itself, and returns what was measured until now.
func (t *talk) measure() *latencies { return t.into.Swap(newLatencies()) }

// end returns what was measured since measure, and reports what was refused, whose latencies are of no worth.
func (t *talk) end(b *testing.B) *latencies {
	b.Helper()
	close(t.stop)
	t.group.Wait()
	b.ReportMetric(float64(t.refused.Load()), "refused")
	return t.into.Load()
}

// fill begins conversations of two members, in batches, and returns once they are in the store.
func fill(b *testing.B, engine *actors.Engine, n int, name func(i int) string) {
	b.Helper()
	var group sync.WaitGroup
	var next atomic.Int64
	for range 4 {
		group.Go(func() {
			for {
				from := int(next.Add(actors.MaxBatch)) - actors.MaxBatch
				if from >= n {
					return
				}
				batch := make([]*actors.Proposal, min(actors.MaxBatch, n-from))
				for i := range batch {
					batch[i] = &actors.Proposal{Conversation: name(from + i), Change: &conversation.Post{
						Seq: 1, Sender: memberName(from + i), Members: []string{memberName(from + i + 1)},
					}}
				}
				replies, err := engine.ProposeBatch(ctx(), batch)
				for i := range replies {
					err = errors.Join(err, replies[i].Err)
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	if b.Failed() {
		b.FailNow()
	}
}
