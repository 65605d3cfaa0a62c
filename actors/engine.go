package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/sys/cpu"

	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// ErrStopped is the cause of the ErrUnavailable that a stopped, or stopping, engine answers with.
var ErrStopped = errors.New("the engine has stopped")

// Engine keeps conversations. Its methods may be called from any goroutine.
type Engine struct {
	config         Config
	store          persistence.Store
	clock          *clockwork
	system         *actor.ActorSystem // the engine's own
	root           *actor.PID
	reaper         *actor.PID
	door           *door
	shards         []*shard
	workers        []*worker
	loaders        *worker
	journal        *journal.Journal
	agenda         *agenda
	events         *events
	cursors        cursors
	eventLog       eventLog
	deletions      deletions
	pace           *pace
	strain         strain
	began          persistence.Instant
	lineage        lineage
	turns          *turns
	sweeper        *sweeper
	pruner         *pruner
	orders         orders
	forgetter      *forgetter
	census         *census
	residency      *residency
	names          atomic.Uint64 // of actors
	applying       sync.Mutex    // held by the one ApplyPolicies
	reaperAttempts atomic.Uint64
	rootStopped    <-chan struct{}
	counts         counts
	trap           trap

	entrance

	ctx        context.Context //nolint:containedctx // ends what the engine's goroutines do at the store; stop waits for them
	cancel     context.CancelCauseFunc
	draining   atomic.Bool
	work       sync.WaitGroup // surveys, deletions and the steps of chores
	stopOnce   sync.Once
	stopResult error
	policies   policies
	callers    sync.Pool // of *caller that wait for nothing
	done       chan struct{}
	failure    atomic.Pointer[error]
}

// entrance is what each proposal that comes in writes. It shares no cache line with what is read for each one that is applied, by another processor.
type entrance struct {
	_ cpu.CacheLinePad

	gate     sync.RWMutex // held for reading while something is offered; whoever holds it for writing sees no offer half made
	closed   bool         // under gate
	received atomic.Uint64
	queued   atomic.Int64 // bytes of the proposals in all queues, about

	_ cpu.CacheLinePad
}

// Start starts an engine on a store, which it takes ownership of all shards of: an engine that had them before is fenced. It returns when the engine is
// ready, which does not depend on how much is stored. ctx bounds the start alone; ending it later does not stop the engine: see [Engine.Stop].
//
// system is the host's actor system, in which the engine has its address ([Engine.PID]); it may be nil for use from plain Go. Whatever else the engine
// runs is in an actor system of its own. The store stays the caller's: close it after Stop.
func Start(ctx context.Context, system *actor.ActorSystem, store persistence.Store, config Config) (*Engine, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("parley: config: %w", err)
	}
	meta := store.Meta()
	if meta.Shards != persistence.Shards {
		return nil, fmt.Errorf("parley: the store has %d shards, this program has %d", meta.Shards, persistence.Shards)
	}
	numbers := make([]persistence.Shard, persistence.Shards)
	for i := range numbers {
		numbers[i] = persistence.Shard(i)
	}
	epochs, err := store.Acquire(ctx, numbers...)
	if err != nil {
		return nil, fmt.Errorf("parley: acquire the shards: %w", err)
	}
	lineage, err := begin(ctx, store, epochs[0])
	if err != nil {
		return nil, fmt.Errorf("parley: note the start in the store: %w", err)
	}
	e := &Engine{config: config.withDefaults(), store: store, lineage: lineage, done: make(chan struct{})}
	e.trap, e.policies = config.trap, e.config.policies()
	e.ctx, e.cancel = context.WithCancelCause(context.Background())
	e.clock = newClockwork(e.config.Clock, meta.Clock)
	e.turns = newTurns(e.config.Readers, e.config.ReadShare*float64(runtime.GOMAXPROCS(0)), e.clock)
	e.forgetter = newForgetter(e)
	if err := e.readOrders(ctx); err != nil {
		e.cancel(err)
		return nil, fmt.Errorf("parley: read which users are to be forgotten: %w", err)
	}
	e.pace, e.began = newPace(e.config.Reaper), e.clock.now()
	e.store = &timedStore{Store: store, clock: e.clock, took: &e.counts.commits.upkeep}
	e.events, e.cursors = newEvents(e.clock, e.config.WatchBuffer), newCursors(meta.Incarnation)
	e.system = newSystem()
	for range e.config.Workers {
		e.workers = append(e.workers, startDispatcher(e, len(e.workers)))
	}
	e.sweeper = &sweeper{engine: e}
	e.pruner, e.census, e.residency = newPruner(e), newCensus(e), newResidency(e)
	e.loaders = startWorker(e.config.Loaders)
	for i := range numbers {
		s := &shard{engine: e, number: numbers[i], epoch: epochs[i], worker: e.workers[i%len(e.workers)], cells: newTable()}
		s.next = s.nextGeneration
		e.shards = append(e.shards, s)
	}
	e.agenda = newAgenda(e.clock, e.after, func() { e.tellReaper(&alarm{}) })
	e.journal = journal.Open(e.journalConfig(store, epochs))
	e.startActors()
	e.agenda.lookEverywhere()
	e.pruner.start()
	e.forgetter.wake()
	e.census.start()
	e.residency.start()
	e.door = openDoor(system, e)
	return e, nil
}

