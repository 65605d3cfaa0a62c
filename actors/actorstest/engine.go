// Package actorstest runs a real engine in virtual time, for the tests of what is built on it.
//
// Everything happens in a bubble of testing/synctest: the engine's clock stands still until all goroutines wait, so that thirty days of conversations take as long as the
// work in them. The store is a fake that can be slow, fail and crash; see package persistencetest.
//
//	synctest.Test(t, func(t *testing.T) {
//		e := actorstest.Start(t, actors.Config{Default: conversation.Policy{ExpireAfter: time.Hour}})
//		e.Post("group:42", "ann", 1)
//		e.Advance(time.Hour)
//		if got := e.Expired(); len(got) != 1 { … }
//	})
package actorstest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
	"github.com/parley-im/parley/persistence/persistencetest"
)

// Engine is an engine of a test, with the store that it runs on. Its methods must be called in the test's bubble; those that cannot do what they are for fail
// the test.
type Engine struct {
	*actors.Engine

	Store *persistencetest.Store

	t        *testing.T
	system   *actor.ActorSystem
	config   actors.Config
	recorder *recorder
}

// Start starts an engine on a new fake store. When the test ends it is stopped, and its store is checked for contradictions.
func Start(t *testing.T, config actors.Config) *Engine {
	t.Helper()
	return StartOn(t, persistencetest.NewStore(), nil, config)
}

// StartOn starts an engine on a store, and in a host's actor system unless that is nil.
func StartOn(t *testing.T, store *persistencetest.Store, system *actor.ActorSystem, config actors.Config) *Engine {
	t.Helper()
	e := &Engine{t: t, system: system, recorder: &recorder{}}
	e.config = config
	e.config.Observer = e.recorder.observe(config.Observer)
	e.start(store)
	t.Cleanup(e.finish)
	return e
}

func (e *Engine) start(store *persistencetest.Store) {
	e.t.Helper()
	engine, err := actors.Start(context.Background(), e.system, store, e.config)
	if err != nil {
		e.t.Fatalf("start the engine: %v", err)
	}
	e.Engine, e.Store = engine, store
}

func (e *Engine) finish() {
	if err := e.Stop(context.Background()); err != nil && !e.t.Failed() {
		e.t.Errorf("stop the engine: %v", err)
	}
	e.Check()
}

// Check fails the test for every contradiction in the store.
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

// Advance lets time go by and returns when all is quiet: everything that comes due on the way is dealt with at its own time.
func (e *Engine) Advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Crash ends the engine as a power cut would, and starts another on what was committed. What the first one says in between is not recorded.
func (e *Engine) Crash() {
	e.t.Helper()
	store := e.Store.Crash()
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	_ = e.Stop(expired)
	e.start(store)
}

// Restart stops the engine in order and starts another on the same store.
func (e *Engine) Restart() {
	e.t.Helper()
	if err := e.Stop(context.Background()); err != nil {
		e.t.Fatalf("stop the engine: %v", err)
	}
	e.start(e.Store)
}

// Do proposes a change at the default ack level and returns the reply, which may be a refusal.
func (e *Engine) Do(name string, change conversation.Change) actors.Reply {
	e.t.Helper()
	r, err := e.Propose(context.Background(), &actors.Proposal{Conversation: name, Change: change})
	if err != nil && r.Err == nil {
		e.t.Fatalf("propose %s to %s: %v", change.Kind(), name, err)
	}
	return r
}

// Post proposes a post, and fails the test where that is refused.
func (e *Engine) Post(name, sender string, seq uint64, members ...string) actors.Reply {
	e.t.Helper()
	r := e.Do(name, &conversation.Post{Seq: seq, Sender: sender, Members: members})
	if r.Err != nil {
		e.t.Fatalf("post %d to %s: %v", seq, name, r.Err)
	}
	return r
}

// View returns what a user sees of a conversation, nil where there is nothing.
func (e *Engine) View(name, user string) *conversation.View {
	e.t.Helper()
	v, err := e.Get(context.Background(), name, user)
	if errors.Is(err, conversation.ErrNotFound) {
		return nil
	}
	if err != nil {
		e.t.Fatalf("get %s for %q: %v", name, user, err)
	}
	return &v
}

// Expired returns the generations that were deleted so far, in the order of their deletion.
func (e *Engine) Expired() []actors.ExpiredInfo {
	e.recorder.mu.Lock()
	defer e.recorder.mu.Unlock()
	return append([]actors.ExpiredInfo(nil), e.recorder.expired...)
}

// Failed returns the failures that were contained so far.
func (e *Engine) Failed() []actors.FailedInfo {
	e.recorder.mu.Lock()
	defer e.recorder.mu.Unlock()
	return append([]actors.FailedInfo(nil), e.recorder.failed...)
}

// recorder remembers what an engine says.
type recorder struct {
	mu      sync.Mutex
	expired []actors.ExpiredInfo
	failed  []actors.FailedInfo
}

// observe returns an observer that records, and passes everything on to next.
func (r *recorder) observe(next *actors.Observer) *actors.Observer {
	var o actors.Observer
	if next != nil {
		o = *next
	}
	expired, failed := o.Expired, o.Failed
	o.Expired = func(info actors.ExpiredInfo) {
		r.mu.Lock()
		r.expired = append(r.expired, info)
		r.mu.Unlock()
		if expired != nil {
			expired(info)
		}
	}
	o.Failed = func(info actors.FailedInfo) {
		r.mu.Lock()
		r.failed = append(r.failed, info)
		r.mu.Unlock()
		if failed != nil {
			failed(info)
		}
	}
	return &o
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
		case persistence.KindOwner, persistence.KindStore:
		default:
			n++
		}
	}
	return n
}
