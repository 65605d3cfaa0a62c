package actors

import "github.com/parley-im/parley/actors/conversation"

// attendance is what became of a conversation's turns without an actor.
type attendance uint8

const (
	attended      attendance = iota // the queue is empty, the cell sealed
	actorNeeded                     // for what is left in the queue
	membersNeeded                   // likewise, and nothing more than that they are read
	attendFailed                    // a turn panicked; its proposal was refused
)

// attendAtMost is how many messages are worked off without an actor: a conversation with more of them is talked in.
const attendAtMost = 32

// visit does what is in the queue of a conversation that is packed, and packs it again. For all that is not so simple it is the shard's actor who sees to the cell. It is a turn of the shard's
// worker, in which the shard's actor has none.
func (s *shard) visit(c *cell) {
	defer func() {
		if reason := recover(); reason != nil { // of no message's turn: it may have been while what visits share was changed
			s.desk = conversation.Desk{}
			s.openMemory()
			s.tell(&visitFailed{cell: c, reason: reason})
		}
	}()
	s.regulars.add(c.name, int(s.engine.residency.perShard.Load()))
	if s.engine.draining.Load() {
		s.tell(&activation{cell: c})
		return
	}
	s.visitPacked(c)
}

func (s *shard) visitPacked(c *cell) {
	state := s.unpackWith(c.name, s.desk.Unpack)
	if state == nil {
		s.tell(&activation{cell: c})
		return
	}
	if s.regular(c) {
		s.desk.Keep()
		s.handOver(c, state)
		return
	}
	switch did, reason := s.attend(c, s.resident(state)); did {
	case attended:
		s.cells.remove(c) // one in its place is seen to by itself
	case attendFailed:
		s.tell(&visitFailed{cell: c, reason: reason})
	case actorNeeded:
		s.desk.Keep()
		s.handOver(c, state)
	case membersNeeded:
		s.desk.Keep()
		s.readMembers(c, state)
	}
}

// handOver has an actor attached to a cell.
func (s *shard) handOver(c *cell, state *conversation.State) {
	s.tell(&loaded{cell: c, claim: c.claimNow(), state: state, how: withActor})
}

// readMembers has the memberships read that a cell's queue asks for.
func (s *shard) readMembers(c *cell, state *conversation.State) {
	claim := c.claimNow()
	s.engine.loaders.push(taskFunc(func() {
		s.engine.teach(state, c.asksFor(state))
		s.tell(&loaded{cell: c, claim: claim, state: state, how: taught})
	}))
}

// regular reports whether a conversation was of use so often lately that an actor pays.
func (s *shard) regular(c *cell) bool { return s.regulars.count(c.name) >= regularVisits }

// attend works off a cell's queue in place of an actor, on the worker's turn, and packs the state if nothing is left.
func (s *shard) attend(c *cell, r resident) (did attendance, reason any) {
	c.begin(r)
	if did, reason = s.workOff(c); did == attended {
		s.engine.counts.visits.Add(1)
		s.pack(r, c.actor.proposed)
	} else {
		r.settle()
	}
	c.actor = conversationActor{}
	return did, reason
}

// workOff does what is in a cell's queue, as far as that is possible without an actor.
func (s *shard) workOff(c *cell) (did attendance, reason any) {
	for range attendAtMost {
		message, failures := c.call()
		if message == nil {
			return attended, nil
		}
		c.actor.succeeded = failures == 0
		served, reason := s.serve(&c.actor, message)
		switch {
		case reason != nil:
			return attendFailed, reason
		case served != attended:
			c.mu.Lock()
			c.putBack(message)
			c.mu.Unlock()
			return served, nil
		}
	}
	return actorNeeded, nil
}

// serve handles one message as the conversation's actor would, if that is possible without one, and returns what a turn panicked with.
func (s *shard) serve(v *conversationActor, message any) (did attendance, reason any) {
	defer func() { reason = recover() }()
	switch m := message.(type) {
	case *intake:
		if v.misses(m) {
			return membersNeeded, nil
		}
		v.propose(m)
	case errand:
		if !v.mayRun(m) {
			return actorNeeded, nil
		}
		m.run(s.engine, s, v.resident())
	default:
		return actorNeeded, nil
	}
	return attended, nil
}

// misses reports whether memberships must be read for a proposal.
func (a *conversationActor) misses(m *intake) bool {
	a.live.Lock()
	defer a.live.Unlock()
	return len(a.state.Missing(m.proposal.Change, m.at)) > 0
}

func (a *conversationActor) mayRun(m errand) bool {
	a.live.Lock()
	defer a.live.Unlock()
	return m.alone(a.state)
}

// settle has the rows encoded that are dirty: whoever goes on with the state owes them no more.
func (r resident) settle() {
	r.live.Lock()
	defer r.live.Unlock()
	r.live.Settle()
}