func (e *Engine) journalConfig(store persistence.Store, epochs []persistence.Epoch) journal.Config {
	observer := e.config.Observer
	info := func(a journal.Attempt) FlushInfo {
		return FlushInfo{Conversations: a.Conversations, Rows: a.Rows, Bytes: a.Bytes, Age: a.Age, Attempt: a.Number}
	}
	return journal.Config{
		Store:    &timedStore{Store: store, clock: e.clock, took: &e.counts.commits.journal},
		Epochs:   epochs,
		Now:      e.clock.now,
		After:    func(d time.Duration, f func()) func() bool { return e.config.Clock.AfterFunc(d, f).Stop },
		Interval: e.config.FlushInterval, MostInterval: e.config.MaxFlushInterval,
		Rows:     e.config.FlushRows,
		MaxBytes: e.config.MaxJournalBytes,
		Gather:   e.gather,
		Oldest:   e.unsettled,
		OnFlush: func(seq uint64) {
			e.tellReaper(&flushed{seq: seq})
			e.events.notify()
		},
		OnCommitted: e.events.publish,
		OnPoison:    e.poison,
		OnFenced:    e.fail,
		Begin: func(a journal.Attempt) {
			e.strain.flushBegan(e.clock.now(), e.waiting())
			if observer.FlushBegin != nil {
				observer.FlushBegin(info(a))
			}
		},
		End: func(a journal.Attempt, took time.Duration, err error) {
			e.strain.flushEnded(e.clock.now(), err != nil)
			if observer.FlushEnd != nil {
				i := info(a)
				i.Took, i.Err = took, err
				observer.FlushEnd(i)
			}
		},
	}
}

// poison quarantines a conversation of which the journal dropped rows. Its due entry in the store may now be another one than the reaper was told.
func (e *Engine) poison(name string, err error) {
	s := e.shardOf(name)
	s.tell(&poisoned{conversation: name, err: err})
	e.agenda.look(s.number, 0, e.clock.now())
}

// PID returns the engine's address in the host's actor system, nil if it was started without one. It takes *[Proposal]: with Request it answers with a
// *[Reply], with Send failures are counted and told to [Observer.Unanswered]. It stays good after Stop, and then answers that the engine has stopped. Watching it
// gives Terminated when the engine stops. Stopping or poisoning it does nothing. Replies are sent from the engine's workers: the asker's mailbox must
// not block its senders, as protoactor's bounded one does.
func (e *Engine) PID() *actor.PID { return e.door.pid }

// Done is closed once the engine has stopped, by Stop or by itself.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Err says why the engine stopped by itself, which it does when the store has a newer owner of a shard (persistence.ErrFenced); nil if it did not.
func (e *Engine) Err() error {
	if err := e.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// fail stops the engine by itself: it may not write any more.
func (e *Engine) fail(err error) {
	if e.failure.CompareAndSwap(nil, &err) {
		go func() { _ = e.stop(e.ctx, err) }() // Err says why; stop waits for all other goroutines, and Done for this one
	}
}

func (e *Engine) shardOf(name string) *shard { return e.shards[persistence.ShardOf(name)] }

// after calls f at a time of the engine's clock.
func (e *Engine) after(at persistence.Instant, f func()) clock.Timer {
	return e.config.Clock.AfterFunc(at.Sub(e.clock.now()), f)
}

// turnsEnd returns once every turn that the workers had begun has ended, and all that had been accepted has come in; or with ctx's cause.
func (e *Engine) turnsEnd(ctx context.Context) error {
	for _, w := range e.workers {
		ended := make(chan struct{})
		w.push(taskFunc(func() { close(ended) }))
		select {
		case <-ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-e.done:
			return unavailable("", ErrStopped)
		}
	}
	return nil
}

// background runs f on a goroutine that stop waits for.
func (e *Engine) background(f func()) { e.work.Go(f) }

func (e *Engine) tellReaper(message any) { e.system.Root.Send(e.reaper, message) }

// unexpected reports a message that nobody should have sent.
func (e *Engine) unexpected(what string, message any) {
	e.failed(FailedInfo{What: what, Reason: fmt.Sprintf("unexpected message %T", message)})
}

func (e *Engine) failed(info FailedInfo) {
	e.counts.panics.Add(1)
	if e.config.Observer.Failed != nil {
		e.config.Observer.Failed(info)
	}
}

// emit lets readers see an outcome, sends it on its way to the store, and tells the reaper what it means; and, once it is in the store, the watchers. It returns the journal's batch, or an
// error where the journal takes nothing of the conversation any more, and nothing has happened. live is locked.
func (e *Engine) emit(s *shard, live *journal.Live, outcome *conversation.Outcome, note journal.Note, waiter *commitReply) (seq uint64, err error) {
	if waiter != nil {
		seq, err = live.Add(outcome.Writes, note, waiter)
	} else {
		seq, err = live.Add(outcome.Writes, note, nil)
	}
	if err != nil {
		return 0, err
	}
	if outcome.Due != 0 {
		e.agenda.due(s.number, outcome.Due)
	}
	if outcome.Ended != nil {
		e.tellReaper(&ended{ending: outcome.Ended, after: seq})
	}
	return seq, nil
}
