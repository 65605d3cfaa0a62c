package actors

import (
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/persistence"
)

// worker runs tasks on long-lived goroutines, in the order in which they came. With one goroutine it is the dispatcher of a set of shards: all
// actors of a shard run on it, one turn at a time, so that a mailbox run costs no goroutine. With several it is a pool for work that waits.
//
// Its queue is not bounded by itself: a cell is in it at most once, and so is a load of a cell.
type worker struct {
	applying atomic.Int64        // since when its goroutine, if it has one, is applying a change, as a persistence.Instant, or since some time before; 0: it is not
	applied  persistence.Instant // when its goroutine had applied the last one; only that uses it
	stages   turnStages
	reply    Reply // that its goroutine is about to answer
	number   int   // among the engine's

	mu     sync.Mutex
	some   sync.Cond
	tasks  fifo[task]
	closed bool
	alive  sync.WaitGroup
}

// task is something to run. It must not block a worker that actors run on.
type task interface{ run() }

func startWorker(goroutines int) *worker {
	w := &worker{}
	w.some.L = &w.mu
	for range goroutines {
		w.alive.Go(w.loop)
	}
	return w
}

func (w *worker) push(t task) {
	w.mu.Lock()
	w.tasks.push(t)
	w.mu.Unlock()
	w.some.Signal()
}

// pushCells pushes cells to a worker of one goroutine.
func (w *worker) pushCells(cells []*cell) {
	w.mu.Lock()
	for _, c := range cells {
		w.tasks.push(c)
	}
	w.mu.Unlock()
	w.some.Signal()
}

func (w *worker) loop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for w.tasks.len() == 0 {
			if w.closed {
				return
			}
			w.some.Wait()
		}
		t := w.tasks.pop()
		w.mu.Unlock()
		t.run()
		w.mu.Lock()
	}
}

// stop lets the goroutines finish what is queued and waits for them.
func (w *worker) stop() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.some.Broadcast()
	w.alive.Wait()
}

// turnsBetweenYields is how many messages one mailbox handles before others get their turn.
const turnsBetweenYields = 64

// Schedule implements actor.Dispatcher for the mailboxes that protoactor makes: those of shards.
func (w *worker) Schedule(fn func()) { w.push(taskFunc(fn)) }

// Throughput implements actor.Dispatcher.
func (w *worker) Throughput() int { return turnsBetweenYields }

type taskFunc func()

func (f taskFunc) run() { f() }
