package actors

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// orders are those to forget users that are not carried out yet. One is in force from when it is in the store: then proposals that are accepted come after it, and readers take
// what it means for gone. The zero value has none.
type orders struct {
	forced atomic.Int64 // how many are in force
	top    atomic.Int64 // the highest instant of those that are or were, as a persistence.Instant

	mu     sync.Mutex
	last   persistence.Instant // drawn
	byUser map[string]*order
}

// order is one of them.
type order struct {
	user  string
	ready chan struct{} // closed once it is in force, or refused
	over  chan struct{} // closed once it is carried out, and that is durable

	// Set before ready is closed.
	at      persistence.Instant
	refusal *conversation.Error
	first   uint64 // conversations that had yet to do it when it was given

	inForce bool          // under orders.mu
	left    atomic.Uint64 // conversations that have yet to do it, about
	counted atomic.Bool   // left is known

	pass pass // the forgetter's
}

// latest returns the highest instant of an order that is or was in force.
func (o *orders) latest() persistence.Instant { return persistence.Instant(o.top.Load()) }

// any reports whether an order is in force.
func (o *orders) any() bool { return o.forced.Load() > 0 }

// of returns when the order to forget a user was given, zero where none is in force.
func (o *orders) of(user string) persistence.Instant { return o.within(user, persistence.Never) }

func (o *orders) within(user string, upTo persistence.Instant) persistence.Instant {
	if user == "" || !o.any() {
		return 0
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if order := o.byUser[user]; order != nil && order.inForce && order.at <= upTo {
		return order.at
	}
	return 0
}

// before returns what looks for orders up to an instant; nil where there is none.
func (o *orders) before(upTo persistence.Instant) func(user string) persistence.Instant {
	if upTo == 0 || !o.any() {
		return nil
	}
	return func(user string) persistence.Instant { return o.within(user, upTo) }
}

// add returns the order to forget a user, and whether it is a new one, to be brought into force; nil where there are too many.
func (o *orders) add(user string, most int) (added *order, isNew bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if there := o.byUser[user]; there != nil {
		return there, false
	}
	if len(o.byUser) >= most {
		return nil, false
	}
	added = newOrder(user)
	o.keep(added)
	return added, true
}

// find returns the order to forget a user, nil where none is there.
func (o *orders) find(user string) *order {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.byUser[user]
}

func (o *orders) keep(added *order) {
	if o.byUser == nil {
		o.byUser = map[string]*order{}
	}
	o.byUser[added.user] = added
}

func newOrder(user string) *order {
	return &order{user: user, ready: make(chan struct{}), over: make(chan struct{})}
}

// draw returns an instant for an order: not before now, and behind that of every other order and of what a membership of the user has outlived.
func (o *orders) draw(now, outlived persistence.Instant) persistence.Instant {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = max(now, o.last+1, outlived+1)
	return o.last
}

// enforce brings an order into force, which is in the store.
func (o *orders) enforce(order *order) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keep(order)
	order.inForce = true
	o.last = max(o.last, order.at)
	o.forced.Add(1)
	// After the order can be found: whoever sees the number finds it.
	o.top.Store(max(o.top.Load(), int64(order.at)))
	close(order.ready)
}

// refuse lets go of an order that is not in the store.
func (o *orders) refuse(order *order, why *conversation.Error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.byUser, order.user)
	order.refusal = why
	close(order.ready)
}

// done lets go of an order that was carried out.
func (o *orders) done(order *order) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.byUser, order.user)
	order.inForce = false
	o.forced.Add(-1)
	close(order.over)
}

func (o *orders) stats(now persistence.Instant) (s ForgetStats) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, order := range o.byUser {
		if !order.inForce {
			continue
		}
		s.Users++
		s.Remaining += order.left.Load()
		s.Oldest = max(s.Oldest, now.Sub(order.at), time.Microsecond)
	}
	return s
}
