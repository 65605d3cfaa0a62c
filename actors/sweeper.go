package actors

import (
	"sync"

	"github.com/parley-im/parley/actors/clock"
)

// sweeper has conversations that nobody uses leave memory. It owns one timer, one-shot, which runs only while there are cells: no conversation has one, and an engine at
// rest does not wake up.
type sweeper struct {
	engine *Engine

	mu     sync.Mutex
	timer  clock.Timer // nil: it does not run
	closed bool
}

// arm sees to it that the timer runs. It is called whenever a shard gets its first cell.
func (s *sweeper) arm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && s.timer == nil {
		// Half the time, so that a conversation stays for at most one and a half times as long as it should.
		s.timer = s.engine.config.Clock.AfterFunc(s.engine.config.IdleAfter/2, s.sweep)
	}
}

func (s *sweeper) sweep() {
	s.mu.Lock()
	s.timer = nil
	s.mu.Unlock()
	for _, shard := range s.engine.shards {
		if shard.cells.len() > 0 {
			s.arm()
			if !shard.sweeping.Swap(true) { // else it has more to do than it manages: more of that would be no help
				shard.tell(&sweep{})
			}
		}
	}
}

// stop keeps the timer from going off again.
func (s *sweeper) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
}
