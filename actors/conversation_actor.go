package actors

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// conversationActor is an active conversation: it feeds its state with what is in its cell and passes on what comes of it. All judgement is in the state. Once it was posted to, that lies packed in
// its shard's memory, where the next posts are added to it, until something else than those comes.
type conversationActor struct {
	*cell // which it is a part of

	state  *conversation.State  // nil: it lies packed
	policy *conversation.Policy // of its namespace
	live   *journal.Live        // of the state, which is used and changed with it locked: readers and the journal have its rows encoded

	dirty      uint64 // the journal's batch with its last change
	succeeded  bool   // the cell was told
	proposed   bool   // something was proposed: it was not activated to forget a user alone
	unreadable error  // why the memberships that the next proposal needs are not known
}

// receive handles a message in the turn of its cell. It does nothing on Stopping and Stopped: a panic there would make the actor immortal.
func (a *conversationActor) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *intake:
		if a.wake(ctx, m) {
			_, posted := m.proposal.Change.(*conversation.Post)
			a.propose(m) // who is answered may use the message for another one
			a.rest(posted)
		}
	case *judgement:
		if a.wake(ctx, m) {
			a.judge(m)
		}
	case *forgetting:
		if a.wake(ctx, m) {
			a.forget(m)
		}
	case *review:
		if a.wake(ctx, m) {
			m.run(a.shard.engine, a.shard, a.resident())
		}
	case *learned:
		a.learn(m)
	case *passivation:
		if asking := a.cell.asking.Load() > 0; asking && !a.shard.engine.draining.Load() {
			break // it is asked again to leave
		}
		if a.cell.trySeal() {
			ctx.Stop(ctx.Self())
		} else if a.shard.engine.draining.Load() {
			a.cell.leave()
		}
	case *actor.Started, *actor.Stopping, *actor.Stopped, *actor.Restarting:
		if failure := a.shard.engine.trap.lifecycle(m); failure != nil {
			a.shard.engine.failed(FailedInfo{What: "conversation", Conversation: a.cell.name, Reason: failure})
		}
	default:
		a.shard.engine.unexpected("conversation", m)
	}
}

func (a *conversationActor) propose(m *intake) {
	worker := a.shard.worker
	var info ProposedInfo
	defer func() {
		worker.applying.Store(0)
		if reason := recover(); reason != nil {
			a.shard.engine.refuseAfter(m.proposal, m.to, &conversation.Error{
				Kind: conversation.ErrUnavailable, Conversation: m.proposal.Conversation, Reason: fmt.Sprintf("the conversation failed: %v", reason),
			}, info)
			panic(reason) // its supervisor decides what becomes of it
		}
	}()
	a.proposed = true
	a.cell.used.Store(int64(m.at))
	a.cell.use()
	if err := a.unreadable; err != nil {
		a.unreadable = nil
		info.Queue = a.shard.engine.clock.now().Sub(m.at)
		a.shard.engine.refuseAfter(m.proposal, m.to, &conversation.Error{
			Kind: conversation.ErrUnavailable, Conversation: m.proposal.Conversation, Reason: "its rows could not be read", Cause: err,
		}, info)
		return
	}
	done, err := a.change(m, &info)
	switch {
	case errors.Is(err, errParked):
	case err != nil:
		a.shard.engine.refuseAfter(m.proposal, m.to, err, info)
	case done.waiter == nil:
		a.shard.engine.proposed(m.proposal, &info)
		if m.to.waits() {
			m.to.answer(done.reply)
		}
	case done.refused != nil:
		done.waiter.Committed(journal.Written{}, done.refused)
	case !done.added:
		// A repetition is committed when what it repeats is.
		a.shard.engine.journal.Wait(a.state.Name(), a.dirtySince(), done.waiter)
	}
}

// changed is a proposal that was applied.
type changed struct {
	reply   *Reply       // nil: nobody waits
	waiter  *commitReply // sends the reply once it is in the store; nil: nobody waits for that
	added   bool         // to the journal: the waiter is told
	refused error        // by the journal
}

// errParked says that memberships are being read for a proposal, which is back in the queue.
var errParked = errors.New("parked")

// change applies a proposal and lets readers see what comes of it.
func (a *conversationActor) change(m *intake, info *ProposedInfo) (changed, error) {
	worker := a.shard.worker
	a.live.Lock()
	defer a.live.Unlock()
	if missing := a.state.Missing(m.proposal.Change, m.at); len(missing) > 0 {
		claim := a.cell.park(m, func(behind any) (more bool) {
			if later, ok := behind.(*intake); ok {
				missing, more = a.state.Ahead(missing, later.proposal.Change)
			}
			return more
		})
		a.fetch(missing, claim)
		return changed{}, errParked
	}
	a.shard.engine.trap.apply(m.proposal)
	order := a.shard.engine.orders.before(m.orders)
	if order != nil {
		for _, forget := range a.state.Forgotten(m.proposal.Change, m.at, order) {
			a.apply(forget, m.at)
		}
	}
	// Until the journal has the change. The stamp is taken after that: whoever did not see this one yet has looked at the clock before. That it is not later than the
	// stamp is all that matters, so the clock need not be asked for it: it has gone on since the proposal was taken in, and since the turn before ended.
	worker.applying.Store(int64(max(m.at, worker.applied)))
	began := a.shard.engine.clock.now()
	info.Queue = began.Sub(m.at)
	recording := a.shard.engine.events.recording.Load()
	outcome, err := a.state.Apply(conversation.Input{
		Change:       m.proposal.Change,
		IfGeneration: m.proposal.IfGeneration,
		Revision:     m.proposal.Revision,
		At:           m.at,
		Now:          began,
		Policy:       *a.policy,
		Next:         a.shard.next,
		Order:        order,
		Users:        recording,
	})
	if !a.succeeded {
		a.succeeded = true
		a.cell.succeeded()
	}
	worker.applied = a.shard.engine.clock.now()
	info.Apply = worker.applied.Sub(began)
	worker.stages.queue.Record(info.Queue)
	worker.stages.apply.Record(info.Apply)
	if err != nil {
		return changed{}, err
	}
	return a.publish(m, &outcome, info, recording), nil
}

