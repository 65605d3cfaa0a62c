package actors

import (
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// phase is what a cell can take and whether somebody works on its queue.
type phase uint8

const (
	// waiting: it takes messages, but has no actor: its rows are being read, or an actor before it has yet to end.
	waiting phase = iota
	// active: its actor works on the queue.
	active
	// parked: its actor waits for memberships, with the message that needs them at the head of the queue.
	parked
	// quarantined: it refuses everything until a certain time. It has no actor.
	quarantined
	// sealed: it takes nothing, its queue is empty, and never will anything be in it again. Another cell may stand in its place.
	sealed
)

// offered is what became of a message that was offered to a cell.
type offered uint8

const (
	accepted  offered = iota // it is in the queue and will be handled
	wasSealed                // look the conversation up again
	wasFull                  // the queue is at its bound
	wasQuarantined
)

// cell is a conversation's place in its shard's table: the one queue of its messages, and its phase. To protoactor it is the mailbox of the conversation's
// actor; the queue outlives that actor, so that no message is lost or reordered when the actor stops, for whatever reason. (protoactor's own
// mailboxes drop what is queued when their actor stops.)
type cell struct {
	name   string
	shard  *shard
	used   atomic.Int64      // when a proposal was last handled, as a persistence.Instant
	asking atomic.Int32      // questions of its actor's state that are being answered: the answer is of no use to another one
	uses   atomic.Uint32     // since residents last looked, mostUses at most
	slot   slot              // in its shard's table
	number uint64            // in the name of its actor; 0: it has none. It is used in the worker's turn only
	actor  conversationActor // what handles its messages: protoactor's, or in a visit
	before *cell             // in whose place it stands, and whose actor may not have ended yet; only the shard's actor uses it

	mu        sync.Mutex
	phase     phase
	counted   bool   // among its shard's busy ones
	claimed   bool   // the shard was told that it has messages, and sees to it
	visit     bool   // its worker is to see to that, and not the shard's actor, unless that is needed
	leaving   bool   // its actor is asked to passivate once the queue is empty
	scheduled bool   // it is in the worker's queue, or running
	suspended bool   // its actor failed; the shard is about to stop it
	proposals int32  // among the queue: what the bound counts
	failures  int32  // in a row
	claim     uint64 // numbers what the shard does for it: what comes back from an older attempt is ignored
	queue     fifo[any]
	system    fifo[any]
	invoker   actor.MessageInvoker
	condemned *conversation.Error // why it will be quarantined once its actor has ended
	barred    *quarantine         // in the phase quarantined
}

// quarantine is until when a cell refuses everything, and why.
type quarantine struct {
	until persistence.Instant
	why   *conversation.Error
}

// begin has the turns that follow go on with a state.
func (c *cell) begin(r resident) {
	c.actor = conversationActor{cell: c, policy: c.shard.engine.policies.of(persistence.Namespace(c.name)), state: r.state, live: r.live}
}

// take puts a message into the queue, and reports whether whoever calls must give the cell to its worker. The message is stamped under the cell's lock, so that stamps grow along the
// queue.
func (c *cell) take(m queued, limit int) (result offered, due bool) {
	c.mu.Lock()
	if result = c.takes(m, limit); result != accepted {
		c.mu.Unlock()
		return result, false
	}
	m.stamp(c.shard.engine.clock.now())
	c.queue.push(m)
	c.countBusy()
	tell := c.phase == waiting && !c.claimed
	if tell {
		c.claimed = true
		c.visit = c.shard.visits()
		tell = !c.visit
	}
	due = c.due()
	c.mu.Unlock()
	if tell {
		c.shard.tell(&activation{cell: c})
	}
	return accepted, due
}

// takes reports whether a message may be put into the queue, in which it then counts. c.mu is held.
func (c *cell) takes(m queued, limit int) offered {
	switch c.phase {
	case sealed:
		return wasSealed
	case quarantined:
		if c.shard.engine.clock.now() < c.barred.until {
			return wasQuarantined
		}
		c.phase = sealed
		return wasSealed
	case waiting, active, parked:
	}
	if in, ok := m.(*intake); ok {
		if !in.admitted && int(c.proposals) >= limit {
			return wasFull
		}
		c.proposals++ // it was weighed when it was accepted
	}
	return accepted
}

// queued is a message that is offered from outside: a proposal, a judgement or a forgetting.
type queued interface{ stamp(at persistence.Instant) }

// leave has the actor asked to passivate as soon as the queue is empty.
func (c *cell) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == active || c.phase == parked {
		c.leaving = true
		c.schedule()
	}
}

// schedule puts the cell into its worker's queue if it has something to do. c.mu is held.
func (c *cell) schedule() {
	if c.due() {
		c.shard.worker.push(c)
	}
}

// due reports whether the cell has something to do and is not in its worker's queue, where it counts as being from then on. c.mu is held.
func (c *cell) due() bool {
	if c.scheduled || (c.invoker == nil && !c.visit) {
		return false
	}
	c.scheduled = c.visit || c.system.len() > 0 || (c.phase == active && !c.suspended && (c.leaving || c.queue.len() > 0))
	return c.scheduled
}

