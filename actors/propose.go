package actors

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// Propose has one change applied and answers at the proposal's ack level. The error is the reply's: an [*conversation.Error]. When ctx ends first, the
// outcome is unknown, and the error wraps ctx's cause; proposing the same again is safe. Where a worker has nothing to do, the conversation's turn is run on the caller's goroutine, with
// the answers to others that are given in it.
func (e *Engine) Propose(ctx context.Context, p *Proposal) (Reply, error) {
	w, ok := e.callers.Get().(*caller)
	if !ok {
		w = &caller{told: make(chan struct{}, 1)}
	}
	if to, _ := e.accept(p, returnTo{to: w}, &w.intake); to != nil {
		to.help(turnsHelped)
	}
	select {
	case <-w.told:
		r := w.answer
		w.answer, w.intake = Reply{}, intake{}
		e.callers.Put(w)
		return r, r.Err
	case <-ctx.Done():
		return Reply{}, fmt.Errorf("parley: the outcome is unknown: %w", context.Cause(ctx)) // w may yet be told, and is nobody's any more
	}
}

// caller waits for one reply.
type caller struct {
	intake intake // nobody looks at it any more once there was a reply
	answer Reply
	told   chan struct{}
}

func (w *caller) reply(_ int, r *Reply) {
	w.answer = *r
	w.told <- struct{}{}
}

// ProposeFunc has one change applied and calls answer once with the reply, whose Err is an [*conversation.Error] where it was refused: perhaps before ProposeFunc returns, on the caller's goroutine, or
// later, on one of the engine's or of another caller, which answer must not block. The reply is the engine's again once answer returns: whoever keeps it copies it. Where answer is nil nobody waits, and
// a refusal is told to Observer.Unanswered. Proposals to one conversation that one goroutine makes this way are applied in their order. Each proposal that was taken in is answered, at
// the latest when the engine stops.
func (e *Engine) ProposeFunc(p *Proposal, answer func(*Reply)) {
	var to returnTo
	if answer != nil {
		to.to = replyFunc(answer)
	}
	e.acceptPush(p, to)
}

type replyFunc func(r *Reply)

func (f replyFunc) reply(_ int, r *Reply) { f(r) }

// accept takes a proposal in, or refuses it: then the replier has been told. It does not block. Where it was taken in, it returns the worker to whose tasks it was put, who has not been woken, and
// how many tasks that has.
func (e *Engine) accept(p *Proposal, to returnTo, m *intake) (w *worker, tasks int) {
	e.received.Add(1)
	refusal := check(p)
	if refusal == nil {
		e.gate.RLock()
		if refusal = e.shut(); refusal == nil {
			hash := persistence.Hash(p.Conversation)
			s := e.shards[persistence.ShardOfHash(hash)]
			*m = intake{
				shard: s, proposal: p, to: to, at: e.clock.now(), orders: e.orders.latest(), weight: int32(conversation.Weight(p.Change)), slot: slotOf(hash), admitted: true,
			}
			weight := int64(m.weight) // the message may be another one soon
			e.queued.Add(weight)
			if tasks = s.worker.admit(m, e.config.MaxQueue-s.waitingFor(p.Conversation)); tasks > 0 {
				e.gate.RUnlock()
				return s.worker, tasks
			}
			e.queued.Add(-weight)
			refusal = outcomeOf(wasFull, p.Conversation)
		}
		e.gate.RUnlock()
	}
	e.refuse(p, to, addressed(refusal, p))
	return nil, 0
}

// starvedLooks is how many tasks come in between two looks at whether their worker has a processor.
const starvedLooks = 16

// acceptPush is accept for those who do not wait for the answer. Where they come one by one, to a worker that has nothing to do, each has its own turn: to wake the worker would take longer. So it is where it was
// woken, and others keep it from its turn.
func (e *Engine) acceptPush(p *Proposal, to returnTo) {
	m := &intake{}
	w, tasks := e.accept(p, to, m)
	switch {
	case w == nil:
	case tasks == 1 && w.sparse(e.clock.now()), tasks%starvedLooks == 0 && w.starved(e.clock.now()):
		w.help(1)
	default:
		w.some.Signal()
	}
}

