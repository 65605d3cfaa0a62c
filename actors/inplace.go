package actors

import (
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// inPlace is a part of a worker's turn in which proposals come in, one after the other. Posts are added to conversations where they lie packed, as far as that is possible; whatever else there is goes into the queues of cells.
// It is used with the worker's turn held.
type inPlace struct {
	worker *worker
	begun  bool
	able   bool                // posts may be added at all
	at     persistence.Instant // when the posts are applied
	input  conversation.Input
	policy *conversation.Policy // that the input has
	added  int                  // posts
	prompt int                  // of those, that did not wait
	owed   int                  // rows that the journal is to be told of
	lifted int                  // the weight of what has come in, and waits no more
	ready  []*cell              // that are to run
}

// begin begins it, unless that was done.
func (t *inPlace) begin() {
	if t.begun {
		return
	}
	w := t.worker
	e := w.engine
	t.begun = true
	t.able = !e.orders.any() && !e.events.recording.Load() && e.trap.onApply == nil && !e.draining.Load()
	if t.able {
		// Until they are found among what is soiled. The stamp is taken after that: whoever did not see a post yet has looked at the clock before.
		w.applying.Store(int64(e.clock.now()))
		t.at = e.clock.now()
		t.input.At, t.input.Now = t.at, t.at
	}
}

// end ends it: the cells that came to have something to do have their turns.
func (t *inPlace) end() {
	t.pause()
	if t.lifted > 0 {
		t.worker.engine.queued.Add(-int64(t.lifted))
		t.lifted = 0
	}
	for i, c := range t.ready {
		c.run()
		t.ready[i] = nil
	}
	t.ready = t.ready[:0]
}

// lap ends the part, and returns how long it took: that of one post, where each is told of.
func (t *inPlace) lap() time.Duration {
	t.pause()
	return t.worker.applied.Sub(t.at)
}

// pause says that no posts are added for a while.
func (t *inPlace) pause() {
	if !t.begun {
		return
	}
	w := t.worker
	if t.added > 0 {
		w.applied = w.engine.clock.now()
		w.stages.apply.RecordMany(w.applied.Sub(t.at)/time.Duration(t.added), t.added)
		w.stages.queue.RecordMany(0, t.prompt)
	}
	if t.owed > 0 {
		w.engine.journal.Owe(t.owed)
	}
	w.applying.Store(0)
	t.begun, t.owed, t.added, t.prompt = false, 0, 0, 0
}

// addition is what became of a proposal that was to be added in place.
type addition uint8

const (
	isNotAdded addition = iota // it has to go into its cell's queue
	isAnswered                 // the reply is there
	isWaiting                  // it is answered once it is committed
)

// add adds a post to what is packed of its conversation, if the proposal is one, and that is possible, and fills in the reply. It was waiting for so long. mark is the name's fingerprint in the shard's memory.
func (t *inPlace) add(s *shard, mark uint32, p *Proposal, to returnTo, waited time.Duration, r *Reply) addition {
	post, ok := p.Change.(*conversation.Post)
	if !ok || !t.able || s.busyWith(p.Conversation) {
		return isNotAdded
	}
	m := &s.mem
	m.mu.Lock()
	content := m.packed.found(p.Conversation, mark)
	if content == nil {
		m.mu.Unlock()
		return isNotAdded
	}
	t.input.IfGeneration = p.IfGeneration
	if policy := s.engine.policies.of(persistence.Namespace(p.Conversation)); policy != t.policy {
		t.policy, t.input.Policy = policy, *policy
	}
	added, ok := conversation.AddPost(content, p.Conversation, &t.input, post)
	if !ok {
		if previews, worn := conversation.Worn(content); worn {
			if content = s.renew(p.Conversation, content, t.at, previews); content != nil {
				added, ok = conversation.AddPost(content, p.Conversation, &t.input, post)
			}
		}
	}
	if !ok {
		m.mu.Unlock()
		return isNotAdded
	}
	w := t.worker
	t.added++
	waits := p.Ack != AckApplied && to.waits()
	if added.First {
		m.soiled.Add(1)
		if !waits {
			w.soiled.push(soil{mark: mark, since: added.Stamp, shard: s})
			t.owed += rowsOfPost
		}
	}
	if waited == 0 {
		t.prompt++
	} else {
		w.stages.queue.Record(waited)
	}
	info := ProposedInfo{Queue: waited}
	if s.engine.config.Observer.Proposed != nil {
		info.Apply = t.lap()
	}
	w.tally.count(p.Ack, info.Result)
	*r = Reply{
		Conversation: p.Conversation, Generation: added.Generation, Version: added.Version, LastSeq: added.LastSeq, Ack: AckApplied, Changed: true, Tag: p.Tag,
	}
	if waits { // its rows are taken here, where they are at hand, while the journal writes for others
		waiter := &commitReply{engine: s.engine, proposal: p, to: to, info: info, applied: t.at, reply: *r}
		refused := s.settle(p.Conversation, content, added.Stamp, waiter)
		if previews, long := conversation.Long(content); long {
			s.renew(p.Conversation, content, t.at, previews)
		}
		m.mu.Unlock()
		if refused != nil {
			waiter.Committed(journal.Written{}, refused)
		}
		return isWaiting
	}
	m.mu.Unlock()
	s.engine.proposed(p, &info)
	return isAnswered
}

// queue puts a proposal that is not as simple into its cell's queue, or refuses it.
func (t *inPlace) queue(s *shard, m *intake) *conversation.Error {
	t.pause()
	result, ready := s.take(m.proposal.Conversation, m)
	if ready != nil {
		t.ready = append(t.ready, ready)
	}
	return outcomeOf(result, m.proposal.Conversation)
}

// busyWith reports whether something waits in the queue of a conversation's cell.
func (s *shard) busyWith(name string) bool {
	if s.busy.Load() == 0 {
		return false
	}
	c := s.cells.find(name)
	return c != nil && c.busy()
}

// waitingFor returns how many proposals are in the queue of a conversation's cell.
func (s *shard) waitingFor(name string) int {
	if s.busy.Load() == 0 {
		return 0
	}
	if c := s.cells.find(name); c != nil {
		return c.waitingProposals()
	}
	return 0
}
