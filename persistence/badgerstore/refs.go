package badgerstore

import "sync/atomic"

// refs counts the users of something that is disposed of when the last one leaves. It begins with one user.
type refs struct{ n atomic.Int64 }

func (r *refs) begin() { r.n.Store(1) }

// acquire adds a user; false: the last one left already.
func (r *refs) acquire() bool {
	for {
		n := r.n.Load()
		if n == 0 {
			return false
		}
		if r.n.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release takes a user away and reports whether it was the last.
func (r *refs) release() bool { return r.n.Add(-1) == 0 }

// gate lets reads in until it is closed. Badger unmaps its files when it closes: a read under way then would crash the process.
type gate struct {
	users refs
	shut  atomic.Bool
	empty chan struct{}
}

func newGate() *gate {
	g := &gate{empty: make(chan struct{})}
	g.users.begin()
	return g
}

// enter reports whether the caller may read; it must then leave.
func (g *gate) enter() bool { return !g.shut.Load() && g.users.acquire() }

func (g *gate) leave() {
	if g.users.release() {
		close(g.empty)
	}
}

// close lets nobody in any more and waits for those inside. It must be called once.
func (g *gate) close() {
	g.shut.Store(true)
	g.leave()
	<-g.empty
}

func (g *gate) closed() bool { return g.shut.Load() }
