package actorstest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// Engine is an engine of a test, with the store that it runs on. Its methods must be called in the test's bubble, and those of this package on the test's own
// goroutine; those that cannot do what they are for fail the test.
//
// The embedded engine is the one that runs now: Crash and Restart replace it, and with it the PID.
type Engine struct {
	*actors.Engine

	Store *persistencetest.Store

	t        *testing.T
	system   *actor.ActorSystem
	config   actors.Config
	machine  clock.Machine
	hands    hands
	recorder *recorder
	mute     func() // the recorder, for the engine that runs now
	faults   faults
	fenced   bool
}

// Run runs body in a bubble of its own with an engine on a new fake store: a whole test in one line. It returns once body has, and everything has ended.
func Run(t *testing.T, config actors.Config, body func(t *testing.T, e *Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		body(t, Start(t, config))
	})
}

// Start starts an engine on a new fake store, in the bubble that the test is in. When the test ends, the store is healed and the engine stopped; the test fails where
// something contradicts itself: see [Engine.Check].
func Start(t *testing.T, config actors.Config) *Engine {
	t.Helper()
	return StartOn(t, nil, nil, config)
}

// StartOn starts an engine as [Start] does: on a store, unless that is nil, and in a host's actor system, unless that is nil. See [NewHost] for one that works in a bubble.
func StartOn(t *testing.T, store *persistencetest.Store, system *actor.ActorSystem, config actors.Config) *Engine {
	t.Helper()
	if store == nil {
		store = persistencetest.NewStore()
	}
	e := &Engine{t: t, system: system, config: config, recorder: newRecorder()}
	e.start(store)
	t.Cleanup(e.finish)
	return e
}

func (e *Engine) start(store *persistencetest.Store) {
	e.t.Helper()
	config := e.config
	e.hands = e.wind(store)
	config.Clock = e.hands.clock
	config.Observer, e.mute = e.recorder.observe(e.config.Observer)
	engine, err := actors.Start(context.Background(), e.system, store, config)
	if err != nil {
		e.t.Fatalf("start the engine: %v", err)
	}
	e.Engine, e.Store, e.fenced = engine, store, false
}

func (e *Engine) finish() {
	e.Heal()
	e.stop(e.t.Errorf)
	e.Check()
}

// stop stops the engine in order, and reports what went wrong unless that was asked for.
func (e *Engine) stop(report func(format string, args ...any)) {
	e.t.Helper()
	err := e.Stop(context.Background())
	if err != nil && !e.t.Failed() && (!e.fenced || !errors.Is(err, persistence.ErrFenced)) {
		report("stop the engine: %v", err)
	}
	e.account()
}

// account fails the test where a stopped engine has not answered for every proposal, or holds on to the store.
func (e *Engine) account() {
	e.t.Helper()
	if p := e.Stats().Proposals; p.Received != p.Applied+p.Refused {
		e.t.Errorf("the engine has ended, and proposals are not accounted for: %d were received, %d applied, %d refused", p.Received, p.Applied, p.Refused)
	}
	if n := e.Store.OpenSnapshots(); n != 0 {
		e.t.Errorf("the engine has ended, and %d snapshots of the store are open", n)
	}
}

// Check fails the test for every contradiction in the store: see [persistencetest.Check]. It is called at the end of every test.
func (e *Engine) Check() {
	e.t.Helper()
	snapshot, err := e.Store.Snapshot()
	if errors.Is(err, persistencetest.ErrCrashed) {
		return
	}
	if err != nil {
		e.t.Errorf("check the store: %v", err)
		return
	}
	defer snapshot.Close()
	for _, err := range persistencetest.Check(context.Background(), snapshot) {
		e.t.Errorf("the store contradicts itself: %v", err)
	}
}

// Advance lets time go by and returns when all is quiet: everything that comes due on the way is dealt with at its own time. Advance(0) waits until every goroutine of
// the bubble, the host's included, waits for something.
func (e *Engine) Advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Crash ends the engine as a power cut would, and starts another on what was committed. The store is healed. What the first engine says while it ends is neither
// recorded nor told to the config's observer, and who still waits for it is refused with ErrUnavailable: a host that went down with it would not have heard that either.
func (e *Engine) Crash() {
	e.t.Helper()
	e.restore(e.Store.Crash())
}

// Restore ends the engine as Crash does, and starts another on a backup that was put back: see [persistencetest.Store.Copy].
func (e *Engine) Restore(backup *persistencetest.Store) {
	e.t.Helper()
	e.Store.Crash()
	e.restore(backup)
}

func (e *Engine) restore(store *persistencetest.Store) {
	e.t.Helper()
	e.mute()
	e.Heal()
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	_ = e.Stop(expired)
	e.account()
	e.start(store)
}

// Restart stops the engine in order and starts another on the same store. With a fault that keeps the store from being written, it would wait for ever: heal it first.
func (e *Engine) Restart() {
	e.t.Helper()
	e.stop(e.t.Fatalf)
	e.start(e.Store)
}

// Fence takes the store over as another engine would, on a machine that believes this one to be dead. This engine learns of it with its next write, which fails; it then
// stops by itself: Done is closed, and Err says persistence.ErrFenced. Restart starts the next.
func (e *Engine) Fence() {
	e.t.Helper()
	shards := make([]persistence.Shard, persistence.Shards)
	for i := range shards {
		shards[i] = persistence.Shard(i)
	}
	if _, err := e.Store.Acquire(context.Background(), shards...); err != nil {
		e.t.Fatalf("take over the store: %v", err)
	}
	e.fenced = true
}

// Rows returns how many rows of conversations, users and events are in the store.
func (e *Engine) Rows() int {
	e.t.Helper()
	snapshot, err := e.Store.Snapshot()
	if err != nil {
		e.t.Fatalf("count rows: %v", err)
	}
	defer snapshot.Close()
	n := 0
	for row, err := range snapshot.Scan(context.Background(), persistence.Range{Start: []byte{0}, End: []byte{0xff}}) {
		if err != nil {
			e.t.Fatalf("count rows: %v", err)
		}
		switch persistence.KindOf(row.Key) {
		case persistence.KindOwner, persistence.KindStore, persistence.KindLineage, persistence.KindOrder, persistence.KindSweep:
		default:
			n++
		}
	}
	return n
}
