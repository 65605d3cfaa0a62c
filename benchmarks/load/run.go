package load

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/workload"
)

// errOver is the cause that the calls of a run end with which were not answered.
var errOver = errors.New("load: the run is over")

// interruptedDrain bounds how long answers are waited for once somebody wants the run to end.
const interruptedDrain = 5 * time.Second

// run is one run.
type run struct {
	target   Target
	workload *workload.Workload
	config   Config
	prepared *prepared
	phases   []workload.Phase
	recorder *recorder
	sampler  *sampler

	calls context.Context //nolint:containedctx // of all calls: what is under way is not cut off when nothing more is to be sent
	group sync.WaitGroup  // of what sends, and what ends with calls

	timer   *time.Timer // of the pacer
	phase   int         // the one that is measured; -1: the warm-up
	current *part
}

// Run prepares the target for the workload, sends the load, waits for the answers and reports.
//
// It blocks for as long as that takes. When ctx ends while the load is sent, nothing more is, answers are waited for a few seconds, and the report is of what was done: it says that
// it was interrupted, and the error is nil. When ctx ends before that, or the target cannot be prepared, there is no report, and nothing was measured; what was begun in the target stays
// there. Errors in the load are no error: they are in the report.
func Run(ctx context.Context, target Target, w *workload.Workload, c Config) (*Report, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	preparing := Progress{Phase: "preparing", Preparing: w.Beginnings()}
	c.Progress(preparing)
	var telling sync.Mutex
	ready, err := prepare(ctx, target, w, func(done int) {
		telling.Lock()
		defer telling.Unlock()
		preparing.Prepared = max(preparing.Prepared, done)
		c.Progress(preparing)
	})
	if err != nil {
		return nil, err
	}
	runtime.GC() // the garbage of the preparation is not the load's
	r := &run{target: target, workload: w, config: c, prepared: ready, phases: w.Phases(c.Duration), phase: -1}
	return r.measure(ctx), nil
}

func (r *run) measure(ctx context.Context) *Report {
	calls, over := context.WithCancelCause(context.WithoutCancel(ctx))
	r.calls = calls
	began := time.Now()
	r.recorder = newRecorder(began, r.parts(), stepOf(r.config.WarmUp+r.config.Duration), r.config.Outstanding)
	r.current = r.recorder.parts[0]
	r.sampler = newSampler(r.target, r.recorder.step)
	if target, ok := r.target.(clocked); ok {
		target.goOn()
	}
	r.listen()
	r.group.Go(func() { r.sampler.run(r.calls, began) })
	shown := make(chan struct{})
	r.group.Go(func() { r.show(began, shown) })

	ended := r.pace(ctx, began)
	interrupted := ended < r.config.WarmUp+r.config.Duration
	r.drain(ctx)
	r.recorder.close()
	drained := time.Since(began)
	close(shown)
	over(errOver)
	r.group.Wait()
	return r.report(began, ended, drained, interrupted)
}

// parts returns the warm-up and the phases.
func (r *run) parts() []*part {
	parts := make([]*part, 0, 1+len(r.phases))
	parts = append(parts, newPart("warm-up", 0, r.config.WarmUp))
	for i, phase := range r.phases {
		ends := r.config.Duration
		if i+1 < len(r.phases) {
			ends = r.phases[i+1].Begins
		}
		parts = append(parts, newPart(phase.Name, r.config.WarmUp+phase.Begins, r.config.WarmUp+ends))
	}
	return parts
}

// listen has what expires told from now on.
func (r *run) listen() {
	if r.workload.Expiring() == 0 {
		return
	}
	began := make(chan struct{})
	ended := make(chan struct{})
	r.group.Go(func() {
		defer close(ended)
		err := r.target.Expirations(r.calls, sync.OnceFunc(func() { close(began) }), func(e Expiration) {
			if r.workload.IsExpiring(e.Conversation) {
				r.recorder.gone(e.Lateness)
			}
		})
		if err != nil && r.calls.Err() == nil {
			r.recorder.blame(fmt.Errorf("what expired cannot be told: %w", err))
		}
	})
	select {
	case <-began:
	case <-ended:
	}
}

