package actors

import (
	"sync"
	"sync/atomic"

	"github.com/parley-im/parley/actors/internal/journal"
	"github.com/parley-im/parley/persistence"
)

// events is where watchers find what is new: the latest changes, and which shards may have new events in the store. It holds nothing that belongs to a watcher.
//
// Changes are recorded from the first watcher on. When the last one has left, recording goes on until what came after that would be overtaken anyway, so that
// a watcher which comes back soon has missed nothing.
type events struct {
	clock     *clockwork
	recording atomic.Bool
	// stamps grow, shard by shard, whenever events may have been written. An event that a watcher has not seen is in any snapshot taken after its stamp was read.
	stamps [persistence.Shards]atomic.Uint64
	done   chan struct{} // closed with the engine's last event

	mu       sync.Mutex
	ring     ring
	watchers int           // that are told of changes
	left     uint64        // the ring's end when the last of them left
	wake     chan struct{} // closed when there is something new; nil: nobody waits
	closed   bool

	published, gaps atomic.Uint64
}

func newEvents(c *clockwork, most int) *events {
	return &events{clock: c, ring: newRing(most), done: make(chan struct{})}
}

// enter begins to record for a watcher and returns the position of the next change. Changes that are applied after it returned are recorded.
func (v *events) enter() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.watchers++
	v.recording.Store(true)
	return v.ring.end
}

func (v *events) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.watchers--; v.watchers == 0 {
		v.left = v.ring.end
	}
}

// publish tells of changes that are in the store and in every snapshot from now on.
func (v *events) publish(changes []journal.Change) {
	at := v.clock.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.recording.Load() {
		return
	}
	for i := range changes {
		v.ring.push(committed{Change: changes[i], at: at})
	}
	v.published.Add(uint64(len(changes)))
	if v.watchers == 0 && v.ring.first > v.left {
		v.recording.Store(false)
		v.ring.skip()
	}
	v.broadcast()
}

// expired says that events of a shard may have been written.
func (v *events) expired(shard persistence.Shard) {
	v.stamps[shard].Add(1)
	v.notify()
}

// notify wakes whoever waits.
func (v *events) notify() {
	v.mu.Lock()
	v.broadcast()
	v.mu.Unlock()
}

// broadcast is notify. v.mu is held.
func (v *events) broadcast() {
	if v.wake != nil {
		close(v.wake)
		v.wake = nil
	}
}

// news returns a channel that is closed at the next news. Whoever waits takes it first and looks then, so that nothing comes in between.
func (v *events) news() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.wake == nil {
		v.wake = make(chan struct{})
	}
	return v.wake
}

// read returns changes from a position on, at most n; see ring.read.
func (v *events) read(into []committed, from uint64, n int) (changes []committed, begin uint64, gap bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ring.read(into, from, n)
}

func (v *events) end() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ring.end
}

// close ends all watching.
func (v *events) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.closed {
		v.closed = true
		close(v.done)
	}
}

func (v *events) stats() EventStats {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := EventStats{
		Watchers: v.watchers, Kept: int(v.ring.end - v.ring.first), Bytes: v.ring.bytes, Changed: v.published.Load(), Gaps: v.gaps.Load(),
	}
	if s.Kept > 0 {
		s.Oldest = v.clock.now().Sub(v.ring.at(v.ring.first).at)
	}
	return s
}
