package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// rereadAfter is how long a reading of the suspended time is good for: by so much Now may lag behind just after the machine woke.
	rereadAfter = 100 * time.Millisecond
	// longestPiece is the longest that a timer sleeps without looking at the clock: by so much it may be late after the machine woke.
	longestPiece = 30 * time.Second
)

// System returns a new clock that follows the machine's.
//
// It starts at the wall time of its creation and goes on by elapsed time: whatever is done to the wall clock later changes nothing. On Linux the
// time that the machine was suspended counts, in Now within 100 ms of waking and in timers within 30 s; elsewhere it counts where Go's monotonic
// clock includes it. Two clocks agree only as far as the wall clock did when they were made: make one, and share it.
//
// Its times are in UTC and carry no monotonic reading. Now takes no lock and starts no goroutine. A clock made in a testing/synctest bubble follows
// the bubble's time and belongs to that bubble.
func System() Clock { return newSystem(machine()) }

// source is what a system clock reads and waits with.
type source struct {
	wall   func() time.Time                          // the wall clock; read once
	awake  func() time.Duration                      // time spent awake since the source was made; never goes back
	asleep func() time.Duration                      // time spent suspended since then; may return too little, never too much
	after  func(d time.Duration, f func()) rearmable // calls f after so much time awake, on a goroutine of its own
}

// rearmable is what the clock needs of a [time.Timer].
type rearmable interface {
	Reset(d time.Duration) bool
	Stop() bool
}

// machine returns the source that production runs on.
//
// Time awake comes from package time alone and time asleep from system calls alone: in a bubble the former is false and the latter true, and a
// difference of the two would be neither.
func machine() source {
	origin := time.Now()
	return source{
		wall:   func() time.Time { return origin },
		awake:  func() time.Duration { return time.Since(origin) },
		asleep: suspensions(),
		after:  func(d time.Duration, f func()) rearmable { return time.AfterFunc(d, f) },
	}
}

type system struct {
	source
	start  time.Time    // without a monotonic reading, so that times compare by what they say
	slept  atomic.Int64 // the longest suspended time read so far, in nanoseconds
	readAt atomic.Int64 // the time awake at which it was read last
}

func newSystem(s source) *system { return &system{source: s, start: s.wall().Round(0).UTC()} }

// Now returns the start plus what has elapsed. Both parts of that sum only grow, so that the sum does.
func (s *system) Now() time.Time { return s.start.Add(s.elapsed()) }

// elapsed returns the time since the start, suspended time included.
func (s *system) elapsed() time.Duration {
	awake := s.awake()
	if last := s.readAt.Load(); awake-time.Duration(last) >= rereadAfter && s.readAt.CompareAndSwap(last, int64(awake)) {
		s.reread()
	}
	return awake + time.Duration(s.slept.Load())
}

// reread takes a new reading of the suspended time. An older or shorter reading never replaces a longer one.
func (s *system) reread() {
	slept := int64(s.asleep())
	for {
		known := s.slept.Load()
		if slept <= known || s.slept.CompareAndSwap(known, slept) {
			return
		}
	}
}

// AfterFunc returns a timer on this clock: when f is called, Now has passed the time of the call by d.
func (s *system) AfterFunc(d time.Duration, f func()) Timer {
	t := &systemTimer{clock: s, from: s.elapsed(), wait: max(0, d), f: f}
	t.mu.Lock() // the first piece may end before it is stored
	defer t.mu.Unlock()
	t.piece = s.after(min(t.wait, longestPiece), t.look)
	return t
}

// systemTimer waits in pieces: the timers of package time stand still while the machine is suspended, so that a long one would be late by as much.
type systemTimer struct {
	clock *system
	from  time.Duration // elapsed time at its making
	wait  time.Duration
	f     func()

	mu    sync.Mutex
	piece rearmable
	over  bool // stopped, or f was called
}

// look runs at the end of each piece.
func (t *systemTimer) look() {
	if t.expire() {
		t.f()
	}
}

// expire reports whether the timer is due and was not stopped, and begins the next piece where there is time left.
func (t *systemTimer) expire() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return false
	}
	t.clock.reread()
	if left := t.wait - (t.clock.elapsed() - t.from); left > 0 {
		t.piece.Reset(min(left, longestPiece))
		return false
	}
	t.over = true
	return true
}

func (t *systemTimer) Stop() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return false
	}
	t.over = true
	t.piece.Stop()
	return true
}
