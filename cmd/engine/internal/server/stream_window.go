package server

import (
	"context"
	"sync"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// How much of a stream may be unanswered before the server stops reading it.
const (
	streamWindow = 1_024   // proposals
	streamBytes  = 4 << 20 // bytes of them; the last one read may go beyond
)

// window holds the proposals of a stream that were read and whose responses were not sent yet. It bounds them, and it brings the answers, which come as
// the engine has them, into the order of each conversation's proposals. One goroutine adds, one sends, any may answer.
type window struct {
	answered chan struct{} // holds a token when there is something to take
	room     chan struct{} // holds a token when something was sent

	mu     sync.Mutex
	lanes  map[string]*lane // by conversation: those with unanswered proposals
	ready  []*slot          // answered, in order, to be sent
	slots  int              // not sent yet
	bytes  int              // of them
	closed bool             // nothing will be added
}

// lane is a conversation's proposals, from the first that is unanswered on.
type lane struct{ first, last *slot }

// slot is the place of one proposal. Its answer is set once.
type slot struct {
	conversation string
	size         int
	next         *slot
	reply        *actors.Reply   // of the engine
	fault        *parleyv1.Error // of a message that is no proposal
}

func newWindow() *window {
	return &window{answered: make(chan struct{}, 1), room: make(chan struct{}, 1), lanes: map[string]*lane{}}
}

// wait returns true once there is room for a proposal, or false where over is closed or ctx ends first.
func (w *window) wait(ctx context.Context, over <-chan struct{}) bool {
	for {
		select {
		case <-over:
			return false
		case <-ctx.Done():
			return false
		default:
		}
		w.mu.Lock()
		fits := w.slots < streamWindow && w.bytes < streamBytes
		w.mu.Unlock()
		if fits {
			return true
		}
		select {
		case <-w.room:
		case <-over:
		case <-ctx.Done():
		}
	}
}

// add gives a proposal its place: after those of its conversation that were added before.
func (w *window) add(conversation string, size int) *slot {
	s := &slot{conversation: conversation, size: size}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slots++
	w.bytes += size
	if l := w.lanes[conversation]; l != nil {
		l.last.next = s
		l.last = s
	} else {
		w.lanes[conversation] = &lane{first: s, last: s}
	}
	return s
}

// answer sets what a proposal came to. It does not block.
func (w *window) answer(s *slot, reply *actors.Reply, fault *parleyv1.Error) {
	w.mu.Lock()
	s.reply, s.fault = reply, fault
	l := w.lanes[s.conversation]
	for l.first != nil && (l.first.reply != nil || l.first.fault != nil) {
		w.ready = append(w.ready, l.first)
		l.first = l.first.next
	}
	if l.first == nil {
		delete(w.lanes, s.conversation)
	}
	w.mu.Unlock()
	signal(w.answered)
}

// replied returns the engine's answer to a proposal, nil where it has none yet.
func (w *window) replied(s *slot) *actors.Reply {
	w.mu.Lock()
	defer w.mu.Unlock()
	return s.reply
}

// take returns what is to be sent now, in order, and whether there will be no more: the window is closed and everything was released.
func (w *window) take() (ready []*slot, done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ready, w.ready = w.ready, nil
	return ready, w.closed && w.slots == 0
}

// release makes room: the slot's response was sent, or nobody is left to send it to.
func (w *window) release(s *slot) {
	w.mu.Lock()
	w.slots--
	w.bytes -= s.size
	w.mu.Unlock()
	signal(w.room)
}

// close says that nothing will be added.
func (w *window) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	signal(w.answered)
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
