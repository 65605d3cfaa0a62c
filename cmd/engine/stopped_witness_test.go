package main

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
	"github.com/parley-im/parley/persistence"
)

// stopWitness knows what clients were told, and when that is over.
type stopWitness struct {
	t         *testing.T
	start     time.Time
	retention map[string]time.Duration // by namespace

	mu     sync.Mutex
	lives  map[stopLife]*stopNote
	latest map[string]uint64 // generation, by conversation
}

type stopLife struct {
	name       string
	generation uint64
}

// stopNote is what was acknowledged in a generation.
type stopNote struct {
	seq   uint64
	until time.Time // it is not over before
	over  bool      // a mark was refused for that
	ended bool      // and its deletion was told of
}

// now goes by elapsed time, as the server's clock does.
func (w *stopWitness) now() time.Time { return w.start.Round(0).Add(time.Since(w.start)) }

// draw returns the n-th proposal of a client: a message or, where the retention goes by changes of any kind, now and then a mark.
func (w *stopWitness) draw(name string, n int) *parleyv1.ProposeRequest {
	if w.mu.Lock(); persistence.Namespace(name) == "idle" && n%3 > 0 {
		if life := w.lives[stopLife{name, w.latest[name]}]; life != nil && !life.over {
			defer w.mu.Unlock()
			return &parleyv1.ProposeRequest{Conversation: name, Change: &parleyv1.ProposeRequest_Read{Read: &parleyv1.Read{User: "bob", Seq: uint64(n) + 1}}}
		}
	}
	w.mu.Unlock()
	post := &parleyv1.Post{Seq: uint64(n) + 1, Sender: "ann", Members: []string{"bob"}}
	return &parleyv1.ProposeRequest{Conversation: name, Change: &parleyv1.ProposeRequest_Post{Post: post}}
}

// refused takes in an error: a mark may come too late.
func (w *stopWitness) refused(name string, request *parleyv1.ProposeRequest, err error) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	life := w.lives[stopLife{name, w.latest[name]}]
	if life == nil || request.GetRead() == nil || connect.CodeOf(err) != connect.CodeNotFound || w.now().Before(life.until.Add(-stopSlew)) {
		w.t.Errorf("propose to %s: %v", name, err)
		return
	}
	life.over = true
}

// acknowledged takes in an answer. A conversation that was not over by then goes on in its generation.
func (w *stopWitness) acknowledged(name string, request *parleyv1.ProposeRequest, response *parleyv1.ProposeResponse, began time.Time) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	now, generation := w.now(), response.GetGeneration()
	before := w.lives[stopLife{name, w.latest[name]}]
	if before != nil && generation != w.latest[name] && (w.retention[persistence.Namespace(name)] == 0 || now.Before(before.until.Add(-stopSlew))) {
		w.t.Errorf("%s is in generation %d at %v, but generation %d was touched and is not over before %v", name, generation, now, w.latest[name], before.until)
	}
	if generation < w.latest[name] {
		w.t.Errorf("%s is in generation %d again, after %d", name, generation, w.latest[name])
	}
	if !response.GetChanged() {
		return
	}
	life := w.lives[stopLife{name, generation}]
	if life == nil {
		life = &stopNote{}
		w.lives[stopLife{name, generation}], w.latest[name] = life, generation
	}
	life.until = began.Add(w.retention[persistence.Namespace(name)])
	life.seq = max(life.seq, request.GetPost().GetSeq())
}

// pause returns once the process has been stopped for long enough. Answers that were on their way arrive in the first half; in the second there are none.
func (w *stopWitness) pause(answered *atomic.Int64, acks <-chan struct{}) {
	w.t.Helper()
	half := time.After(*stopFor / 2) // the time for which a process stands still is the machine's
	for waiting := true; waiting; {
		select {
		case <-acks:
		case <-half:
			waiting = false
		}
	}
	before := answered.Load()
	select {
	case <-acks:
		w.t.Errorf("%d proposals were answered by a process that is stopped", answered.Load()-before)
	case <-time.After(*stopFor / 2):
	}
}

// left is how many generations are yet to expire.
func (w *stopWitness) left() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for life, note := range w.lives {
		if w.retention[persistence.Namespace(life.name)] > 0 && !note.ended {
			n++
		}
	}
	return n
}

// expired takes in the end of a generation.
func (w *stopWitness) expired(event *parleyv1.Event) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	end := event.GetExpired()
	if end == nil {
		w.t.Errorf("got %v, want nothing but ends", event)
		return
	}
	deadline := end.GetDeadline().AsTime()
	switch note := w.lives[stopLife{event.GetConversation(), event.GetGeneration()}]; {
	case note == nil:
		w.t.Errorf("generation %d of %s expired, in which nothing was acknowledged", event.GetGeneration(), event.GetConversation())
	case note.ended:
		w.t.Errorf("generation %d of %s expired a second time", event.GetGeneration(), event.GetConversation())
	case end.GetLastSeq() < note.seq || deadline.Before(note.until.Add(-stopSlew)):
		w.t.Errorf("generation %d of %s ended at %v with message %d, but %d was acknowledged, and it is not over before %v",
			event.GetGeneration(), event.GetConversation(), deadline, end.GetLastSeq(), note.seq, note.until)
	default:
		note.ended = true
	}
}
