package chat

import (
	"sync/atomic"
)

// The limit on what is sent and not done yet, on all sides alike: so many tokens, each for so many messages.
const (
	tokens   = 8
	perToken = 512
)

// Window bounds how many messages of all senders are under way, and counts those that are done. Its cost is an atomic addition for each message and
// a channel operation for every 512th.
type Window struct {
	free chan struct{}
	done atomic.Int64
}

// NewWindow returns an empty window.
func NewWindow() *Window {
	w := &Window{free: make(chan struct{}, tokens)}
	for range tokens {
		w.free <- struct{}{}
	}
	return w
}

// Take waits until 512 messages may be sent, and returns that number.
func (w *Window) Take() int {
	<-w.free
	return perToken
}

// Done says that a message was dealt with. It may be called from any goroutine and does not block.
func (w *Window) Done() {
	if w.done.Add(1)%perToken == 0 {
		w.free <- struct{}{}
	}
}

// Count returns how many were dealt with.
func (w *Window) Count() int64 { return w.done.Load() }

// Drain waits until all that was taken was dealt with. Nobody may take meanwhile.
func (w *Window) Drain() {
	for range tokens {
		<-w.free
	}
	for range tokens {
		w.free <- struct{}{}
	}
}
