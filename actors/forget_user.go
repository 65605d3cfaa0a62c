package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// ForgetUser has a user removed from all conversations, held ones included, and returns how many of them have yet to do it, about; 0 once all have, and that is durable. It
// does not wait for them, unless there are none, in which case it makes sure of that.
//
// The first call is the order, which is in the store when it is answered, and is carried out whatever happens, also by the next start. From then on the user is a member of nothing
// they were in: to the user's lists, badge and questions, and to what is proposed of them. Each conversation, in its turn, removes the membership, with drafts, settings and
// marks, and what leads to it; does without the user in its counts and its roster; and shows messages of theirs as nobody's, with their previews, which count for others as they
// did. A generation that is over counts as remaining until the reaper has deleted it. What is kept for a time names the user still: removals, which tell the user's devices (Config.SyncHorizon),
// and events of generations that were over (Config.EventsFor).
//
// What is proposed after the order is not meant by it: whoever is posted to, joins or posts afterwards begins afresh, and none of what was before comes back. A repeat of one of the last 256
// messages brings nobody back.
//
// A call while an order for the user is carried out reports how far that is, and orders nothing more; one when none is, is the next order: to ask only, use Forgetting. Calls may be made
// from any goroutine.
//
// It returns an error of kind ErrInvalid for a bad name; ErrOverloaded where Config.MaxForgetting users are being forgotten, or the store is full; ErrUnavailable where the engine
// is stopping: then an order may have been given, or not. When ctx ends first, the order may have been given, too, and the error wraps ctx's cause. Asking again is safe.
func (e *Engine) ForgetUser(ctx context.Context, user string) (remaining uint64, err error) {
	if err := conversation.CheckUser("user", user); err != nil {
		return 0, err
	}
	o, isNew, refusal := e.order(user)
	if refusal != nil {
		return 0, refusal
	}
	return e.remaining(ctx, o, isNew)
}

// Forgetting reports how far the order to forget a user is, as [Engine.ForgetUser] does, and orders nothing. It returns 0 where no order is being carried out, whether one was or none was ever given.
func (e *Engine) Forgetting(ctx context.Context, user string) (remaining uint64, err error) {
	if err := conversation.CheckUser("user", user); err != nil {
		return 0, err
	}
	if e.stopped() {
		return 0, unavailable("", ErrStopped)
	}
	o := e.orders.find(user)
	if o == nil {
		return 0, nil
	}
	return e.remaining(ctx, o, false)
}

// remaining returns how many conversations have yet to do what is ordered. Where none has, it waits until that is durable.
func (e *Engine) remaining(ctx context.Context, o *order, isNew bool) (remaining uint64, err error) {
	if err := e.await(ctx, o.ready); err != nil {
		return 0, err
	}
	if o.refusal != nil {
		return 0, o.refusal
	}
	if !o.counted.Load() {
		// It was given in an earlier life of the engine.
		if _, err := e.countFor(ctx, o); err != nil {
			return 0, asError(err)
		}
	}
	remaining = o.left.Load()
	if isNew {
		remaining = o.first
	}
	if remaining > 0 {
		return remaining, nil
	}
	return 0, e.await(ctx, o.over)
}

// order returns the order to forget a user, and whether it is a new one, which it has written.
func (e *Engine) order(user string) (o *order, isNew bool, refusal *conversation.Error) {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return nil, false, unavailable("", ErrStopped)
	}
	if o, isNew = e.orders.add(user, e.config.MaxForgetting); o == nil {
		return nil, false, &conversation.Error{
			Kind: conversation.ErrOverloaded, Reason: fmt.Sprintf("%d users are being forgotten, which is the most at a time", e.config.MaxForgetting), RetryAfter: time.Second,
		}
	}
	if isNew {
		e.background(func() { e.give(o) })
	}
	return o, isNew, nil
}

