package actors

import (
	"fmt"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// judge answers a judgement from a conversation's state: its actor's, or the one that its shard has just loaded. It is answered in any case: the reaper waits for it.
func (e *Engine) judge(s *shard, r resident, m *judgement) {
	defer func() {
		if reason := recover(); reason != nil {
			m.fail(e, fmt.Errorf("the conversation failed: %v", reason))
			panic(reason) // its supervisor decides what becomes of it
		}
	}()
	e.trap.judge(m.conversation)
	var result conversation.Verdict
	var outcome conversation.Outcome
	r.live.Lock()
	defer r.live.Unlock()
	if m.answer == nil {
		result, outcome = r.state.Judge(m.generation, m.due, m.at)
	} else {
		result, outcome = r.state.Conclude(m.answer, m.generation, m.due, m.at)
	}
	if result == conversation.Unsure {
		e.lookThrough(m, r.state.Ask(), s.cell(m.conversation, nil))
		return
	}
	if outcome.Rows() > 0 {
		if _, err := r.live.Add(outcome.Writes, journal.Note{}, nil); err != nil {
			m.fail(e, conversation.ErrQuarantined)
			return
		}
		if outcome.Due != 0 {
			e.agenda.due(s.number, outcome.Due)
		}
	}
	e.tellReaper(&verdict{judgement: m, verdict: result, ending: outcome.Ended, after: e.journal.Seq()})
}

// review puts the namespace's policy, as the config has it, in force in a conversation. It is answered once that is in the store.
func (e *Engine) review(s *shard, r resident, m *review) {
	defer func() {
		if reason := recover(); reason != nil {
			m.fail(e, fmt.Errorf("the conversation failed: %v", reason))
			panic(reason) // its supervisor decides what becomes of it
		}
	}()
	changed, err := e.reconsider(s, r, m)
	switch {
	case err != nil:
		m.Committed(journal.Written{}, err)
	case !changed: // which may be the work of a change that is not in the store yet
		e.journal.Wait(m.conversation, e.journal.Seq(), m)
	}
}

func (e *Engine) reconsider(s *shard, r resident, m *review) (changed bool, err error) {
	r.live.Lock()
	defer r.live.Unlock()
	outcome := r.state.Reconsider(e.config.policy(persistence.Namespace(m.conversation)), m.at)
	if outcome.Rows() == 0 {
		return false, nil
	}
	m.changed = true
	if _, err := r.live.Add(outcome.Writes, journal.Note{}, m); err != nil {
		return true, err
	}
	if outcome.Due != 0 {
		e.agenda.due(s.number, outcome.Due)
	}
	return true, nil
}
