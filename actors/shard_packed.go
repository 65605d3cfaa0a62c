package actors

import (
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// pack keeps the state of a conversation that leaves memory in order: what comes next reads nothing. What is packed is as good as the rows, in the journal or the store, because
// nobody else writes those while the generation is alive: whatever changes it, or judges it over, activates it, which takes it out. Where the journal drops rows of it, the shard is told, and
// drops it, before the journal takes any again.
func (s *shard) pack(r resident) {
	if r.state == nil {
		return
	}
	r.live.Lock()
	defer r.live.Unlock()
	r.live.Settle() // from now on the rows are what is packed, and not the state
	if s.packed == nil || s.engine.draining.Load() {
		return
	}
	if content, ok := r.state.Pack(s.packing[:0], s.engine.clock.now()); ok {
		s.packed.put(r.state.Name(), content)
		s.packing = content
		s.packedNow()
	}
}

// unpack takes the state of a conversation out; nil where it is not packed, or over.
func (s *shard) unpack(name string) *conversation.State {
	return s.unpackWith(name, conversation.Unpack)
}

// unpackWith does as unpack does, with a func that makes a State of what is packed.
func (s *shard) unpackWith(name string, unpack func(string, []byte, persistence.Instant) (*conversation.State, error)) *conversation.State {
	if s.packed == nil {
		return nil
	}
	content, ok := s.packed.take(name)
	if !ok {
		return nil
	}
	s.packedNow()
	state, err := unpack(name, content, s.engine.clock.now())
	if err != nil {
		s.engine.failed(FailedInfo{What: "shard", Conversation: name, Reason: err})
		return nil
	}
	if state != nil {
		s.engine.residency.unpacked.Add(1)
	}
	return state
}

// dropPacked lets go of what is packed of a conversation: what that builds on is not, and will not be, in the store.
func (s *shard) dropPacked(name string) {
	if s.packed != nil {
		s.packed.take(name)
		s.packedNow()
	}
}

// squeeze lets go of what is too much since the bounds moved.
func (a *shardActor) squeeze() {
	a.evict()
	if a.packed != nil {
		a.packed.resize(a.engine.residency.packedRoom())
		a.packedNow()
	}
}

// packedNow shows Stats what is packed.
func (s *shard) packedNow() {
	if s.packed != nil {
		s.packedCount.Store(int64(len(s.packed.index)))
		s.packedBytes.Store(int64(s.packed.size()))
	}
}
