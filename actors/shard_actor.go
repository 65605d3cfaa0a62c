package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors/conversation"
)

// shardActor attaches actors to its shard's cells and removes what has ended. It is the only one that spawns and stops conversations, and their
// supervisor. None of its turns waits: rows are read by loaders, which report by message.
type shardActor struct {
	*shard

	residents residents
	props     *actor.Props // of all conversations: each is spawned with what is in spawning
	spawning  *cell        // protoactor asks for the mailbox before the spawner returns
	drained   func()       // set while draining
}

var _ actor.SupervisorStrategy = (*shardActor)(nil)

func newShardActor(s *shard) *shardActor {
	a := &shardActor{shard: s, residents: residents{cells: s.cells, lastPost: s.lastPost}}
	a.props = actor.PropsFromProducer(
		func() actor.Actor { return conversations{s} },
		actor.WithMailbox(func() actor.Mailbox { return a.spawning }),
		actor.WithDispatcher(s.worker),
	)
	s.openMemory()
	return a
}

// Receive implements actor.Actor.
func (a *shardActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *activation:
		a.activate(ctx, m.cell)
	case *loaded:
		a.loaded(ctx, m)
	case *actor.Terminated:
		a.terminated(ctx, m.Who)
	case *visitFailed:
		a.countFailure(m.cell, m.reason)
		a.vacated(ctx, m.cell)
	case *sweep:
		a.sweep(ctx)
	case *poisoned:
		a.poisoned(ctx, m)
	case *bounded:
		a.squeeze()
	case *drain:
		a.drain(m)
	case *actor.Started:
		a.adopt(ctx)
	case *actor.Stopping:
		a.end()
	case *actor.Restarting, *actor.Stopped:
		// What must outlive the actor is in the shard.
	default:
		a.engine.unexpected("shard", m)
	}
}

// adopt takes over from an incarnation that failed: its conversations go on, and what it was doing with others is begun again.
func (a *shardActor) adopt(ctx actor.Context) {
	var rest []*cell
	for _, c := range a.cells.every() {
		if c.runs() {
			a.residents.enter(c)
			continue
		}
		c.number = 0
		rest = append(rest, c)
	}
	a.active.Store(int64(a.residents.all()))
	for _, c := range rest {
		c.mu.Lock()
		c.invoker = nil
		if c.phase == active || c.phase == parked {
			c.phase = waiting
		}
		again := c.phase == waiting && (c.claimed || c.queue.len() > 0)
		c.claimed = again
		over := c.phase == sealed
		c.mu.Unlock()
		if over || a.cells.find(c.name) != c {
			a.cells.remove(c)
		}
		if again {
			a.activate(ctx, c)
		}
	}
}

// end has all conversations end with the shard: protoactor does not know them as its children.
func (a *shardActor) end() {
	for _, c := range a.cells.every() {
		if c.runs() {
			a.engine.system.Root.Stop(c.address())
		}
	}
}

// activate has the rows of a waiting cell read, unless they are packed, or an actor of the conversation is still there: then that one's end will come back to it.
func (a *shardActor) activate(ctx actor.Context, c *cell) {
	if c.attached() != nil || a.cells.find(c.name) != c {
		return
	}
	c.before = nil
	c.mu.Lock()
	if c.phase != waiting {
		c.mu.Unlock()
		return
	}
	c.claim++
	c.visit = false
	claim := c.claim
	c.mu.Unlock()
	if state := a.unpack(c.name); state != nil {
		a.begin(ctx, c, state, fromRows)
		return
	}
	a.engine.loaders.push(taskFunc(func() {
		state, err := a.engine.loadFor(c)
		a.tell(&loaded{cell: c, claim: claim, state: state, err: err})
	}))
}

func (a *shardActor) loaded(ctx actor.Context, m *loaded) {
	c := m.cell
	c.mu.Lock()
	valid := c.phase == waiting && c.claim == m.claim
	c.mu.Unlock()
	switch {
	case !valid:
	case m.err != nil:
		a.refuseAll(c, sealed, &conversation.Error{
			Kind: conversation.ErrUnavailable, Conversation: c.name, Reason: "its rows could not be read", Cause: m.err,
		})
		a.gone(ctx, c)
	default:
		a.begin(ctx, c, m.state, m.how)
	}
}