// await waits for something that the engine will do.
func (e *Engine) await(ctx context.Context, what <-chan struct{}) error {
	select {
	case <-what:
		return nil
	default:
	}
	select {
	case <-what:
		return nil
	case <-e.done:
		return unavailable("", ErrStopped)
	case <-ctx.Done():
		return fmt.Errorf("parley: the outcome is unknown: %w", context.Cause(ctx))
	}
}

// give brings an order into the store, and into force. Whether a failed attempt wrote it is not known, so that it is tried until it is certain; only of a store that was full from
// the beginning is it known that it did not.
func (e *Engine) give(o *order) {
	for attempt := 1; ; attempt++ {
		err := e.write(o)
		switch {
		case err == nil:
			e.orders.enforce(o)
			e.forgetter.add(o)
			return
		case errors.Is(err, persistence.ErrStoreFull) && attempt == 1:
			e.orders.refuse(o, &conversation.Error{
				Kind: conversation.ErrOverloaded, Reason: "the store is out of space; free some", RetryAfter: time.Second, Cause: err,
			})
			return
		}
		if e.forgetter.ctx.Err() == nil {
			e.reapFailed(err)
		}
		if e.wait(e.forgetter.ctx, backOff(attempt, longestBackOff)) != nil {
			e.orders.refuse(o, unavailable("", ErrStopped))
			return
		}
	}
}

func (e *Engine) write(o *order) error {
	if o.at == 0 {
		outlived, err := e.countFor(e.forgetter.ctx, o)
		if err != nil {
			return err
		}
		o.at, o.first = e.orders.draw(e.clock.now(), outlived), o.left.Load()
	}
	shard := persistence.ShardOf(o.user)
	return e.commit(e.forgetter.ctx, e.clock.now(), []persistence.Group{{
		Shard: shard, Epoch: e.shards[shard].epoch,
		Puts: []persistence.Put{{Key: persistence.OrderKey(o.user), Value: persistence.Order{At: o.at}.Encode()}},
	}})
}

// countFor counts the user's memberships, unless that was done, and returns the latest order that one of them outlived.
func (e *Engine) countFor(ctx context.Context, o *order) (outlived persistence.Instant, err error) {
	giveBack, err := e.take(ctx)
	if err != nil {
		return 0, err
	}
	defer giveBack()
	pending := e.journal.UserRows(o.user, persistence.MembershipsRange(o.user))
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return 0, err
	}
	defer snapshot.Close()
	n, i := uint64(0), 0
	for row, err := range snapshot.Scan(ctx, persistence.MembershipsRange(o.user)) {
		if err != nil {
			return 0, err
		}
		m, err := persistence.DecodeMembership(row.Value)
		if err != nil {
			return 0, err
		}
		outlived = max(outlived, m.Outlived)
		for i < len(pending) && string(pending[i]) < string(row.Key) {
			i, n = i+1, n+1
		}
		if i < len(pending) && string(pending[i]) == string(row.Key) {
			i++
		}
		if o.at == 0 || m.Outlived < o.at {
			n++
		}
	}
	n += uint64(len(pending) - i)
	if o.counted.CompareAndSwap(false, true) {
		o.left.Store(n)
	}
	return outlived, nil
}

// readOrders brings the orders into force that the store has. The engine has not started.
func (e *Engine) readOrders(ctx context.Context) error {
	snapshot, err := e.store.Snapshot()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	for shard := range persistence.Shard(persistence.Shards) {
		for row, err := range snapshot.Scan(ctx, persistence.OrdersRange(shard)) {
			if err != nil {
				return err
			}
			user, err := persistence.ParseOrderKey(row.Key)
			if err != nil {
				return err
			}
			stored, err := persistence.DecodeOrder(row.Value)
			if err != nil {
				return err
			}
			o := newOrder(user)
			o.at = stored.At
			e.orders.enforce(o)
			e.forgetter.queue = append(e.forgetter.queue, o)
		}
	}
	return nil
}
