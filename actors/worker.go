package actors

import (
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/persistence"
)

// worker runs tasks on long-lived goroutines, in the order in which they came. With one goroutine it is the dispatcher of a set of shards: all
// actors of a shard run on it, one turn at a time, so that a mailbox run costs no goroutine. With several it is a pool for work that waits.
//
// While a dispatcher has nothing to do, whoever would have to wake it and wait for the answer may run a turn in its place, which costs no change of goroutines: as in flat combining
// (Hendler et al., SPAA 2010).
//
// Its queue is not bounded by itself: a cell is in it at most once, and so is a load of a cell.
type worker struct {
	applying atomic.Int64 // since when a change is being applied, as a persistence.Instant, or since some time before; 0: none is

	turn    sync.Mutex          // of a dispatcher: held while a task is run
	applied persistence.Instant // when the last change had been applied; under turn, like what follows
	stages  turnStages
	reply   Reply // that is about to be given

	number     int // among the engine's
	dispatches bool

	mu     sync.Mutex
	some   sync.Cond
	tasks  fifo[task]
	closed bool
	alive  sync.WaitGroup
}

// task is something to run. It must not block a worker that actors run on.
type task interface{ run() }

func startWorker(goroutines int) *worker {
	w := &worker{dispatches: goroutines == 1}
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

// pushCells pushes cells to a dispatcher.
func (w *worker) pushCells(cells []*cell) {
	w.mu.Lock()
	for _, c := range cells {
		w.tasks.push(c)
	}
	w.mu.Unlock()
	w.some.Signal()
}

// runCells runs cells in the place of a dispatcher that has nothing to do, and else pushes them to it.
func (w *worker) runCells(cells ...*cell) {
	if !w.idle() {
		w.pushCells(cells)
		return
	}
	for _, c := range cells {
		c.run()
	}
	w.turn.Unlock()
}

// idle reports whether the dispatcher has nothing to do. Then its turn is the caller's, who must unlock it.
func (w *worker) idle() bool {
	if !w.turn.TryLock() {
		return false
	}
	w.mu.Lock()
	idle := w.tasks.len() == 0
	w.mu.Unlock()
	if !idle {
		w.turn.Unlock()
	}
	return idle
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
		if w.dispatches {
			w.turn.Lock()
			t.run()
			w.turn.Unlock()
		} else {
			t.run()
		}
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
