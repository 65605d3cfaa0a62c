package actors

import (
	"fmt"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// forget carries out an order to forget a user. It is answered in any case: the forgetter waits for it.
func (a *conversationActor) forget(m *forgetting) {
	worker := a.shard.worker
	defer func() {
		worker.applying.Store(0)
		if reason := recover(); reason != nil {
			m.answer(forgot{err: fmt.Errorf("the conversation failed: %v", reason)})
			panic(reason) // its supervisor decides what becomes of it
		}
	}()
	if err := a.unreadable; err != nil {
		a.unreadable = nil
		m.answer(forgot{err: err})
		return
	}
	done, parked := a.carryOut(m)
	if parked {
		return
	}
	m.answer(done)
	a.cell.succeeded()
	if !a.proposed {
		a.cell.leave() // it makes room for those that are talked in
	}
}

// carryOut forgets, unless memberships must be read before.
func (a *conversationActor) carryOut(m *forgetting) (done forgot, parked bool) {
	a.live.Lock()
	defer a.live.Unlock()
	change := &conversation.Forget{User: m.user, Order: m.order}
	if missing := a.state.Missing(change, m.at); len(missing) > 0 {
		a.fetch(missing, a.cell.park(m, func(any) bool { return false }))
		return forgot{}, true
	}
	a.shard.engine.trap.forget(a.state.Name())
	return a.apply(change, m.at), false
}

// apply applies what is no proposal, lets readers see it, and sends it on its way to the store. a.live is locked.
func (a *conversationActor) apply(change *conversation.Forget, at persistence.Instant) forgot {
	// As for proposals: until the journal has the change, and before it is stamped.
	a.shard.worker.applying.Store(int64(a.shard.engine.clock.now()))
	outcome, err := a.state.Apply(conversation.Input{
		Change: change,
		At:     at,
		Now:    a.shard.engine.clock.now(),
		Policy: *a.policy,
		Next:   a.shard.next,
	})
	if err != nil || !outcome.Changed {
		return forgot{} // there is no conversation: the reaper deletes what there was; or there is nothing to forget
	}
	note := journal.Note{Stamp: outcome.Stamp}
	if a.shard.engine.events.recording.Load() {
		note.Kinds, note.Everyone, note.Users = kindOf(change), outcome.Everyone, []string{change.User}
		note.Generation, note.Version, note.LastSeq = a.state.Standing()
	}
	seq, err := a.shard.engine.emit(a.shard, a.live, &outcome, note, nil)
	if err != nil {
		return forgot{err: unavailable(a.state.Name(), conversation.ErrQuarantined)}
	}
	a.dirty = seq
	a.shard.engine.counts.forgotten.Add(1)
	return forgot{rows: outcome.Rows(), after: seq}
}
