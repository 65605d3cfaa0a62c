package peer

import (
	"context"
	"sync"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// sharded is what is written first where nothing is picked: maps under locks, and a goroutine that looks through all of them every second for what has
// expired.
type sharded struct {
	shards [256]shard
	stop   chan struct{}
	group  sync.WaitGroup
}

type shard struct {
	mu     sync.Mutex
	states map[string]*state
	_      [40]byte // a cache line each
}

const sweepEvery = time.Second

func newSharded() *sharded {
	s := &sharded{stop: make(chan struct{})}
	for i := range s.shards {
		s.shards[i].states = make(map[string]*state)
	}
	s.group.Go(s.sweep)
	return s
}

func (s *sharded) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		now := time.Now().UnixNano()
		for i := range s.shards {
			at := &s.shards[i]
			at.mu.Lock()
			for name, state := range at.states {
				if state.deadline <= now {
					delete(at.states, name)
				}
			}
			at.mu.Unlock()
		}
	}
}

func (s *sharded) update(p *actors.Proposal) {
	at := &s.shards[hash(p.Conversation)%uint32(len(s.shards))]
	at.mu.Lock()
	defer at.mu.Unlock()
	known := at.states[p.Conversation]
	if known == nil {
		known = new(state)
		at.states[p.Conversation] = known
	}
	known.apply(p)
}

func (s *sharded) close() {
	close(s.stop)
	s.group.Wait()
}

// hash is FNV-1a.
func hash(name string) uint32 {
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return h
}

// OpenSharded returns a side with mutex-guarded maps of the Known conversations and a goroutine that sweeps them every second. Callers update Hot of them,
// drawn at random. Figures: rate, the updates a second; heap, the bytes of each; and, where there is a Rate, p50 and p99 in milliseconds of so many
// updates a second, with two collections in the middle.
func OpenSharded(_ context.Context, p side.Params) (side.Side, error) {
	return newInProcess(p, func() inMemory { return newSharded() }), nil
}
