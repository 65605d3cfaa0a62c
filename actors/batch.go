package actors

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/parley-im/parley/actors/conversation"
)

// MaxBatch is how many proposals one ProposeBatch takes.
const MaxBatch = 1_000

// ProposeBatch has up to [MaxBatch] changes applied, in their order as far as they are of one conversation. Each has its own reply, at its own index, and
// succeeds or fails by itself; but after one was refused as overloaded, the later ones of its conversation are refused too. The error is not nil only
// where there are no replies: the batch is too large, or ctx ends first and the outcome is unknown.
func (e *Engine) ProposeBatch(ctx context.Context, ps []*Proposal) ([]Reply, error) {
	if len(ps) > MaxBatch {
		return nil, conversation.Invalid("requests", fmt.Sprintf("must be at most %d, are %d", MaxBatch, len(ps)))
	}
	if len(ps) == 0 {
		return []Reply{}, nil
	}
	b := &batch{engine: e, replies: make([]Reply, len(ps)), told: make(chan struct{})}
	b.left.Store(int64(len(ps)))
	b.accept(ps)
	select {
	case <-b.told:
		return b.replies, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("parley: the outcome is unknown: %w", context.Cause(ctx))
	}
}

// batch is proposals that are taken in together and answered together. They share what each of them would cost by itself: memory, the engine's gate, and the waking of
// the workers, which are given their conversations a run at a time.
type batch struct {
	engine  *Engine
	replies []Reply
	left    atomic.Int64 // replies that are yet to come
	told    chan struct{}

	overloaded map[string]*conversation.Error // conversations of which one was refused, and why
	runs       [][]*cell                      // by worker: those that have something to do
}

// runLength is how many proposals are taken in before the workers are told: what comes first does not wait for the end of a long batch.
const runLength = 128

// reply implements replier.
func (b *batch) reply(place int, r *Reply) {
	b.replies[place] = *r
	if b.left.Add(-1) == 0 {
		close(b.told)
	}
}

func (b *batch) accept(ps []*Proposal) {
	e := b.engine
	e.counts.received.Add(uint64(len(ps)))
	intakes := make([]intake, len(ps))
	b.runs = make([][]*cell, len(e.workers))
	for first := 0; first < len(ps); first += runLength {
		last := min(first+runLength, len(ps))
		b.takeRun(first, ps[first:last], intakes[first:last])
		for i, cells := range b.runs {
			if len(cells) > 0 {
				e.workers[i].runCells(cells...)
				b.runs[i] = cells[:0]
			}
		}
	}
}

// takeRun takes in a run of proposals, which begins at a place of the batch.
func (b *batch) takeRun(first int, ps []*Proposal, intakes []intake) {
	b.engine.gate.RLock()
	defer b.engine.gate.RUnlock()
	for i, p := range ps {
		intakes[i] = intake{proposal: p, to: returnTo{to: b, place: first + i}}
		if refusal := b.take(&intakes[i]); refusal != nil {
			b.engine.refuse(p, intakes[i].to, refusal)
		}
	}
}

// take takes one proposal in, or returns why not.
func (b *batch) take(m *intake) *conversation.Error {
	p := m.proposal
	refusal := check(p)
	if refusal != nil {
		return addressed(refusal, p)
	}
	if refusal, ok := b.overloaded[p.Conversation]; ok {
		return refusal
	}
	m.weight = conversation.Weight(p.Change)
	e := b.engine
	if refusal = e.shut(p.Conversation, m); refusal == nil {
		s := e.shardOf(p.Conversation)
		result, ready := s.take(p.Conversation, m)
		if ready != nil {
			b.runs[s.worker.number] = append(b.runs[s.worker.number], ready)
		}
		refusal = outcomeOf(result, p.Conversation)
	}
	if refusal == nil {
		return nil
	}
	refusal = addressed(refusal, p)
	if errors.Is(refusal, conversation.ErrOverloaded) {
		if b.overloaded == nil {
			b.overloaded = map[string]*conversation.Error{}
		}
		b.overloaded[p.Conversation] = refusal
	}
	return refusal
}