// begin does for a waiting cell what is in its queue, now that the state is there: with an actor, where that is needed or pays.
func (a *shardActor) begin(ctx actor.Context, c *cell, state *conversation.State, how loadedHow) {
	if how == withActor || !c.onlyErrands() && (!a.visits() || how != taught && a.regular(c)) {
		a.attach(ctx, c, state)
		return
	}
	switch did, reason := a.attend(c, a.resident(state)); {
	case did == attended:
		a.gone(ctx, c)
	case did == attendFailed:
		a.countFailure(c, reason)
		a.vacated(ctx, c)
	case did == membersNeeded && how != taught && a.visits():
		a.readMembers(c, state)
	default:
		a.attach(ctx, c, state)
	}
}

func (a *shardActor) attach(ctx actor.Context, c *cell, state *conversation.State) {
	c.begin(a.resident(state))
	c.mu.Lock()
	c.phase, c.leaving = active, false
	c.mu.Unlock()
	a.spawning = c
	c.number = a.engine.names.Add(1)
	// Its parent, which is told of its failures and its end, is the shard's actor. That does not keep it in its list of children, as it would if it spawned it itself: the table is that list, and costs less.
	name := c.actorName()
	if _, err := actor.DefaultSpawner(a.engine.system, name, a.props, ctx); err != nil {
		// Names are counted: there cannot be two.
		panic(err)
	}
	a.engine.system.ProcessRegistry.LocalPIDs.GetBucket(name).Set(name, conversations{a.shard}) // in place of a process of its own
	a.spawning = nil
	a.residents.enter(c)
	a.active.Store(int64(a.residents.all()))
	a.engine.counts.activations.Add(1)
	if a.drained != nil {
		c.leave()
	}
	a.evict()
}

// evict asks conversations to passivate where more are active than may be.
func (a *shardActor) evict() {
	a.residents.recall(recalled)
	bound := int(a.engine.residency.perShard.Load())
	for c := a.residents.next(bound); c != nil; c = a.residents.next(bound) {
		c.leave()
		a.engine.residency.evicted.Add(1)
	}
}

// recalled is how many of those that were asked to leave are looked at when one enters: more than one, so that none is overlooked for long.
const recalled = 2

// terminated takes an actor that has ended off its cell.
func (a *shardActor) terminated(ctx actor.Context, who *actor.PID) {
	c := a.cells.actorOf(who)
	if c == nil {
		return
	}
	c.number = 0
	r := c.actor.resident()
	c.actor.state, c.actor.live = nil, nil
	a.residents.exit(c)
	a.active.Store(int64(a.residents.all()))
	c.mu.Lock()
	c.invoker = nil
	over, condemned := c.phase == sealed, c.condemned
	c.mu.Unlock()
	switch {
	case !over:
		a.vacated(ctx, c)
		return
	case condemned != nil:
		a.dropPacked(c.name)
		a.engine.journal.Readmit(c.name) // it was leaving anyway: the next one begins from what is in the store
	case r.state != nil:
		a.pack(r, false)
	case !a.visits():
		a.dropPacked(c.name)
	}
	a.engine.counts.passivations.Add(1)
	a.gone(ctx, c)
}

// vacated sees to a waiting cell that lost its actor, or in which a turn without one failed.
func (a *shardActor) vacated(ctx actor.Context, c *cell) {
	c.mu.Lock()
	again := c.queue.len() > 0
	c.claimed = again
	condemned := c.condemned
	c.mu.Unlock()
	switch {
	case condemned != nil:
		a.quarantine(ctx, c, condemned)
	case again:
		a.activate(ctx, c)
	case a.drained != nil && c.trySeal():
		a.gone(ctx, c)
	}
}

// gone removes a sealed cell and sees to the one that came after it.
func (a *shardActor) gone(ctx actor.Context, c *cell) {
	if successor := a.cells.remove(c); successor != nil {
		a.activate(ctx, successor)
	}
	a.checkDrained()
}

// HandleFailure implements actor.SupervisorStrategy for conversations: one that failed is stopped, and begins again from its rows if anything waits for it.
func (a *shardActor) HandleFailure(
	_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any,
) {
	if c := a.cells.actorOf(child); c != nil {
		a.countFailure(c, reason)
	}
	supervisor.StopChildren(child)
}