// addressed returns a refusal that says which conversation it is of, unless what it is about may be the name.
func addressed(refusal *conversation.Error, p *Proposal) *conversation.Error {
	if p == nil || refusal.Conversation != "" || errors.Is(refusal, conversation.ErrInvalid) {
		return refusal
	}
	with := *refusal
	with.Conversation = p.Conversation
	return &with
}

// check returns what is wrong with a proposal taken by itself, nil if nothing is.
func check(p *Proposal) *conversation.Error {
	if p == nil {
		return conversation.Invalid("proposal", "must be set")
	}
	err := conversation.CheckConversation(p.Conversation)
	if err == nil {
		err = conversation.Check(p.Change)
	}
	switch {
	case err != nil:
		return asError(err)
	case p.Ack > AckCommitted:
		return conversation.Invalid("ack", "must be one of the ack levels")
	case len(p.Origin) > conversation.MaxOrigin:
		return conversation.Invalid("origin", fmt.Sprintf("must be at most %d bytes, has %d", conversation.MaxOrigin, len(p.Origin)))
	case !utf8.ValidString(p.Origin):
		return conversation.Invalid("origin", persistence.ErrNameNotUTF8.Error())
	}
	return nil
}

// asError returns err as the one type that refusals have.
func asError(err error) *conversation.Error {
	if refusal, ok := errors.AsType[*conversation.Error](err); ok {
		return refusal
	}
	return unavailable("", err)
}

// send puts a message of the engine's own into its conversation's queue.
func (e *Engine) send(name string, m queued) *conversation.Error {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return unavailable(name, ErrStopped)
	}
	result, ready := e.shardOf(name).take(name, m)
	if ready != nil {
		ready.shard.worker.push(ready)
	}
	return outcomeOf(result, name)
}

// shut returns why no proposal is taken in. e.gate is held.
func (e *Engine) shut() *conversation.Error {
	if e.closed {
		return unavailable("", ErrStopped)
	}
	if e.queued.Load() >= int64(e.config.MaxQueuedBytes) {
		return &conversation.Error{
			Kind: conversation.ErrOverloaded, Reason: "too much waits for conversations, in all", RetryAfter: 50 * time.Millisecond,
		}
	}
	return e.journal.Full()
}

// outcomeOf returns what an offer to a conversation's cell says to who made it.
func outcomeOf(result offered, name string) *conversation.Error {
	switch result {
	case wasFull:
		return &conversation.Error{
			Kind: conversation.ErrOverloaded, Conversation: name, Reason: "too many proposals wait for the conversation", RetryAfter: 50 * time.Millisecond,
		}
	case wasQuarantined:
		return &conversation.Error{Kind: conversation.ErrQuarantined, Conversation: name, Reason: "it failed too often and is left alone for a while"}
	case accepted, wasSealed:
	}
	return nil
}

// refuse answers a proposal with an error, before its turn.
func (e *Engine) refuse(p *Proposal, to returnTo, err error) {
	e.refuseAfter(p, to, err, ProposedInfo{})
}

// refuseAfter answers a proposal with an error, after the stages that it has been through.
func (e *Engine) refuseAfter(p *Proposal, to returnTo, err error, info ProposedInfo) {
	refusal := asError(err)
	info.Result, info.Err = resultOf(refusal), refusal
	var r Reply
	ack := AckDefault
	if p != nil {
		r.Conversation, r.Tag, ack = p.Conversation, p.Tag, p.Ack
	}
	e.counts.refused.count(ack, info.Result)
	e.proposed(p, &info)
	r.Err = refusal
	if to.waits() {
		to.answer(&r)
		return
	}
	if e.config.Observer.Unanswered != nil {
		info := UnansweredInfo{Conversation: r.Conversation, Err: refusal}
		if p != nil && p.Change != nil {
			info.Kind = p.Change.Kind()
		}
		e.config.Observer.Unanswered(info)
	}
}
