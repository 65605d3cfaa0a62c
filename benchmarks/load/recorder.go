package load

import (
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parley-im/parley/actors"
)

// recorder keeps everything that is measured in a run. Its methods may be called from any goroutine.
type recorder struct {
	began time.Time
	step  time.Duration // of the windows
	bound int           // of proposals under way

	mu         sync.Mutex
	parts      []*part // the warm-up, and the phases in their order
	windows    []window
	underWay   *calls
	proposals  int  // under way
	asks       int  // under way
	closed     bool // what is answered from now on is too late
	idle       *sync.Cond
	fault      error // the first of those that were refused or failed
	recent     recent
	lateness   *hdrhistogram.Histogram // of generations that are gone
	expired    uint64
	lastExpiry time.Duration
}

// recent is what was answered since it was last looked at.
type recent struct {
	latency  *hdrhistogram.Histogram
	answered uint64
}

func newRecorder(began time.Time, parts []*part, step time.Duration, bound int) *recorder {
	r := &recorder{
		began: began, step: step, bound: bound, parts: parts, underWay: newCalls(), lateness: newHistogram(3), recent: recent{latency: newHistogram(2)},
	}
	r.idle = sync.NewCond(&r.mu)
	return r
}

// window returns the one of a time since the beginning. The lock is held.
func (r *recorder) window(at time.Duration) *window {
	i := int(max(at, 0) / r.step)
	for len(r.windows) <= i {
		r.windows = append(r.windows, window{})
	}
	return &r.windows[i]
}

// plan takes note of a call that is due, and returns nil where too much is under way and it must be dropped.
func (r *recorder) plan(planned time.Duration, in *part, proposals int) *call {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.window(planned)
	w.planned += uint64(proposals)
	in.planned += uint64(proposals)
	if r.proposals+proposals > r.bound {
		w.dropped += uint64(proposals)
		in.dropped += uint64(proposals)
		return nil
	}
	c := &call{planned: planned, proposals: proposals, part: in}
	r.underWay.add(c)
	r.proposals += proposals
	return c
}

// miss takes note of a call that was due and is not sent, because the driver comes to it too late.
func (r *recorder) miss(planned time.Duration, in *part, proposals int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.window(planned)
	w.planned += uint64(proposals)
	w.dropped += uint64(proposals)
	in.planned += uint64(proposals)
	in.dropped += uint64(proposals)
	in.missed += uint64(proposals)
}

// sent takes note of when a call is sent.
func (r *recorder) sent(c *call) {
	late := time.Since(r.began) - c.planned
	r.mu.Lock()
	defer r.mu.Unlock()
	recordIn(c.part.sent, late, 1)
}

// ask takes note of a question that is due.
func (r *recorder) ask(planned time.Duration, in *part) *call {
	r.mu.Lock()
	defer r.mu.Unlock()
	in.asked++
	r.asks++
	c := &call{planned: planned, part: in}
	r.underWay.add(c)
	return c
}

// answered takes note of the replies to a call, or of why there are none.
func (r *recorder) answered(c *call, replies []actors.Reply, err error) {
	var tally Tally
	if err == nil && len(replies) != c.proposals {
		err = fmt.Errorf("%d replies to %d proposals", len(replies), c.proposals)
	}
	if err != nil {
		tally.Failed = uint64(c.proposals)
	} else {
		for i := range replies {
			tally.count(&replies[i])
			if err == nil {
				err = replies[i].Err
			}
		}
	}
	at := time.Since(r.began)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.take(c) {
		return
	}
	r.proposals -= c.proposals
	if r.fault == nil {
		r.fault = err
	}
	c.part.tally.add(&tally)
	w := r.window(at)
	if n := tally.Accepted(); n > 0 {
		w.accepted += n
		r.took(c, at, int(n))
		recordIn(r.recent.latency, at-c.planned, int(n))
	}
	if n := tally.NotAccepted(); n > 0 {
		w.turnedDown += n
		recordIn(c.part.turnedDown, at-c.planned, int(n))
	}
	r.recent.answered += uint64(c.proposals)
}

// took records the latency of so many of a call's proposals: in its part, and in the window in which it was planned. The lock is held.
func (r *recorder) took(c *call, at time.Duration, n int) {
	recordIn(c.part.accepted, at-c.planned, n)
	w := r.window(c.planned)
	if w.latency == nil {
		w.latency = newHistogram(2)
	}
	recordIn(w.latency, at-c.planned, n)
}

// told takes note of the answer to a question.
func (r *recorder) told(c *call, err error) {
	at := time.Since(r.began)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.take(c) {
		return
	}
	r.asks--
	if err != nil {
		c.part.asksFailed++
		if r.fault == nil {
			r.fault = err
		}
		return
	}
	recordIn(c.part.asks, at-c.planned, 1)
	r.window(at).asks++
}

// take reports whether a call was still waited for. The lock is held.
func (r *recorder) take(c *call) bool {
	if r.closed || !r.underWay.remove(c) {
		return false
	}
	if r.underWay.first() == nil {
		r.idle.Broadcast()
	}
	return true
}

// gone takes note of a generation that was deleted.
func (r *recorder) gone(lateness time.Duration) {
	at := time.Since(r.began)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.expired++
	r.lastExpiry = at
	recordIn(r.lateness, lateness, 1)
	w := r.window(at)
	w.expired++
	w.latest = max(w.latest, lateness)
}

// blame takes note of what went wrong beside the calls that are measured.
func (r *recorder) blame(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fault == nil {
		r.fault = err
	}
}

// drain waits until all is answered, or enough is called.
func (r *recorder) drain(enough func() bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.underWay.first() != nil && !enough() {
		r.idle.Wait()
	}
}

// wake has drain look whether it is enough.
func (r *recorder) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle.Broadcast()
}

// close ends the measurement. What is not answered counts as having taken as long as it has been under way: that is too short, but leaving it out would make a target that
// never answers look as if it had not been asked.
func (r *recorder) close() {
	at := time.Since(r.began)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for c := r.underWay.first(); c != nil; c = r.underWay.first() {
		if c.proposals == 0 {
			c.part.asksUnanswered++
			recordIn(c.part.asks, at-c.planned, 1)
		} else {
			c.part.unanswered += uint64(c.proposals)
			r.took(c, at, c.proposals)
		}
		r.underWay.remove(c)
	}
}

// look returns what progress shows, and begins to count anew what is recent.
func (r *recorder) look() (p Progress, answered uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, part := range r.parts {
		p.Dropped += part.dropped
		p.Refused += part.tally.NotAccepted()
	}
	p.Unanswered = r.proposals
	p.P99 = time.Duration(r.recent.latency.ValueAtQuantile(99)) * time.Microsecond
	answered = r.recent.answered
	r.recent.latency.Reset()
	r.recent.answered = 0
	return p, answered
}
