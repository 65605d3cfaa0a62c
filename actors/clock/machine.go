package clock

import (
	"sync"
	"time"
)

// Machine is a computer of a test: its wall clock can be stepped, and it can be suspended. The time that it spends awake is package time's, so that one in a testing/synctest
// bubble follows the bubble. The zero value is a machine of which neither was done. Its methods may be called from any goroutine.
type Machine struct {
	mu      sync.Mutex
	stepped time.Duration
	asleep  time.Duration
}

// System returns a new clock that follows this machine just as [System] returns one that follows the real one: it starts at the wall time of its creation.
func (m *Machine) System() Clock {
	origin, wall, before := time.Now(), m.Wall(), m.suspended()
	return newSystem(source{
		wall:   func() time.Time { return wall },
		awake:  func() time.Duration { return time.Since(origin) },
		asleep: func() time.Duration { return m.suspended() - before },
		after:  func(d time.Duration, f func()) rearmable { return time.AfterFunc(d, f) },
	})
}

// StepWall is what an operator or a time server does to the wall clock.
func (m *Machine) StepWall(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stepped += d
}

// Suspend lets time go by in which nothing runs: timers of package time stand still meanwhile, the wall clock does not. d must not be negative.
func (m *Machine) Suspend(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asleep += max(0, d)
}

// Wall returns what the wall clock shows.
func (m *Machine) Wall() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(m.stepped + m.asleep)
}

func (m *Machine) suspended() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asleep
}