// publish lets readers see what was applied.
func (a *conversationActor) publish(m *intake, outcome *conversation.Outcome, info *ProposedInfo, recording bool) (done changed) {
	if !outcome.Changed {
		info.Result = ResultNothing
	}
	switch {
	case !m.to.waits():
	case m.proposal.Ack != AckApplied:
		done.waiter = &commitReply{engine: a.shard.engine, proposal: m.proposal, to: m.to, info: *info, applied: a.shard.worker.applied}
		a.answer(&done.waiter.reply, m.proposal, outcome)
	default:
		done.reply = &a.shard.worker.reply
		a.answer(done.reply, m.proposal, outcome)
	}
	a.shard.worker.tally.count(m.proposal.Ack, info.Result)
	if outcome.Changed {
		note := journal.Note{Stamp: outcome.Stamp}
		if recording {
			note.Kinds, note.Origin = kindOf(m.proposal.Change), m.proposal.Origin
			note.Everyone, note.Users = outcome.Everyone, outcome.Users
			note.Generation, note.Version, note.LastSeq = a.state.Standing()
		}
		a.dirty, done.refused = a.shard.engine.emit(a.shard, a.live, outcome, note, done.waiter)
		done.added = done.refused == nil
	}
	return done
}

// answer puts down what is answered to a proposal that was applied.
func (a *conversationActor) answer(r *Reply, p *Proposal, outcome *conversation.Outcome) {
	*r = Reply{Conversation: p.Conversation, Tag: p.Tag, Changed: outcome.Changed, Ack: AckApplied}
	r.Generation, r.Version, r.LastSeq = a.state.Standing()
	if user, ok := conversation.Subject(p.Change); ok {
		r.Membership = a.state.MembershipView(user)
	}
}

// dirtySince returns the journal's batch with the last change of the conversation that may not be in the store.
func (a *conversationActor) dirtySince() uint64 {
	if a.dirty == 0 {
		a.dirty = a.shard.engine.journal.Seq() // of before it was activated
	}
	return a.dirty
}

func (a *conversationActor) judge(m *judgement) {
	if err := a.unreadable; err != nil {
		a.unreadable = nil
		m.fail(a.shard.engine, err)
		return
	}
	if m.answer != nil && !a.knows(m.answer.User) {
		a.fetch([]string{m.answer.User}, a.cell.park(m, func(any) bool { return false }))
		return
	}
	m.run(a.shard.engine, a.shard, a.resident())
}

func (a *conversationActor) knows(user string) bool {
	a.live.Lock()
	defer a.live.Unlock()
	return a.state.Knows(user)
}

// wake sees to it that there is a state for a message. Where what was packed is forgotten, or over, it reports false, and has the conversation begin again from its rows.
func (a *conversationActor) wake(ctx actor.Context, message any) bool {
	if a.state != nil {
		return true
	}
	state := a.shard.unpack(a.cell.name)
	if state == nil {
		a.cell.mu.Lock()
		a.cell.putBack(message)
		a.cell.mu.Unlock()
		ctx.Stop(ctx.Self())
		return false
	}
	r := a.shard.resident(state)
	a.state, a.live = r.state, r.live
	a.dirty = 0 // what was posted meanwhile is in the journal now
	return true
}

// rest has the state lie packed where the last message was a post, and the next one, which is not there yet, may be one that can be added to it.
func (a *conversationActor) rest(posted bool) {
	if posted && a.unreadable == nil && !a.shard.engine.events.recording.Load() && !a.cell.waiting() && a.shard.rest(a.resident(), a.policy) {
		a.state, a.live = nil, nil
	}
}

func (a *conversationActor) resident() resident { return resident{state: a.state, live: a.live} }

// fetch has memberships read. The cell is parked meanwhile.
func (a *conversationActor) fetch(users []string, claim uint64) {
	name := a.state.Name()
	a.shard.engine.loaders.push(taskFunc(func() {
		values, err := a.shard.engine.loadMembers(name, users)
		a.cell.unpark(claim, &learned{users: users, values: values, err: err})
	}))
}

func (a *conversationActor) learn(m *learned) {
	a.unreadable = m.err
	a.live.Lock()
	defer a.live.Unlock()
	for i, value := range m.values {
		if err := a.state.Learn(m.users[i], value); err != nil {
			a.unreadable = err
		}
	}
}

// resident is a conversation's state that is in memory, be it for a moment.
type resident struct {
	state *conversation.State
	live  *journal.Live
}

// commitReply answers a proposal once its batch is in the store.
type commitReply struct {
	engine   *Engine
	proposal *Proposal
	reply    Reply
	to       returnTo
	info     ProposedInfo
	applied  persistence.Instant
}

// Committed implements journal.Waiter.
func (c *commitReply) Committed(when journal.Written, err error) {
	c.reply.Err = err
	if err == nil {
		c.reply.Ack = AckCommitted
	} else {
		c.engine.counts.uncommitted.Add(1)
	}
	c.engine.waited(&c.info, c.applied, when)
	c.info.Err = err
	c.engine.proposed(c.proposal, &c.info)
	c.to.answer(&c.reply)
}