// countFailure notes that a conversation failed, and condemns it where that has been so too often in a row.
func (a *shardActor) countFailure(c *cell, reason any) {
	c.mu.Lock()
	c.failures++
	info := FailedInfo{What: "conversation", Conversation: c.name, Reason: reason, Failures: int(c.failures)}
	if info.Failures >= a.engine.config.MaxFailures {
		info.Quarantined = a.engine.clock.now().Add(a.engine.config.QuarantineFor).Time()
		c.condemned = &conversation.Error{
			Kind: conversation.ErrQuarantined, Conversation: c.name, Reason: fmt.Sprintf("it failed %d times in a row: %v", c.failures, reason),
		}
	}
	c.mu.Unlock()
	a.engine.failed(info)
}

// quarantine makes a cell without an actor refuse everything for a while, first what is queued.
func (a *shardActor) quarantine(ctx actor.Context, c *cell, err *conversation.Error) {
	a.refuseAll(c, quarantined, err)
	a.dropPacked(c.name)
	a.engine.journal.Readmit(c.name)
	if a.drained != nil {
		c.mu.Lock()
		c.phase = sealed
		c.mu.Unlock()
		a.gone(ctx, c)
	}
}

// refuseAll moves a cell without an actor on to a phase in which its queue is empty, and refuses what was in that.
func (a *shardActor) refuseAll(c *cell, to phase, err *conversation.Error) {
	c.mu.Lock()
	messages := c.queue.take()
	c.countBusy()
	for _, m := range messages {
		if in, ok := m.(*intake); ok {
			c.count(in, -1)
		}
	}
	c.failures, c.claimed, c.visit, c.condemned = 0, false, false, nil
	c.claim++ // what is being read for it is of no use any more
	c.phase = to
	if to == quarantined {
		c.barred = &quarantine{until: a.engine.clock.now().Add(a.engine.config.QuarantineFor), why: err}
	}
	c.mu.Unlock()
	for _, m := range messages {
		switch m := m.(type) {
		case *intake:
			a.engine.refuse(m.proposal, m.to, err)
		case errand:
			m.fail(a.engine, err)
		case *forgetting:
			m.answer(forgot{err: err})
		}
	}
}

// poisoned quarantines a conversation whose rows the store does not take: what is in memory is not, and will not be, in the store.
func (a *shardActor) poisoned(ctx actor.Context, m *poisoned) {
	c := a.cell(m.conversation, nil)
	condemned := &conversation.Error{Kind: conversation.ErrQuarantined, Conversation: c.name, Reason: "the store does not take its rows", Cause: m.err}
	a.engine.failed(FailedInfo{
		What: "store", Conversation: c.name, Reason: m.err, Failures: 1, Quarantined: a.engine.clock.now().Add(a.engine.config.QuarantineFor).Time(),
	})
	a.dropPacked(c.name)
	attached := c.attached()
	if attached == nil {
		a.quarantine(ctx, c, condemned)
		return
	}
	attached.mu.Lock()
	attached.condemned = condemned
	attached.mu.Unlock()
	ctx.Stop(attached.address())
}

// sweep asks unused conversations to passivate, and forgets cells without an actor that only remember failures.
func (a *shardActor) sweep(ctx actor.Context) {
	a.sweeping.Store(false)
	unusedSince := a.engine.clock.now().Add(-a.engine.config.IdleAfter)
	a.residents.recall(a.residents.queues[leaving].n)
	for _, c := range a.cells.all() {
		if c.used.Load() > int64(unusedSince) || a.lastPost(c.name) > unusedSince {
			continue
		}
		if c.number != 0 {
			a.residents.leave(c)
			c.leave()
			continue
		}
		c.mu.Lock()
		idle := c.queue.len() == 0 && (c.phase == waiting && !c.claimed || c.phase == quarantined && a.engine.clock.now() >= c.barred.until)
		if idle {
			c.phase = sealed
		}
		c.mu.Unlock()
		if idle {
			a.gone(ctx, c)
		}
	}
}

// drain has every conversation finish what is queued and passivate. Nothing new is offered any more.
func (a *shardActor) drain(m *drain) {
	a.drained = m.done
	for _, c := range a.cells.all() {
		if c.number != 0 {
			c.leave()
			continue
		}
		c.mu.Lock()
		idle := c.phase == quarantined || c.phase == sealed || (c.phase == waiting && c.queue.len() == 0)
		if idle {
			c.phase = sealed
		}
		c.mu.Unlock()
		if idle {
			a.cells.remove(c)
		}
	}
	a.checkDrained()
}

func (a *shardActor) checkDrained() {
	if a.drained != nil && a.cells.len() == 0 {
		a.drained()
		a.drained = nil
	}
}
