package overload

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/benchmarks/reaping"
)

// Load is what became of the posts of one phase.
type Load struct {
	Planned  int   // posts that were due
	Unsent   int   // of those, how many the driver did not come to before the end
	Accepted int64 //
	Refused  int64 // with ErrOverloaded, and when to try again
	Bad      int64 // otherwise
	Fault    error // the first of those

	Latency *reaping.Latencies // of those accepted, from when they were due
	Inside  *reaping.Latencies // the same, from when they were proposed
	Turned  *reaping.Latencies // of those refused, from when they were proposed
}

// open is a phase that goes on.
type open struct {
	Load

	engine   *actors.Engine
	rate     float64
	began    time.Time
	ticket   *ticket // that was refused: it is proposed again
	accepted atomic.Int64
	refused  atomic.Int64
	bad      atomic.Int64
	fault    atomic.Pointer[error]
}

// ticket is a post on its way. Who is refused proposes the same again, so that a refusal costs the driver next to nothing: what it makes is not to be what the engine is short of.
type ticket struct {
	load          *open
	proposal      *actors.Proposal
	due, proposed time.Time
	answer        func(*actors.Reply)
	back          atomic.Bool // it was refused
}

// answersWithin is how long the last answers may take.
const answersWithin = time.Minute

// send proposes so many posts a second, and returns when all that were proposed are answered.
func send(ctx context.Context, engine *actors.Engine, from *crowd, rate float64, lasting time.Duration) (*Load, error) {
	o := &open{engine: engine, rate: rate, Load: Load{Latency: reaping.NewLatencies(), Inside: reaping.NewLatencies(), Turned: reaping.NewLatencies()}}
	o.Planned = int(rate * lasting.Seconds())
	o.began = time.Now()
	n := 0
	for n < o.Planned && ctx.Err() == nil {
		time.Sleep(time.Until(o.due(n)))
		now := time.Now()
		if now.Sub(o.began) > lasting+lasting/10 {
			break // it is slower than its plan, and would never be done
		}
		for ; n < o.Planned && !o.due(n).After(now); n++ {
			o.propose(from, o.due(n))
		}
	}
	o.Unsent = o.Planned - n
	if err := o.drain(ctx, int64(n)); err != nil {
		return nil, err
	}
	o.Accepted, o.Refused, o.Bad = o.accepted.Load(), o.refused.Load(), o.bad.Load()
	if err := o.fault.Load(); err != nil {
		o.Fault = *err
	}
	return &o.Load, nil
}

func (o *open) due(n int) time.Time {
	return o.began.Add(time.Duration(float64(n) / o.rate * float64(time.Second)))
}

func (o *open) propose(from *crowd, due time.Time) {
	t := o.ticket
	if t == nil || !t.back.Load() {
		t = &ticket{load: o, proposal: from.post()}
		t.answer = t.answered
		o.ticket = t
	}
	t.back.Store(false)
	t.due, t.proposed = due, time.Now()
	o.engine.ProposeFunc(t.proposal, t.answer)
}

func (t *ticket) answered(r *actors.Reply) {
	o := t.load
	if r.Err == nil {
		now := time.Now()
		o.Latency.Record(now.Sub(t.due), 1)
		o.Inside.Record(now.Sub(t.proposed), 1)
		o.accepted.Add(1)
		return
	}
	if refusal, ok := errors.AsType[*conversation.Error](r.Err); !ok || !errors.Is(refusal, conversation.ErrOverloaded) || refusal.RetryAfter <= 0 {
		o.fault.CompareAndSwap(nil, &r.Err)
		o.bad.Add(1)
		return
	}
	o.Turned.Record(time.Since(t.proposed), 1)
	t.back.Store(true)
	o.refused.Add(1)
}

// drain waits for the answers to so many posts.
func (o *open) drain(ctx context.Context, sent int64) error {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	for {
		answered := o.accepted.Load() + o.refused.Load() + o.bad.Load()
		if answered == sent {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("overload: %d of %d posts were answered: %w", answered, sent, context.Cause(ctx))
		case <-time.After(time.Millisecond):
		}
	}
}
