package actors

import (
	"fmt"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// judge answers a judgement from a conversation's state: its actor's, or the one that its shard has just loaded. It is answered in any case: the reaper waits for it.
func (e *Engine) judge(s *shard, state *conversation.State, m *judgement) {
	defer func() {
		if reason := recover(); reason != nil {
			m.fail(e, fmt.Errorf("the conversation failed: %v", reason))
			panic(reason) // its supervisor decides what becomes of it
		}
	}()
	e.trap.judge(m.conversation)
	var result conversation.Verdict
	var outcome conversation.Outcome
	if m.answer == nil {
		result, outcome = state.Judge(m.generation, m.due, m.at)
	} else {
		result, outcome = state.Conclude(m.answer, m.generation, m.due, m.at)
	}
	if result == conversation.Unsure {
		e.lookThrough(m, state.Ask(), s.cell(m.conversation, nil))
		return
	}
	if len(outcome.Writes) > 0 {
		if e.journal.Add(state.Name(), s.number, outcome.Writes, nil) == 0 {
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
func (e *Engine) review(s *shard, state *conversation.State, m *review) {
	defer func() {
		if reason := recover(); reason != nil {
			m.fail(e, fmt.Errorf("the conversation failed: %v", reason))
			panic(reason) // its supervisor decides what becomes of it
		}
	}()
	outcome := state.Reconsider(e.config.policy(persistence.Namespace(m.conversation)), m.at)
	if len(outcome.Writes) == 0 { // which may be the work of a change that is not in the store yet
		e.journal.Wait(state.Name(), e.journal.Seq(), m)
		return
	}
	m.changed = true
	if e.journal.Add(state.Name(), s.number, outcome.Writes, m) != 0 && outcome.Due != 0 {
		e.agenda.due(s.number, outcome.Due)
	}
}
