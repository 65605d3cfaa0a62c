package actors_test

import (
	"errors"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// expectation is what the model says that a proposal is answered with.
type expectation struct {
	refusal
	*life

	version, last uint64
	alive         bool
	changed       bool // for certain
	user          string
	member        sight
}

// propose has some changes happen to the model and to the engine, all at the same time, and compares.
func (c *campaign) propose(n int, lost bool) {
	c.t.Helper()
	began := time.Now()
	now := began.UnixMicro()
	proposals := make([]*actors.Proposal, n)
	want := make([]expectation, n)
	var touched []string
	for i := range proposals {
		name := c.focus[c.random.IntN(len(c.focus))]
		if !slices.Contains(touched, name) {
			touched = append(touched, name)
		}
		p := c.sources[name].draw(c.accounts[name], now)
		if lost {
			p = c.sources[name].again(p)
			p.Ack = actors.AckApplied
		}
		proposals[i], want[i] = p, c.expect(p, now)
	}
	replies := make([]actors.Reply, 1)
	var err error
	if n == 1 {
		replies[0], _ = c.Propose(c.t.Context(), proposals[0])
	} else if replies, err = c.ProposeBatch(c.t.Context(), proposals); err != nil {
		c.t.Fatalf("a batch of %d: %v", n, err)
	}
	if !time.Now().Equal(began) {
		c.t.Fatalf("proposing took %v of a time that should stand still", time.Since(began))
	}
	for i, p := range proposals {
		c.remember(p.Conversation, fact{at: began, proposal: p, reply: replies[i]})
		c.compareReply(p, &want[i], &replies[i])
	}
	c.done += n
	c.look(touched...)
}

// expect has a change happen to the model.
func (c *campaign) expect(p *actors.Proposal, now int64) (w expectation) {
	a := c.accounts[p.Conversation]
	user, one := conversation.Subject(p.Change)
	if !one {
		user = ""
	}
	before, was := a.sight(user, now), a.life
	w.refusal = a.apply(p, now)
	if a.life != was && was != nil && !was.told {
		c.past[past{p.Conversation, was.generation}] = &account{policy: a.policy, life: was}
	}
	w.life, w.alive, w.user = a.life, a.alive(now), user
	if !w.alive {
		return w
	}
	w.version, w.last = a.version, a.face().last
	w.changed = a.sight(user, now) != before
	if user != "" {
		w.member = a.membership(user)
	}
	return w
}

func (c *campaign) compareReply(p *actors.Proposal, w *expectation, r *actors.Reply) {
	c.t.Helper()
	c.tally[outcome(p, r)]++
	if w.kind != nil || r.Err != nil {
		refused, ok := errors.AsType[*conversation.Error](r.Err)
		if !ok || w.kind == nil || !errors.Is(refused, w.kind) || refused.Field != w.field {
			c.differ(p.Conversation, "the answer to %s: got error %v, want %v of the field %q", p.Change.Kind(), r.Err, w.kind, w.field)
		}
		return
	}
	if level := r.Ack; level != actors.AckCommitted && (level != actors.AckApplied || p.Ack != actors.AckApplied) {
		c.differ(p.Conversation, "asked for %v, got %v", p.Ack, level)
	}
	if w.changed && !r.Changed {
		c.differ(p.Conversation, "the answer to %s says that nothing changed, but something did", p.Change.Kind())
	}
	if !w.alive {
		return
	}
	if w.life.generation == 0 {
		if r.Generation <= c.seen[p.Conversation] {
			c.differ(p.Conversation, "generation %d comes after %d", r.Generation, c.seen[p.Conversation])
		}
		w.life.generation = r.Generation
		c.seen[p.Conversation] = r.Generation
	}
	if r.Generation != w.life.generation || r.Version != w.version || r.LastSeq != w.last {
		c.differ(p.Conversation, "the answer to %s: got generation %d, version %d, last seq %d; want %d, %d, %d",
			p.Change.Kind(), r.Generation, r.Version, r.LastSeq, w.life.generation, w.version, w.last)
	}
	if w.user == "" {
		return
	}
	var got sight
	got.add(r.Membership)
	if got != w.member {
		c.differ(p.Conversation, "the membership in the answer to %s (-want +got):\n%s", p.Change.Kind(), cmp.Diff(w.member, got))
	}
}
