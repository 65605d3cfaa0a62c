package actors

import (
	"time"

	"github.com/parley-im/parley/persistence"
)

// memory says what is in memory of a conversation. It makes no cell.
func (s *shard) memory(name string) *MemoryExplanation {
	c := s.cells.find(name)
	if c == nil {
		return &MemoryExplanation{State: s.passive(name)}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := &MemoryExplanation{Queued: int(c.proposals), LastUsed: persistence.Instant(c.used.Load()).Time(), Failures: int(c.failures)}
	switch c.phase {
	case waiting:
		m.State = MemoryActivating
		if !c.claimed && c.queue.len() == 0 && c.invoker == nil {
			m.State = MemoryPassive // it only remembers failures
		}
	case active:
		m.State = MemoryActive
	case parked:
		m.State = MemoryWaiting
	case quarantined:
		m.State = MemoryQuarantined
		if s.engine.clock.now() >= c.barred.until {
			m.State = MemoryPassive // the next proposal is its other chance
			break
		}
		m.Until, m.Reason = c.barred.until.Time(), c.barred.why
	case sealed:
		m.State = MemoryPassive
	}
	if m.State == MemoryPassive {
		m.LastUsed = time.Time{}
	}
	return m
}

// passive says what is in memory of a conversation without a cell.
func (s *shard) passive(name string) MemoryState {
	s.mem.mu.Lock()
	defer s.mem.mu.Unlock()
	if s.mem.packed.has(name) {
		return MemoryPacked
	}
	return MemoryPassive
}
