package actors

import (
	"sync"

	"github.com/parley-im/parley/actors/clock"
)

// sweeper has conversations that nobody uses leave memory. It owns one timer, one-shot and set anew after each sweep: no conversation has one.
type sweeper struct {
	engine *Engine

	mu     sync.Mutex
	timer  clock.Timer
	closed bool
}

func startSweeper(e *Engine) *sweeper {
	s := &sweeper{engine: e}
	s.arm()
	return s
}

func (s *sweeper) arm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		// Half the time, so that a conversation stays for at most one and a half times as long as it should.
		s.timer = s.engine.config.Clock.AfterFunc(s.engine.config.IdleAfter/2, s.sweep)
	}
}

func (s *sweeper) sweep() {
	unusedSince := s.engine.clock.now().Add(-s.engine.config.IdleAfter)
	for _, shard := range s.engine.shards {
		shard.tell(&sweep{unusedSince: unusedSince})
	}
	s.arm()
}

// stop keeps the timer from going off again.
func (s *sweeper) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.timer.Stop()
}
