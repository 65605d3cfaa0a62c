package actors

import (
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// The messages within the engine. All are pointers, and immutable once they were sent; stamps are set before that, under the cell's lock.

// intake is a proposal that was accepted. Router → worker → conversation.
type intake struct {
	shard    *shard
	proposal *Proposal
	at       persistence.Instant // when it was accepted, and then when it came into the conversation's queue
	orders   persistence.Instant // to forget users: those up to this one had been given when it was accepted
	to       returnTo
	weight   int32  // see conversation.Weight
	slot     uint16 // see arrivals
	mark     uint32 // of its conversation, in the shard's memory; set in the turn in which it arrives
	admitted bool   // the bound of its conversation's queue was looked at
}

func (m *intake) stamp(at persistence.Instant) { m.at = at }

func (m *intake) arrives() {}

// run implements task: it comes in.
func (m *intake) run() {
	e, t, p := m.shard.engine, &m.shard.worker.inPlace, m.proposal
	to, weight := m.to, int(m.weight) // who is answered may use the message for another one
	t.begin()
	r := &t.worker.reply
	switch t.add(m.shard, m.mark, p, to, t.at.Sub(m.at), r) {
	case isAnswered:
		t.lifted += weight
		if to.waits() {
			to.answer(r)
		}
	case isWaiting:
		t.lifted += weight
	case isNotAdded:
		if refusal := t.queue(m.shard, m); refusal != nil {
			t.lifted += weight
			e.refuse(p, to, addressed(refusal, p))
		}
	}
}

// replier takes answers to proposals. It must not block, and r is its own only until it returns.
type replier interface{ reply(place int, r *Reply) }

// returnTo is where the answer to a proposal goes: one of the places of a replier, which is told once.
type returnTo struct {
	to    replier // nil: nobody waits
	place int
}

func (t returnTo) waits() bool { return t.to != nil }

func (t returnTo) answer(r *Reply) { t.to.reply(t.place, r) }

// judgement asks whether a generation whose due entry came due is over. Reaper → conversation, or the shard in its place; answered with a verdict.
type judgement struct {
	conversation string
	generation   persistence.Generation
	due          persistence.Instant
	at           persistence.Instant
	attempt      uint64               // the reaper's incarnation
	answer       *conversation.Answer // to what an earlier one asked; nil: it is the first
}

func (m *judgement) stamp(at persistence.Instant) { m.at = at }

// forgetting carries out an order to forget a user in one conversation. Forgetter → conversation; answered by a call of answer, which must not block.
type forgetting struct {
	user   string
	order  persistence.Instant
	at     persistence.Instant
	answer func(forgot)
}

func (m *forgetting) stamp(at persistence.Instant) { m.at = at }

// forgot answers a forgetting.
type forgot struct {
	rows  int    // that were written or deleted; 0: the user had nothing in the conversation that it could forget
	after uint64 // the journal's batch with those
	err   error  // nothing was done
}

// review has the config's policy apply to a conversation. Sweep → conversation, or the shard in its place; committed is called once.
type review struct {
	conversation string
	at           persistence.Instant
	committed    func(changed bool, err error)
	changed      bool
}

func (m *review) stamp(at persistence.Instant) { m.at = at }

// Committed implements journal.Waiter.
func (m *review) Committed(_ journal.Written, err error) { m.committed(m.changed, err) }

// errand is what the engine has to do with a conversation's state by itself. No actor is needed for it where nothing else waits.
type errand interface {
	// alone reports whether the state may be thrown away afterwards.
	alone(state *conversation.State) bool
	// run does it.
	run(e *Engine, s *shard, r resident)
	// fail says that there is no state to be had.
	fail(e *Engine, err error)
}

// alone implements errand: whoever answers what a judgement asks comes back to the same state.
func (m *judgement) alone(state *conversation.State) bool {
	return m.answer == nil && !state.Asks(m.generation, m.due, m.at)
}

func (m *judgement) run(e *Engine, s *shard, r resident) { e.judge(s, r, m) }

func (m *judgement) fail(e *Engine, err error) { e.tellReaper(&verdict{judgement: m, err: err}) }

// alone implements errand.
func (m *review) alone(*conversation.State) bool { return true }

func (m *review) run(e *Engine, s *shard, r resident) { e.review(s, r, m) }

func (m *review) fail(_ *Engine, err error) { m.committed(false, err) }

// verdict answers a judgement. Conversation or shard → reaper.
type verdict struct {
	*judgement
	verdict conversation.Verdict
	ending  *conversation.Ending // where it is over
	after   uint64               // the journal's batch that must be in the store before anything is deleted
	err     error                // it could not be judged
}

// ended tells of a generation that a proposal ended. Conversation → reaper; not answered.
type ended struct {
	ending *conversation.Ending
	after  uint64
}

// passivation asks a conversation to leave memory. Cell → conversation, when the queue is empty; the answer is the actor's end.
type passivation struct{}

// learned brings memberships. Loader → conversation.
type learned struct {
	users  []string
	values [][]byte
	err    error
}

// activation says that a cell holds messages and has no actor. Cell → shard.
type activation struct{ cell *cell }

// loaded brings a conversation's state. Loader or visit → shard.
type loaded struct {
	cell  *cell
	claim uint64
	state *conversation.State
	how   loadedHow
	err   error
}

// loadedHow is what was done for a state before it is brought.
type loadedHow uint8

const (
	fromRows  loadedHow = iota
	taught              // the memberships that are asked for were read: where one is missing still, only an actor finds out why
	withActor           // all that can be done without an actor
)

// visitFailed says that a turn of a conversation without an actor has panicked. Visit → shard.
type visitFailed struct {
	cell   *cell
	reason any
}

// sweep asks for the passivation of conversations that were not used for a while. At most one is on its way to a shard. Engine → shard.
type sweep struct{}

// poisoned says that the store does not take a conversation's rows. Journal → shard.
type poisoned struct {
	conversation string
	err          error
}

// drain asks for the end of all conversations, and then of all work. Engine → shard, engine → reaper; done is called once.
type drain struct{ done func() }

// flushed says that a batch of the journal is in the store. Journal → reaper.
type flushed struct{ seq uint64 }

// alarm says that something is due. Agenda → reaper.
type alarm struct{}

// settle asks to be told when nothing is due any more. Engine → reaper.
type settle struct{ done func() }
