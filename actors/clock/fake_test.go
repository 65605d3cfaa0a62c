package clock

import (
	"sync"
	"time"
)

// fakeMachine is a machine whose clocks are set by hand: it can be suspended and its wall clock stepped.
type fakeMachine struct {
	mu       sync.Mutex
	wall     time.Time
	awake    time.Duration
	asleep   time.Duration
	readings int // of the suspended time
	pieces   []*fakePiece
}

// fakePiece is a timer that stands still while the machine is suspended.
type fakePiece struct {
	machine *fakeMachine
	at      time.Duration // in time awake
	armed   bool
	f       func()
}

func newFakeMachine() *fakeMachine {
	return &fakeMachine{wall: time.Date(2024, 2, 29, 12, 0, 0, 0, time.FixedZone("east", 3600))}
}

func (m *fakeMachine) source() source {
	locked := func(read func() time.Duration) func() time.Duration {
		return func() time.Duration {
			m.mu.Lock()
			defer m.mu.Unlock()
			return read()
		}
	}
	return source{
		wall:   func() time.Time { return m.wall },
		awake:  locked(func() time.Duration { return m.awake }),
		asleep: locked(func() time.Duration { m.readings++; return m.asleep }),
		after: func(d time.Duration, f func()) rearmable {
			p := &fakePiece{machine: m, f: f}
			m.mu.Lock()
			m.pieces = append(m.pieces, p)
			m.mu.Unlock()
			p.Reset(d)
			return p
		},
	}
}

func (p *fakePiece) Reset(d time.Duration) bool {
	p.machine.mu.Lock()
	defer p.machine.mu.Unlock()
	was := p.armed
	p.at, p.armed = p.machine.awake+max(0, d), true
	return was
}

func (p *fakePiece) Stop() bool {
	p.machine.mu.Lock()
	defer p.machine.mu.Unlock()
	was := p.armed
	p.armed = false
	return was
}

// suspend lets time pass that only the boot clock sees.
func (m *fakeMachine) suspend(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asleep += d
	m.wall = m.wall.Add(d)
}

// stepWall is what an operator or a time server does.
func (m *fakeMachine) stepWall(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wall = m.wall.Add(d)
}

// run lets d pass awake and calls what comes due, each at its time.
func (m *fakeMachine) run(d time.Duration) {
	m.mu.Lock()
	end := m.awake + d
	for {
		var next *fakePiece
		for _, p := range m.pieces {
			if p.armed && p.at <= end && (next == nil || p.at < next.at) {
				next = p
			}
		}
		if next == nil {
			break
		}
		m.wall = m.wall.Add(next.at - m.awake)
		m.awake, next.armed = next.at, false
		m.mu.Unlock()
		next.f()
		m.mu.Lock()
	}
	m.wall = m.wall.Add(end - m.awake)
	m.awake = end
	m.mu.Unlock()
}

func (m *fakeMachine) armed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, p := range m.pieces {
		if p.armed {
			n++
		}
	}
	return n
}
