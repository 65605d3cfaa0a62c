package clock

import (
	"container/heap"
	"sync"
	"time"
)

// Virtual is a clock that stands still until it is told to advance.
type Virtual struct {
	mu     sync.Mutex
	now    time.Time
	timers timerHeap
	serial uint64
}

// NewVirtual returns a clock that stands at start.
func NewVirtual(start time.Time) *Virtual { return &Virtual{now: start} }

// Now returns where the clock stands.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// AfterFunc returns a timer that fires in the Advance that reaches its time. A timer that is due already fires in the next Advance.
func (v *Virtual) AfterFunc(d time.Duration, f func()) Timer {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.serial++
	t := &virtualTimer{clock: v, at: v.now.Add(d), serial: v.serial, f: f}
	heap.Push(&v.timers, t)
	return t
}

// Next returns when the earliest timer is due, and whether there is one.
func (v *Virtual) Next() (time.Time, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.timers) == 0 {
		return time.Time{}, false
	}
	return v.timers[0].at, true
}

// Advance moves the clock forward to `to` and then calls, in the order of their times, the callbacks of the timers that are due by then; it
// returns how many it called. It never moves back. To see each deadline at its own time, advance to [Virtual.Next] in turn.
func (v *Virtual) Advance(to time.Time) int {
	v.mu.Lock()
	if to.After(v.now) {
		v.now = to
	}
	fired := 0
	for len(v.timers) > 0 && !v.timers[0].at.After(v.now) {
		t := heap.Pop(&v.timers).(*virtualTimer) //nolint:forcetypeassert,errcheck // the heap holds nothing else
		v.mu.Unlock()
		t.f()
		fired++
		v.mu.Lock()
	}
	v.mu.Unlock()
	return fired
}

type virtualTimer struct {
	clock  *Virtual
	at     time.Time
	serial uint64
	index  int
	f      func()
}

func (t *virtualTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	if t.index < 0 {
		return false
	}
	heap.Remove(&t.clock.timers, t.index)
	return true
}

// timerHeap orders timers by time, then by when they were made.
type timerHeap []*virtualTimer

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].serial < h[j].serial
	}
	return h[i].at.Before(h[j].at)
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	t := x.(*virtualTimer) //nolint:forcetypeassert,errcheck // Virtual pushes nothing else
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
