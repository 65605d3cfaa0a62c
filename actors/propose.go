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

// MaxBatch is how many proposals one ProposeBatch takes.
const MaxBatch = 1_000

// Propose has one change applied and answers at the proposal's ack level. The error is the reply's: an [*conversation.Error]. When ctx ends first, the
// outcome is unknown, and the error wraps ctx's cause; proposing the same again is safe.
func (e *Engine) Propose(ctx context.Context, p *Proposal) (Reply, error) {
	w := make(waitingCaller, 1)
	_ = e.accept(p, w) // w was told
	select {
	case r := <-w:
		return *r, r.Err
	case <-ctx.Done():
		return Reply{}, fmt.Errorf("parley: the outcome is unknown: %w", context.Cause(ctx))
	}
}

type waitingCaller chan *Reply

func (w waitingCaller) reply(r *Reply) { w <- r }

// ProposeFunc has one change applied and calls answer once with the reply, whose Err is an [*conversation.Error] where it was refused: before ProposeFunc returns, on
// the caller's goroutine, where it is not taken in, and otherwise later, on one of the engine's, which answer must not block. Proposals to one conversation that one
// goroutine makes this way are applied in their order. Each proposal that was taken in is answered, at the latest when the engine stops.
func (e *Engine) ProposeFunc(p *Proposal, answer func(*Reply)) { _ = e.accept(p, replyFunc(answer)) }

// ProposeBatch has up to [MaxBatch] changes applied, in their order as far as they are of one conversation. Each has its own reply, at its own index, and
// succeeds or fails by itself; but after one was refused as overloaded, the later ones of its conversation are refused too. The error is not nil only
// where there are no replies: the batch is too large, or ctx ended first and the outcome is unknown.
func (e *Engine) ProposeBatch(ctx context.Context, ps []*Proposal) ([]Reply, error) {
	if len(ps) > MaxBatch {
		return nil, conversation.Invalid("requests", fmt.Sprintf("must be at most %d, are %d", MaxBatch, len(ps)))
	}
	type answer struct {
		index int
		reply *Reply
	}
	answers := make(chan answer, len(ps))
	var overloaded map[string]*conversation.Error
	for i, p := range ps {
		to := replyFunc(func(r *Reply) { answers <- answer{i, r} })
		if p != nil {
			if err, ok := overloaded[p.Conversation]; ok {
				e.counts.received.Add(1)
				e.refuse(p, to, err)
				continue
			}
		}
		if err := e.accept(p, to); err != nil && errors.Is(err, conversation.ErrOverloaded) {
			if overloaded == nil {
				overloaded = map[string]*conversation.Error{}
			}
			overloaded[p.Conversation] = err
		}
	}
	replies := make([]Reply, len(ps))
	for range ps {
		select {
		case a := <-answers:
			replies[a.index] = *a.reply
		case <-ctx.Done():
			return nil, fmt.Errorf("parley: the outcome is unknown: %w", context.Cause(ctx))
		}
	}
	return replies, nil
}

type replyFunc func(r *Reply)

func (f replyFunc) reply(r *Reply) { f(r) }

// accept takes a proposal in, or refuses it: then the replier has been told, and the refusal is returned. It does not block.
func (e *Engine) accept(p *Proposal, to replier) *conversation.Error {
	e.counts.received.Add(1)
	refusal := check(p)
	if refusal == nil {
		refusal = e.route(p.Conversation, &intake{proposal: p, to: to})
	}
	if refusal != nil {
		if p != nil && refusal.Conversation == "" && !errors.Is(refusal, conversation.ErrInvalid) {
			named := *refusal
			named.Conversation = p.Conversation
			refusal = &named
		}
		e.refuse(p, to, refusal)
	}
	return refusal
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

// route puts a message into its conversation's queue.
func (e *Engine) route(name string, m queued) *conversation.Error {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return unavailable(name, ErrStopped)
	}
	if _, ok := m.(*intake); ok {
		if full := e.journal.Full(); full != nil {
			return full
		}
	}
	switch e.shardOf(name).offer(name, m) {
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
func (e *Engine) refuse(p *Proposal, to replier, err error) {
	e.refuseAfter(p, to, err, ProposedInfo{})
}

// refuseAfter answers a proposal with an error, after the stages that it has been through.
func (e *Engine) refuseAfter(p *Proposal, to replier, err error, info ProposedInfo) {
	refusal := asError(err)
	info.Result, info.Err = resultOf(refusal), refusal
	var r Reply
	ack := AckDefault
	if p != nil {
		r.Conversation, r.Tag, ack = p.Conversation, p.Tag, p.Ack
	}
	e.counts.proposals.count(ack, info.Result)
	e.proposed(p, &info)
	r.Err = refusal
	if to != nil {
		to.reply(&r)
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
