package actors

import "github.com/parley-im/parley/actors/conversation"

// pack keeps the state of a conversation whose actor has ended in order: its next activation reads nothing. What is packed is as good as the rows, in the journal or the store, because
// nobody else writes those while the generation is alive: whatever changes it, or judges it over, activates it, which takes it out. Where the journal drops rows of it, the shard is told, and
// drops it, before the journal takes any again.
func (a *shardActor) pack(r resident) {
	if a.packed == nil || a.drained != nil || r.state == nil {
		return
	}
	r.live.Lock()
	defer r.live.Unlock()
	r.live.Settle() // from now on the rows are what is packed, and not the state
	if content, ok := r.state.Pack(a.packing[:0], a.engine.clock.now()); ok {
		a.packed.put(r.state.Name(), content)
		a.packing = content
		a.packedNow()
	}
}

// unpack takes the state of a conversation out; nil where it is not packed, or over.
func (a *shardActor) unpack(name string) *conversation.State {
	if a.packed == nil {
		return nil
	}
	content, ok := a.packed.take(name)
	if !ok {
		return nil
	}
	a.packedNow()
	state, err := conversation.Unpack(name, content, a.engine.clock.now())
	if err != nil {
		a.engine.failed(FailedInfo{What: "shard", Conversation: name, Reason: err})
	}
	if state != nil {
		a.engine.residency.unpacked.Add(1)
	}
	return state
}

// dropPacked lets go of what is packed of a conversation: what that builds on is not, and will not be, in the store.
func (a *shardActor) dropPacked(name string) {
	if a.packed != nil {
		a.packed.take(name)
		a.packedNow()
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
func (a *shardActor) packedNow() {
	if a.packed != nil {
		a.packedCount.Store(int64(len(a.packed.index)))
		a.packedBytes.Store(int64(a.packed.size()))
	}
}
