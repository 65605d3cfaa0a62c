package actors

import (
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// memory is where a shard's conversations lie packed. Most posts are added to them there; the rows of those are taken when the journal gathers what it writes next, when a reader asks for the
// conversation, or before it leaves.
//
// What is packed is as good as the rows, in the journal or the store, because nobody else writes those while the generation is alive: whatever changes it, or judges it over, takes it out first. Where the
// journal drops rows of it, the shard is told, and drops it, before the journal takes any again.
type memory struct {
	mu      sync.Mutex
	packed  *packed
	packing []byte            // to pack into
	scribe  conversation.Desk // to unpack on, for the rows that are to be taken

	soiled       atomic.Int32 // conversations of which rows are yet to be taken
	count, bytes atomic.Int64 // of what is packed
}

// openMemory begins it anew: what was there before may not be in order.
func (s *shard) openMemory() {
	m := &s.mem
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.packed; old != nil {
		s.salvage(old)
	}
	m.soiled.Store(0)
	m.packed = newPacked(s.engine.residency.packedRoom(), s.forgetting)
	s.packedNow()
}

// salvage takes the rows of what may not be in order. mem.mu is held.
func (s *shard) salvage(from *packed) {
	defer func() {
		if reason := recover(); reason != nil {
			s.engine.failed(FailedInfo{What: "shard", Reason: reason})
		}
	}()
	from.each(s.forgetting)
}

// pack keeps the state of a conversation that leaves memory in order: what comes next reads nothing. Where it was talked in, it is open for posts.
func (s *shard) pack(r resident, talkedIn bool) {
	if r.state == nil {
		return
	}
	r.live.Lock()
	defer r.live.Unlock()
	r.live.Settle() // from now on the rows are what is packed, and not the state
	if !s.visits() || s.engine.draining.Load() {
		return
	}
	m := &s.mem
	m.mu.Lock()
	defer m.mu.Unlock()
	pack := r.state.Pack
	if talkedIn {
		pack = func(b []byte, now persistence.Instant) ([]byte, bool) { return r.state.PackOpen(b, now, 0) }
	}
	if content, ok := pack(m.packing[:0], s.engine.clock.now()); ok {
		m.packed.put(r.state.Name(), content)
		m.packing = content
		s.packedNow()
	}
}

// rest packs the state of an active conversation if posts may be added to it then.
func (s *shard) rest(r resident, policy *conversation.Policy) bool {
	if s.engine.draining.Load() {
		return false
	}
	r.live.Lock()
	defer r.live.Unlock()
	r.live.Settle()
	m := &s.mem
	m.mu.Lock()
	defer m.mu.Unlock()
	content, ok := r.state.PackOpen(m.packing[:0], s.engine.clock.now(), 0)
	if !ok || !conversation.MayAdd(content, policy) {
		return false
	}
	m.packing = content
	m.packed.put(r.state.Name(), content)
	s.packedNow()
	return true
}

// renew packs a conversation anew that has no room for more posts, and returns where it lies then; nil: nowhere, or it was left as it was. mem.mu is held.
func (s *shard) renew(name string, content []byte, now persistence.Instant, previews int) []byte {
	m := &s.mem
	state, err := m.scribe.Unpack(name, content, now)
	if err != nil || state == nil {
		return nil
	}
	packed, ok := state.PackOpen(m.packing[:0], now, previews)
	if !ok || conversation.Soiled(packed) != conversation.Soiled(content) {
		return nil
	}
	m.packing = packed
	m.packed.put(name, packed)
	s.packedNow()
	if content = m.packed.find(name); content == nil {
		s.forgetting([]byte(name), packed)
	}
	return content
}

// lastPost returns when a conversation was last posted to where it lies packed; zero: it was not.
func (s *shard) lastPost(name string) persistence.Instant {
	s.mem.mu.Lock()
	defer s.mem.mu.Unlock()
	if content := s.mem.packed.find(name); content != nil {
		return conversation.LastPost(content)
	}
	return 0
}

// unpack takes the state of a conversation out; nil where it is not packed, or over. Rows that were yet to be taken are in the journal then.
func (s *shard) unpack(name string) *conversation.State {
	return s.unpackWith(name, conversation.Unpack)
}

// unpackWith does as unpack does, with a func that makes a State of what is packed.
func (s *shard) unpackWith(name string, unpack func(string, []byte, persistence.Instant) (*conversation.State, error)) *conversation.State {
	m := &s.mem
	m.mu.Lock()
	defer m.mu.Unlock()
	content, ok := s.takePacked(name)
	if !ok {
		return nil
	}
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

// takePacked takes out what is packed of a conversation. mem.mu is held.
func (s *shard) takePacked(name string) (content []byte, ok bool) {
	content, ok = s.mem.packed.take(name)
	if ok && conversation.Soiled(content) {
		_ = s.settle(name, content, persistence.Never, nil) // nobody waits
	}
	s.packedNow()
	return content, ok
}

// dropPacked lets go of what is packed of a conversation: what that builds on is not, and will not be, in the store.
func (s *shard) dropPacked(name string) {
	s.mem.mu.Lock()
	defer s.mem.mu.Unlock()
	s.takePacked(name)
}

// squeeze lets go of what is too much since the bounds moved.
func (a *shardActor) squeeze() {
	a.evict()
	a.mem.mu.Lock()
	defer a.mem.mu.Unlock()
	a.mem.packed.resize(a.engine.residency.packedRoom())
	a.packedNow()
}

// packedNow shows Stats what is packed. mem.mu is held.
func (s *shard) packedNow() {
	s.mem.count.Store(int64(s.mem.packed.index.n))
	s.mem.bytes.Store(int64(s.mem.packed.size()))
}

// forgetting has the rows taken of one that is about to be forgotten. mem.mu is held.
func (s *shard) forgetting(name, content []byte) {
	if conversation.Soiled(content) {
		_ = s.settle(string(name), content, persistence.Never, nil) // nobody waits
	}
}

// settle gives the journal the rows that are yet to be taken of what is packed: of posts that are among what is soiled, and of one more, with that stamp, that is not; Never: there is none. mem.mu is held. Where
// the journal does not take them, they are lost, like all that it drops: then it returns why, and the waiter is told nothing.
func (s *shard) settle(name string, content []byte, latest persistence.Instant, waiter journal.Waiter) error {
	state, err := s.mem.scribe.Unpack(name, content, 0)
	if err == nil {
		err = s.engine.journal.AddRows(name, s.number, state.TakeDirty(), journal.Note{Stamp: min(latest, s.worker.soiled.since())}, waiter)
	} else {
		s.engine.failed(FailedInfo{What: "shard", Conversation: name, Reason: err})
	}
	conversation.Cleaned(content)
	s.mem.soiled.Add(-1) // whoever finds that there are none finds the rows in the journal
	return err
}

// settleEach has readers find in the journal what was posted to conversations. It must not be called by who holds a journal's lock.
func (e *Engine) settleEach(names ...string) {
	for _, name := range names {
		s := e.shardOf(name)
		if s.mem.soiled.Load() == 0 {
			continue
		}
		s.mem.mu.Lock()
		if content := s.mem.packed.find(name); content != nil && conversation.Soiled(content) {
			_ = s.settle(name, content, persistence.Never, nil) // nobody waits
		}
		s.mem.mu.Unlock()
	}
}