// pace sends each call when it is due, and begins the phases, until it is all over or ctx ends. It returns how long after the beginning that was.
func (r *run) pace(ctx context.Context, began time.Time) time.Duration {
	plan := newSchedule(&r.config)
	end := r.config.WarmUp + r.config.Duration
	r.timer = time.NewTimer(0)
	defer r.timer.Stop()
	for {
		at := plan.next()
		for r.phase+1 < len(r.phases) && r.config.WarmUp+r.phases[r.phase+1].Begins <= min(at, end) {
			begins := r.config.WarmUp + r.phases[r.phase+1].Begins
			if !r.wait(ctx, began.Add(begins)) {
				return time.Since(began)
			}
			r.phase++
			r.current = r.recorder.parts[1+r.phase]
			r.happen(r.phases[r.phase].Event, begins)
		}
		if at >= end {
			if !r.wait(ctx, began.Add(end)) {
				return time.Since(began)
			}
			return end
		}
		if !r.wait(ctx, began.Add(at)) {
			return time.Since(began)
		}
		if time.Since(began) > end+overrun {
			r.recorder.miss(at, r.current, r.config.Batch)
			continue
		}
		r.send(at)
	}
}

// overrun is how long after its end a run still sends what it is late with. A driver that is slower than its schedule would never be done.
const overrun = time.Second

// near is how long before a moment the runtime's timers are left, which may be that late.
const near = 1500 * time.Microsecond

// wait returns once it is time, and false if ctx ended first.
func (r *run) wait(ctx context.Context, at time.Time) bool {
	d := time.Until(at)
	early := near
	if r.config.Coarse {
		early = 0
	}
	if d > early {
		r.timer.Reset(d - early)
		select {
		case <-ctx.Done():
			return false
		case <-r.timer.C:
		}
		d = time.Until(at)
	}
	if d > 0 {
		pause(d)
	}
	return ctx.Err() == nil
}

// send sends what is planned for a moment, or drops it.
func (r *run) send(planned time.Duration) {
	c := r.recorder.plan(planned, r.current, r.config.Batch)
	if c == nil {
		return
	}
	if target, ok := r.target.(asynchronous); ok && r.config.Batch == 1 {
		p := r.workload.Next()
		r.recorder.sent(c)
		target.ProposeFunc(p, func(reply *actors.Reply) { r.recorder.answered(c, []actors.Reply{*reply}, nil) })
		return
	}
	batch := make([]*actors.Proposal, r.config.Batch)
	for i := range batch {
		batch[i] = r.workload.Next()
	}
	r.group.Go(func() {
		r.recorder.sent(c)
		replies, err := r.target.ProposeBatch(r.calls, batch)
		r.recorder.answered(c, replies, err)
	})
}

// happen has an event happen that was planned for now.
func (r *run) happen(event workload.Event, planned time.Duration) {
	switch event {
	case workload.Expires:
		if _, ok := r.target.(clocked); !ok {
			r.deleteAll()
		}
	case workload.Asks:
		for _, a := range r.prepared.askers {
			c := r.recorder.ask(planned, r.current)
			r.group.Go(func() {
				_, err := catchUp(r.calls, r.target, a)
				r.recorder.told(c, err)
			})
		}
	case workload.Nothing:
	}
}

// deleteBatch is how many conversations are deleted with one call, and deleteCallers how many such calls are under way.
const (
	deleteBatch   = 250
	deleteCallers = 8
)

// deleteAll has the expiring conversations deleted, over the time over which they are to end.
func (r *run) deleteAll() {
	began, n := time.Now(), len(r.prepared.generations)
	var next atomic.Int64
	for range deleteCallers {
		r.group.Go(func() {
			for {
				from := int(next.Add(deleteBatch)) - deleteBatch
				if from >= n {
					return
				}
				due := began.Add(time.Duration(float64(r.workload.ExpireOver()) * float64(from) / float64(n)))
				if rest(r.calls, time.Until(due)) != nil || r.delete(from, min(from+deleteBatch, n)) != nil {
					return
				}
			}
		})
	}
}

// delete deletes some of the expiring conversations.
func (r *run) delete(from, to int) error {
	batch := make([]*actors.Proposal, 0, deleteBatch)
	for i := from; i < to; i++ {
		batch = append(batch, r.workload.Deletion(uint64(i)+1, r.prepared.generations[i]))
	}
	err := new(prepared).begin(r.calls, r.target, batch)
	if err != nil && r.calls.Err() == nil {
		r.recorder.blame(fmt.Errorf("deleting: %w", err))
	}
	return err
}

// drain waits for the answers to what was sent, but not longer than is said, and once ctx has ended only a few seconds.
func (r *run) drain(ctx context.Context) {
	var enough atomic.Bool
	r.group.Go(func() {
		patience := time.NewTimer(r.config.DrainFor)
		defer patience.Stop()
		select {
		case <-r.calls.Done():
		case <-patience.C:
		case <-ctx.Done():
			_ = rest(r.calls, min(interruptedDrain, r.config.DrainFor)) //nolint:contextcheck // ctx has ended; it may be over before
		}
		enough.Store(true)
		r.recorder.wake()
	})
	r.recorder.drain(enough.Load)
}
