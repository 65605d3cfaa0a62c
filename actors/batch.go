package actors

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
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
	b := &batch{engine: e, proposals: ps, replies: make([]Reply, len(ps)), told: make(chan struct{})}
	b.left.Store(int64(len(ps)))
	for _, w := range b.accept() {
		w.help(turnsHelped)
	}
	select {
	case <-b.told:
		return b.replies, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("parley: the outcome is unknown: %w", context.Cause(ctx))
	}
}

// batch is proposals that are taken in together and answered together. They share what each of them would cost by itself: memory, the engine's gate, and the turns of
// the workers: each is given those of its conversations as one message.
type batch struct {
	engine    *Engine
	proposals []*Proposal
	replies   []Reply
	shards    []int16      // whose conversations they are; noShard: they were refused
	left      atomic.Int64 // replies that are yet to come
	told      chan struct{}
	orders    persistence.Instant // as intakes have it
	near      byte                // what was read ahead: nobody looks at it
}

const noShard = -1

// reply implements replier.
func (b *batch) reply(place int, r *Reply) {
	b.replies[place] = *r
	b.done(1)
}

// done notes that so many replies have come.
func (b *batch) done(n int) {
	if n > 0 && b.left.Add(-int64(n)) == 0 {
		close(b.told)
	}
}

// accept takes the proposals in, or refuses them, and returns the workers that were given some, who have not been woken.
func (b *batch) accept() (given []*worker) {
	e := b.engine
	e.received.Add(uint64(len(b.proposals)))
	e.gate.RLock()
	defer e.gate.RUnlock()
	shut := e.shut()
	b.orders = e.orders.latest()
	runs := make([]run, len(e.workers))
	places := make([]int32, len(b.proposals)) // by worker, then in order
	b.shards = make([]int16, len(b.proposals))
	for _, p := range b.proposals { // the names come near together, as in approach
		if p != nil && p.Conversation != "" {
			b.near += p.Conversation[0]
		}
	}
	for i, p := range b.proposals {
		refusal := check(p)
		if refusal == nil {
			refusal = shut
		}
		if refusal != nil {
			b.shards[i] = noShard
			e.refuse(p, returnTo{to: b, place: i}, addressed(refusal, p))
			continue
		}
		s := e.shardOf(p.Conversation)
		b.shards[i] = int16(s.number)
		runs[s.worker.number].size++
	}
	first := 0
	for i := range runs {
		runs[i].batch, runs[i].worker = b, e.workers[i]
		runs[i].places = places[first : first : first+runs[i].size]
		first += runs[i].size
	}
	for i, number := range b.shards {
		if number != noShard {
			r := &runs[e.shards[number].worker.number]
			r.places = append(r.places, int32(i))
		}
	}
	for i := range runs {
		if r := &runs[i]; r.size > 0 {
			e.queued.Add(int64(r.weigh(r.places)))
			r.worker.put(r)
			given = append(given, r.worker)
		}
	}
	return given
}

// run is those proposals of a batch that are of one worker's conversations.
type run struct {
	batch      *batch
	worker     *worker
	size       int
	places     []int32                        // in the batch, in its order; those that have come in are taken out
	overloaded map[string]*conversation.Error // conversations of which one was refused, and why
}

// runLength is how many proposals of a batch come in before others of the worker get their turn.
const runLength = 128

func (r *run) arrives() {}

// run implements task.
func (r *run) run() {
	b, w := r.batch, r.worker
	places := r.places[:min(runLength, len(r.places))]
	r.places = r.places[len(places):]
	answered, weight := 0, 0
	var targets [runLength]target
	for i, place := range places {
		targets[i].aim(b.engine.shards[b.shards[place]], b.proposals[place].Conversation)
	}
	approach(targets[:len(places)])
	for i, place := range places {
		p, to := b.proposals[place], returnTo{to: b, place: int(place)}
		s := targets[i].shard
		w.inPlace.begin()
		switch w.inPlace.add(s, targets[i].mark, p, to, 0, &b.replies[place]) {
		case isAnswered:
			answered++
			weight += conversation.Weight(p.Change)
		case isWaiting:
			weight += conversation.Weight(p.Change)
		case isNotAdded:
			if refusal := r.queue(s, p, to); refusal != nil {
				weight += conversation.Weight(p.Change)
				b.engine.refuse(p, to, addressed(refusal, p))
			}
		}
	}
	w.inPlace.lifted += weight
	b.done(answered)
	if len(r.places) > 0 {
		w.put(r)
	}
}

// queue puts a proposal into its cell's queue, or returns why not.
func (r *run) queue(s *shard, p *Proposal, to returnTo) *conversation.Error {
	if refusal, ok := r.overloaded[p.Conversation]; ok {
		return refusal
	}
	refusal := r.worker.inPlace.queue(s, &intake{proposal: p, to: to, orders: r.batch.orders, weight: int32(conversation.Weight(p.Change))})
	if refusal != nil && errors.Is(refusal, conversation.ErrOverloaded) {
		if r.overloaded == nil {
			r.overloaded = map[string]*conversation.Error{}
		}
		r.overloaded[p.Conversation] = refusal
	}
	return refusal
}

// weigh returns what the proposals at some places weigh.
func (r *run) weigh(places []int32) (weight int) {
	for _, place := range places {
		weight += conversation.Weight(r.batch.proposals[place].Change)
	}
	return weight
}
