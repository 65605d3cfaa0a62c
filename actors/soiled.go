package actors

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/persistence"
)

// soiled are a worker's conversations that were posted to where they lie packed, in the order in which they first were since their rows were taken. Some may have been settled meanwhile.
type soiled struct {
	mu     sync.Mutex
	queue  fifo[soil]
	oldest atomic.Int64 // not after the first that is not settled, as a persistence.Instant; 0: there is none

	gathering sync.Mutex // held while rows are taken of those that were taken out of the queue
}

// soil is one of them.
type soil struct {
	mark  uint32              // in its shard's memory
	since persistence.Instant // the stamp of the first post
	shard *shard
}

func (d *soiled) len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.queue.len()
}

func (d *soiled) push(one soil) {
	d.mu.Lock()
	d.queue.push(one)
	if d.oldest.Load() == 0 {
		d.oldest.Store(int64(one.since))
	}
	d.mu.Unlock()
}

// since returns an instant that is not after the stamp of any post whose rows are yet to be taken.
func (d *soiled) since() persistence.Instant {
	if oldest := d.oldest.Load(); oldest != 0 {
		return persistence.Instant(oldest)
	}
	return persistence.Never
}

const (
	// gatheredTogether is how many are taken out of the queue at a time.
	gatheredTogether = 256
	// gatheredBetweenYields is after how many others get the processor, who may be about to propose something: Go would let them wait for ten milliseconds.
	gatheredBetweenYields = 32
)

// gather gives the journal the rows of the first so many, and returns how many those were. Once it returns, all that were in the queue before are in the journal, as far as that is.
func (d *soiled) gather(most int) (n int) {
	d.gathering.Lock()
	defer d.gathering.Unlock()
	var some [gatheredTogether]soil
	for n < most {
		d.mu.Lock()
		taken := copy(some[:min(most-n, len(some))], d.queue.peek(most-n))
		d.queue.drop(taken)
		d.mu.Unlock()
		for i := range some[:taken] {
			if i%gatheredBetweenYields == 0 {
				runtime.Gosched()
			}
			some[i].shard.settleMarked(some[i].mark)
		}
		d.mu.Lock()
		d.oldest.Store(0)
		for _, first := range d.queue.peek(1) {
			d.oldest.Store(int64(first.since))
		}
		d.mu.Unlock()
		if n += taken; taken == 0 {
			break
		}
	}
	return n
}

// settleMarked has the rows taken of conversations with that fingerprint, as far as that is still to be done.
func (s *shard) settleMarked(mark uint32) {
	s.mem.mu.Lock()
	defer s.mem.mu.Unlock()
	s.mem.packed.marked(mark, s.forgetting)
}

// gather gives the journal the rows of conversations that were posted to where they lie packed: of those first that were first, and of so many rows about.
func (e *Engine) gather(rows int) {
	for _, w := range e.workers {
		w.gather(e.shareOf(rows))
	}
}

// gather does so with the first so many of a worker's, and returns how many it found.
func (w *worker) gather(most int) (n int) {
	n = w.soiled.gather(most)
	w.engine.journal.Owe(-n * rowsOfPost)
	return n
}

// shareOf returns how many conversations a worker has to be gathered for so many rows.
func (e *Engine) shareOf(rows int) int { return rows/(rowsOfPost*len(e.workers)) + 1 }

// rowsOfPost are what a post changes: the head, the tail and the sender's membership.
const rowsOfPost = 3

// unsettled returns an instant that is not after the stamp of any post whose rows the journal has not got.
func (e *Engine) unsettled() persistence.Instant {
	lowest := persistence.Never
	for _, w := range e.workers {
		lowest = min(lowest, w.soiled.since())
	}
	return lowest
}