// run is one turn: it handles some messages and goes to the end of the worker's queue if there are more.
func (c *cell) run() {
	for range turnsBetweenYields {
		c.mu.Lock()
		var message any
		system := c.system.len() > 0
		switch {
		case c.visit:
			c.visit = false
			c.mu.Unlock()
			c.shard.visit(c)
			continue
		case c.invoker == nil: // its actor has ended meanwhile; what is left was for that
			c.scheduled = false
			c.mu.Unlock()
			return
		case system:
			message = c.system.pop()
			if c.system.len() == 0 {
				c.system = fifo[any]{}
			}
			c.control(message)
		case c.phase != active || c.suspended:
			c.scheduled = false
			c.mu.Unlock()
			return
		case c.queue.len() > 0:
			message = c.pop()
		case c.leaving:
			c.leaving = false
			message = &passivation{}
		default:
			c.scheduled = false
			c.mu.Unlock()
			return
		}
		invoker := c.invoker
		c.mu.Unlock()
		c.shard.turn = c
		invoke(invoker, system, message)
	}
	c.mu.Lock()
	c.scheduled = false
	c.schedule()
	c.mu.Unlock()
}

// control does what a system message means for the mailbox, before the actor sees it. c.mu is held.
func (c *cell) control(message any) {
	switch message.(type) {
	case *actor.SuspendMailbox:
		c.suspended = true
	case *actor.ResumeMailbox:
		c.suspended = false
	case *actor.Stop:
		// From here on the actor would drop what it is given.
		if c.phase == active || c.phase == parked {
			c.phase = waiting
		}
	}
}

// invoke hands a message to the actor. When that panics, its supervisor hears of it, as from protoactor's own mailboxes.
func invoke(invoker actor.MessageInvoker, system bool, message any) {
	defer func() {
		if reason := recover(); reason != nil {
			invoker.EscalateFailure(reason, message)
		}
	}()
	switch message.(type) {
	case *actor.SuspendMailbox, *actor.ResumeMailbox:
	default:
		if system {
			invoker.InvokeSystemMessage(message)
		} else {
			invoker.InvokeUserMessage(message)
		}
	}
}

// parkedAhead is how many messages behind one that waits for memberships are looked at for those that they will need.
const parkedAhead = 128

// count counts a proposal into the queue, or out of it. c.mu is held.
func (c *cell) count(in *intake, n int) {
	c.proposals += int32(n)
	c.shard.engine.queued.Add(int64(n) * int64(in.weight))
}

// countBusy counts the cell among its shard's busy ones, or not any more. c.mu is held. What was taken out of the queue is dealt with before the worker's turn ends, or is put back.
func (c *cell) countBusy() {
	busy := c.queue.len() > 0
	if busy == c.counted {
		return
	}
	c.counted = busy
	if busy {
		c.shard.busy.Add(1)
	} else {
		c.shard.busy.Add(-1)
	}
}

// pop takes the first message. c.mu is held.
func (c *cell) pop() any {
	message := c.queue.pop()
	if c.queue.len() == 0 {
		c.queue = fifo[any]{} // most cells are idle most of the time
	}
	c.countBusy()
	if in, ok := message.(*intake); ok {
		c.count(in, -1)
	}
	return message
}

// claimNow returns what numbers the shard's present attempt for a cell.
func (c *cell) claimNow() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.claim
}

// call takes the first message of a cell that has no actor, in which it has failed so many times in a row; where there is none, the cell is sealed.
func (c *cell) call() (message any, failures int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue.len() == 0 {
		c.phase = sealed
		return nil, c.failures
	}
	return c.pop(), c.failures
}

// putBack puts a message back to the head of the queue. c.mu is held.
func (c *cell) putBack(message any) {
	c.queue.unshift(message)
	c.countBusy()
	if in, ok := message.(*intake); ok {
		c.count(in, 1)
	}
}

// asksFor returns whose memberships the proposals that wait will ask for.
func (c *cell) asksFor(state *conversation.State) (users []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, m := range c.queue.peek(parkedAhead) {
		in, ok := m.(*intake)
		if !ok {
			break
		}
		if i == 0 {
			if users = state.Missing(in.proposal.Change, in.at); len(users) == 0 {
				break
			}
			continue
		}
		var more bool
		if users, more = state.Ahead(users, in.proposal.Change); !more {
			break
		}
	}
	return users
}

// onlyErrands reports whether all that waits is what the engine has to do by itself.
func (c *cell) onlyErrands() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.queue.peek(c.queue.len()) {
		if _, ok := m.(errand); !ok {
			return false
		}
	}
	return true
}

// park puts a message back to the head of the queue and stops there, until unpark is called with the claim that park returns. It is called
// by the actor, on its own turn. next is shown the messages behind it, until it returns false; it is called under the cell's lock.
func (c *cell) park(message any, next func(any) bool) (claim uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, behind := range c.queue.peek(parkedAhead) {
		if !next(behind) {
			break
		}
	}
	c.putBack(message)
	if c.phase == active {
		c.phase = parked
	}
	return c.claim
}

// unpark puts what the actor waited for before all other messages and lets it go on, unless the actor is gone.
func (c *cell) unpark(claim uint64, message any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != parked || c.claim != claim {
		return
	}
	c.queue.unshift(message)
	c.countBusy()
	c.phase = active
	c.schedule()
}

// trySeal ends the cell if its queue is empty. It is called by the actor, on its own turn, before it stops itself; or by the shard, where there is no
// actor.
func (c *cell) trySeal() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue.len() > 0 {
		return false
	}
	c.phase = sealed
	return true
}

// hasActor reports whether an actor was attached that has not ended.
func (c *cell) hasActor() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.invoker != nil
}

// waitingProposals returns how many proposals are in the queue.
func (c *cell) waitingProposals() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int(c.proposals)
}

// busy reports whether there may be messages that have not been dealt with.
func (c *cell) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scheduled || c.queue.len() > 0
}

// waiting reports whether messages wait.
func (c *cell) waiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.len() > 0
}

// succeeded ends a run of failures.
func (c *cell) succeeded() {
	c.mu.Lock()
	c.failures = 0
	c.mu.Unlock()
}
