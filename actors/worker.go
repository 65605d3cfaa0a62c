package actors

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/persistence"
)

// worker runs tasks on long-lived goroutines, in the order in which they came. With one goroutine it is the dispatcher of a set of shards: all
// actors of a shard run on it, one turn at a time, so that a mailbox run costs no goroutine. With several it is a pool for work that waits.
//
// While nobody has a dispatcher's turn, whoever would have to wake it and wait for the answer may have it in its place, which costs no change of goroutines: as in flat combining
// (Hendler et al., SPAA 2010).
//
// Its queue is not bounded by itself: a cell is in it at most once, and so is a load of a cell; proposals that come in are bounded by Config.MaxQueuedBytes.
type worker struct {
	number int     // among the engine's
	engine *Engine // of a dispatcher; nil: it is none

	applying atomic.Int64 // since when a change is being applied, as a persistence.Instant, or since some time before; 0: none is

	applied persistence.Instant // when the last change had been applied; it is whose who has the turn, like what follows
	stages  turnStages
	tally   tally   // of proposals that were applied
	reply   Reply   // that is about to be given
	inPlace inPlace // posts

	soiled soiled // conversations that were posted to in place

	mu       sync.Mutex
	tasks    fifo[task]
	taken    bool // somebody has a dispatcher's turn: runs its tasks
	closed   bool
	arriving arrivals // proposals among the tasks

	arrived atomic.Int64 // when a proposal was last made whose caller does not wait and found nothing to be done, as a persistence.Instant
	running atomic.Bool  // a dispatcher's goroutine has found tasks, and runs them
	some    sync.Cond
	alive   sync.WaitGroup
}

// task is something to run. It must not block a worker that actors run on.
type task interface{ run() }

// startWorker starts a pool of so many goroutines.
func startWorker(goroutines int) *worker {
	w := newWorker(nil)
	for range goroutines {
		w.alive.Go(w.loop)
	}
	return w
}

// startDispatcher starts the dispatcher of an engine that has so many already.
func startDispatcher(e *Engine, number int) *worker {
	w := newWorker(e)
	w.number = number
	w.inPlace.worker = w
	w.alive.Go(w.dispatch)
	return w
}

func newWorker(e *Engine) *worker {
	w := &worker{engine: e}
	w.some.L = &w.mu
	return w
}

// put puts a task in and wakes nobody.
func (w *worker) put(t task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tasks.push(t)
}

// admit is put for a proposal, and returns how many tasks there are; unless there are as many proposals already of its conversation as the bound allows: then it returns 0.
func (w *worker) admit(m *intake, bound int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.arriving.atLeast(bound, m, &w.tasks) {
		return 0
	}
	w.arriving.count(m, 1)
	w.tasks.push(m)
	return w.tasks.len()
}

func (w *worker) push(t task) {
	w.put(t)
	w.some.Signal()
}

// help has so many of a dispatcher's turns in its place at most, as long as there are tasks, unless somebody has one already: who has it sees to what was put in meanwhile. It is for who has put a task in, and would have to wake it and wait.
func (w *worker) help(turns int) {
	w.mu.Lock()
	for ; turns > 0 && w.ready(); turns-- {
		w.takeTurn()
	}
	wake := w.ready() || w.closed // a dispatcher that is to end may have found the turn taken
	w.mu.Unlock()
	if wake {
		w.some.Signal()
	}
}

// ready reports whether there are tasks, and nobody runs them. w.mu is held.
func (w *worker) ready() bool { return w.tasks.len() > 0 && !w.taken }

// sparseAfter is how long after one proposal the next one has to come so that it is done sooner where it is: it takes longer to wake a goroutine, but two of them get more done.
const sparseAfter = 3 * time.Microsecond

// sparse reports whether proposals whose callers do not wait come one by one.
func (w *worker) sparse(now persistence.Instant) bool {
	return now.Sub(persistence.Instant(w.arrived.Swap(int64(now)))) >= sparseAfter
}

// starvedAfter is how long it may take until a worker that was woken has a processor: others may keep those for ten milliseconds.
const starvedAfter = 500 * time.Microsecond

// starved reports whether a dispatcher was woken some time ago, and does not run yet.
func (w *worker) starved(now persistence.Instant) bool {
	return !w.running.Load() && now.Sub(persistence.Instant(w.arrived.Load())) >= starvedAfter
}

// loop is what a goroutine of a pool does.
func (w *worker) loop() {
	w.mu.Lock()
	for w.wait() {
		t := w.tasks.pop()
		w.mu.Unlock()
		t.run()
		w.mu.Lock()
	}
	w.mu.Unlock()
}

// wait waits until there are tasks to be run, and reports false where there will be no more. w.mu is held.
func (w *worker) wait() bool {
	for !w.ready() {
		if w.closed && w.tasks.len() == 0 {
			return false
		}
		w.some.Wait()
	}
	return true
}

const (
	// lingers is how often a dispatcher looks for tasks before it sleeps: whoever puts one in has to wake it then, which takes as long as many of them.
	lingers = 32
	// turnOf is how many tasks are run in one turn.
	turnOf = 64
	// turnsHelped is how many turns a caller has in place of the dispatcher at most.
	turnsHelped = 16
)

// dispatch is what the goroutine of a dispatcher does.
func (w *worker) dispatch() {
	w.mu.Lock()
	for w.wait() {
		w.running.Store(true)
		w.takeTurn()
		more := w.tasks.len() > 0
		w.running.Store(more)
		for n := 0; n < lingers && !more; n++ {
			w.mu.Unlock()
			runtime.Gosched()
			w.mu.Lock()
			more = w.tasks.len() > 0
		}
	}
	w.mu.Unlock()
}

// takeTurn runs the first tasks. w.mu is held, but not while they run: nobody else has a turn then, so that nobody can overtake them.
func (w *worker) takeTurn() {
	var tasks [turnOf]task
	n := copy(tasks[:], w.tasks.peek(turnOf))
	w.tasks.drop(n)
	for _, t := range tasks[:n] {
		if m, ok := t.(*intake); ok {
			w.arriving.count(m, -1)
		}
	}
	w.taken = true
	w.mu.Unlock()
	w.approach(tasks[:n])
	for i, t := range tasks[:n] {
		if _, comesIn := t.(arrival); !comesIn {
			w.inPlace.end()
		}
		t.run()
		tasks[i] = nil
	}
	w.inPlace.end()
	w.mu.Lock()
	w.taken = false
}

// approach has what is packed of the conversations come near that proposals among the tasks are made to.
func (w *worker) approach(tasks []task) {
	var targets [turnOf]target
	n := 0
	for _, t := range tasks {
		if m, ok := t.(*intake); ok {
			targets[n].aim(m.shard, m.proposal.Conversation)
			m.mark = targets[n].mark
			n++
		}
	}
	approach(targets[:n])
}

// arrival is a task in which proposals come in: several of them, one after the other, are one part of a turn.
type arrival interface {
	task
	arrives()
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
