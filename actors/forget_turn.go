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
	change := &conversation.Forget{User: m.user, Order: m.order}
	if missing := a.state.Missing(change, m.at); len(missing) > 0 {
		claim := a.cell.park(m, func(any) bool { return false })
		a.fetch(missing, claim)
		return
	}
	a.engine.trap.forget(a.state.Name())
	m.answer(a.apply(change, m.at))
	a.cell.succeeded()
	if !a.proposed {
		a.cell.leave() // it makes room for those that are talked in
	}
}

// apply applies what is no proposal, lets readers see it, and sends it on its way to the store.
func (a *conversationActor) apply(change *conversation.Forget, at persistence.Instant) forgot {
	// As for proposals: until the journal has the change, and before it is stamped.
	a.shard.worker.applying.Store(int64(a.engine.clock.now()))
	outcome, err := a.state.Apply(conversation.Input{
		Change: change,
		At:     at,
		Now:    a.engine.clock.now(),
		Policy: a.engine.config.policy(persistence.Namespace(a.state.Name())),
		Next:   a.shard.nextGeneration,
	})
	if err != nil || !outcome.Changed {
		return forgot{} // there is no conversation: the reaper deletes what there was; or there is nothing to forget
	}
	note := journal.Note{Stamp: outcome.Stamp}
	if a.engine.events.recording.Load() {
		note.Kinds, note.Everyone = kindOf(change), outcome.Everyone
		note.Generation, note.Version, note.LastSeq = a.state.Standing()
	}
	seq := a.engine.emit(a.shard, a.state.Name(), &outcome, note, nil)
	if seq == 0 {
		return forgot{err: unavailable(a.state.Name(), conversation.ErrQuarantined)}
	}
	a.dirty = seq
	a.engine.counts.forgotten.Add(1)
	return forgot{rows: len(outcome.Writes), after: seq}
}
