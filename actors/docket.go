package actors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// docket is generations that came due and are judged together. What is plainly over, as most of what comes due is, needs no actor, no cell and no message for that. Whatever is not so plain is left to
// its conversation.
//
// Where a conversation has no cell in a turn of its worker, all that came in before was applied, and what comes in from then on has a later stamp: see [shard.vacant]. So if its rows, read after that, have a
// generation whose deadline had come by that moment, that generation is over, and no proposal can change it any more. Where the journal has rows of it, they are its conversation's to weigh.
type docket struct {
	engine  *Engine
	attempt uint64 // the reaper's incarnation
	due     []*dying
	over    []overdue
}

// overdue is a generation that is over.
type overdue struct {
	*dying

	ending       *conversation.Ending
	head, roster persistence.Sight
}

// tried says which generations of a docket are over. Docket → reaper. Of the others it is told by verdicts.
type tried struct {
	attempt uint64
	over    []overdue
}

// dyingBetweenYields is after how many generations that are judged, or deleted, others get the processor, who may be about to propose something: Go would let them wait for ten milliseconds.
const dyingBetweenYields = 16

// unheard is a generation of which nothing has been read yet.
type unheard struct {
	*dying

	at     persistence.Instant // when it was looked for its conversation's cell
	vacant bool                // there was none
}

func (k *docket) run() {
	vacant, rest := k.vacant()
	rest = append(rest, k.try(vacant)...)
	k.unpack()
	k.engine.tellReaper(&tried{attempt: k.attempt, over: k.over})
	for _, d := range rest {
		m := &judgement{conversation: d.conversation, generation: d.generation, due: d.due, attempt: k.attempt}
		if refused := k.engine.send(d.conversation, m); refused != nil {
			m.fail(k.engine, refused)
		}
	}
}

// vacant divides what is due by whether its conversation has a cell, or rows in the journal.
func (k *docket) vacant() (vacant []unheard, rest []*dying) {
	e := k.engine
	of := make([][]unheard, len(e.workers))
	for _, d := range k.due {
		n := e.shards[d.shard].worker.number
		of[n] = append(of[n], unheard{dying: d})
	}
	// In the turns of the workers: between two of their tasks nothing is half done, and what comes later is stamped later. They run as long as the engine has any work, of which this is.
	var looked sync.WaitGroup
	for i := range of {
		if len(of[i]) > 0 {
			looked.Add(1)
			e.workers[i].push(taskFunc(func() {
				defer looked.Done()
				for n := range of[i] {
					of[i][n].look(e)
				}
			}))
		}
	}
	looked.Wait()
	var names []string
	for _, u := range slices.Concat(of...) {
		if !u.vacant {
			rest = append(rest, u.dying)
			continue
		}
		vacant, names = append(vacant, u), append(names, u.conversation)
	}
	e.settleEach(names...)
	for _, i := range slices.Backward(e.journal.Pending(names)) {
		rest = append(rest, vacant[i].dying)
		vacant = slices.Delete(vacant, i, i+1)
	}
	return vacant, rest
}

// look finds whether its conversation has a cell. It is called in the turn of the shard's worker.
func (u *unheard) look(e *Engine) { u.at, u.vacant = e.shards[u.shard].vacant(u.conversation) }

// try judges by what is in the store, in the order in which that is kept there, and returns what is not over by that.
func (k *docket) try(vacant []unheard) (rest []*dying) {
	if len(vacant) == 0 {
		return nil
	}
	slices.SortFunc(vacant, func(a, b unheard) int {
		return cmp.Or(cmp.Compare(a.shard, b.shard), cmp.Compare(a.conversation, b.conversation))
	})
	snapshot, err := k.engine.store.Snapshot()
	if err == nil {
		defer snapshot.Close()
	}
	for i, u := range vacant {
		if i%dyingBetweenYields == 0 {
			runtime.Gosched()
		}
		o := overdue{dying: u.dying}
		if err == nil {
			k.engine.plainly(snapshot, u, &o)
		}
		if o.ending == nil {
			rest = append(rest, u.dying)
			continue
		}
		k.over = append(k.over, o)
	}
	return rest
}

// plainly finds how a generation ended that is over by the rows of its conversation. It finds nothing where that is not so, or cannot be said.
func (e *Engine) plainly(snapshot persistence.Snapshot, u unheard, o *overdue) {
	defer func() {
		if reason := recover(); reason != nil {
			e.failed(FailedInfo{What: "conversation", Conversation: u.conversation, Reason: fmt.Sprintf("its judgement, which it is asked for: %v", reason)})
			o.ending = nil
		}
	}()
	e.trap.judge(u.conversation)
	head, err := getOrNil(e.ctx, snapshot, persistence.HeadKey(u.conversation))
	if err != nil || head == nil {
		return
	}
	roster, err := getOrNil(e.ctx, snapshot, persistence.RosterKey(u.conversation))
	if err != nil {
		return
	}
	state, err := conversation.Load(u.conversation, head, nil, roster) // no judgement depends on the tail but one that is not plain
	if err != nil {
		return
	}
	verdict, outcome := state.Judge(u.generation, u.due, u.at)
	if verdict != conversation.Over {
		return
	}
	o.ending, o.head = outcome.Ended, persistence.Sight{Snapshot: snapshot.Number(), Generation: u.generation}
	if generation, err := persistence.GenerationOf(roster); err == nil {
		o.roster = persistence.Sight{Snapshot: snapshot.Number(), Generation: generation}
	}
}

func getOrNil(ctx context.Context, snapshot persistence.Snapshot, key []byte) ([]byte, error) {
	value, err := snapshot.Get(ctx, key)
	if errors.Is(err, persistence.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

// unpack lets go of what is packed of the conversations that are over: it is of no use any more. That is done in the turns of the shards' workers.
func (k *docket) unpack() {
	over := make([][]overdue, len(k.engine.workers))
	for _, o := range k.over {
		if s := k.engine.shards[o.shard]; s.visits() {
			over[s.worker.number] = append(over[s.worker.number], o)
		}
	}
	for i, of := range over {
		if len(of) > 0 {
			k.engine.workers[i].push(taskFunc(func() {
				for _, o := range of {
					k.engine.shards[o.shard].dropPacked(o.conversation)
				}
			}))
		}
	}
}

// tried takes in what a docket came to.
func (r *reaper) tried(m *tried) {
	r.dockets--
	for _, o := range m.over {
		if d := o.dying; d.stage == judging { // else it ended by itself
			d.ending, d.after, d.members, d.index = o.ending, 0, o.ending.Members, o.ending.Index
			d.seen.head, d.seen.roster = o.head, o.roster
			r.enqueue(d)
		}
	}
}
