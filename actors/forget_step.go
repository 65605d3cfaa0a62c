package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/parley-im/parley/persistence"
)

// pass is how far a walk through a user's conversations has come.
type pass struct {
	begun bool
	// busy are conversations that had something to do when the order came into force: what they had accepted before that is meant by it, and is in no row yet.
	busy  []string
	after string // the last of the user's conversations that was dealt with
	found int    // with a membership that is meant
	done  int    // among those, that forgot the user
	more  bool   // a conversation forgot the user that was busy before
	idle  int    // passes in a row in which none did
	// quiet is when no conversation was left for the first time: what was over by then may be half deleted, and the half that is left may name the user.
	quiet persistence.Instant
	flush uint64 // the journal's batch with the last of what they wrote

	failures  int // of steps, in a row
	failure   *error
	notBefore persistence.Instant
}

// rowsOfForgotten is about how many rows a conversation writes or deletes when it forgets a user.
const rowsOfForgotten = 8

// step has some conversations forget a user, or finds that all have. It returns how long to wait for the next step of anybody's.
func (f *forgetter) step(o *order) (wait time.Duration) {
	e, p := f.engine, &o.pass
	began := e.clock.now()
	info := ForgetInfo{User: o.user, Age: began.Sub(o.at), Remaining: o.left.Load(), Attempt: p.failures + 1}
	if e.config.Observer.ForgetBegin != nil {
		e.config.Observer.ForgetBegin(info)
	}
	err := f.advance(o, &info)
	info.Took, info.Err, info.Remaining = e.clock.now().Sub(began), err, o.left.Load()
	if e.config.Observer.ForgetEnd != nil {
		e.config.Observer.ForgetEnd(info)
	}
	switch {
	case err != nil && f.ctx.Err() != nil:
		return 0 // that it failed is what stop asked for
	case err != nil:
		p.failures++
		p.failure = e.reapFailed(err)
		p.notBefore = e.clock.now().Add(backOff(p.failures, longestBackOff))
	default:
		e.counts.reapRecovered(p.failure)
		p.failures, p.failure = 0, nil
	}
	return e.pace.unhurried(info.Rows)
}

func (f *forgetter) advance(o *order, info *ForgetInfo) error {
	e, p := f.engine, &o.pass
	if !o.counted.Load() {
		if _, err := e.countFor(f.ctx, o); err != nil {
			return err
		}
	}
	if !p.begun {
		p.begun, p.busy = true, e.busy()
	}
	room := max(1, e.config.Reaper.BatchRows/rowsOfForgotten)
	if n := min(room, len(p.busy)); n > 0 {
		names := p.busy[:n]
		done, again, err := f.forget(o, names, info)
		p.more = p.more || done > 0
		p.busy = append(p.busy[n:], again...)
		if err == nil && len(again) > 0 {
			err = fmt.Errorf("%s, and %d others, could not be asked to forget a user", again[0], len(again)-1)
		}
		return err
	}
	names, more, err := f.meant(o, room)
	if err != nil {
		return err
	}
	p.found += len(names)
	done, _, err := f.forget(o, names, info)
	if p.done += done; err != nil || more {
		return err
	}
	return f.endPass(o, info)
}

// meant returns the next of the user's conversations that an order means, out of at most some, and whether there may be others behind those.
func (f *forgetter) meant(o *order, most int) (names []string, more bool, err error) {
	e := f.engine
	s := &syncing{Engine: e, user: o.user}
	all, more, err := s.memberships(f.ctx, o.pass.after, most)
	if err != nil {
		return nil, false, err
	}
	for _, name := range all {
		values, err := e.newest(f.ctx, name, persistence.MembershipKey(o.user, name))
		if err != nil {
			return nil, false, err
		}
		if values[0] == nil {
			continue
		}
		m, err := persistence.DecodeMembership(values[0])
		if err != nil {
			return nil, false, err
		}
		if m.Outlived < o.at {
			names = append(names, name)
		}
	}
	if len(all) > 0 {
		o.pass.after = all[len(all)-1]
	}
	return names, more, nil
}

// forget has conversations forget the user, and waits until they have. It returns how many had something to
// forget, and those that could not be asked; the error is that nobody waits any more.
func (f *forgetter) forget(o *order, names []string, info *ForgetInfo) (done int, again []string, err error) {
	type answer struct {
		name string
		forgot
	}
	answers := make(chan answer, len(names))
	for _, name := range names {
		m := &forgetting{user: o.user, order: o.at, answer: func(r forgot) { answers <- answer{name, r} }}
		if err := f.engine.send(name, m); err != nil {
			answers <- answer{name, forgot{err: err}}
		}
	}
	for range names {
		select {
		case a := <-answers:
			if a.err != nil {
				again = append(again, a.name)
				continue
			}
			o.pass.flush = max(o.pass.flush, a.after)
			info.Rows += a.rows
			if a.rows > 0 {
				done++
				info.Conversations++
				if left := o.left.Load(); left > 1 {
					o.left.Store(left - 1)
				}
			}
		case <-f.ctx.Done():
			return done, nil, context.Cause(f.ctx)
		}
	}
	return done, again, nil
}

// endPass finds out whether any conversation is left. What has been forgotten must be in the store before anybody looks again.
func (f *forgetter) endPass(o *order, info *ForgetInfo) error {
	e, p := f.engine, &o.pass
	last := *p
	*p = pass{begun: true, failures: p.failures, failure: p.failure, quiet: p.quiet}
	// Also where nobody wrote anything: who was asked for something that was forgotten already wrote before.
	if err := f.flushed(max(last.flush, e.journal.Seq())); err != nil {
		return err
	}
	if last.found == 0 && !last.more {
		if p.quiet == 0 {
			p.quiet = e.clock.now()
		}
		if e.agenda.owes(p.quiet) {
			o.left.Store(1)
			p.idle, p.notBefore = last.idle+1, e.clock.now().Add(backOff(last.idle+1, longestBackOff))
			return nil
		}
		if err := f.sweep(o); err != nil {
			return err
		}
		info.Done = true
		return f.finish(o)
	}
	p.quiet = 0
	o.left.Store(uint64(last.found - last.done))
	if last.found > 0 && last.done == 0 {
		// The reaper has yet to delete them, or they cannot be asked.
		p.idle = last.idle + 1
		p.notBefore = e.clock.now().Add(backOff(p.idle, longestBackOff))
	}
	return nil
}

// flushed waits until a batch of the journal is in the store.
func (f *forgetter) flushed(seq uint64) error {
	written := make(inStore, 1)
	f.engine.journal.WaitStored("", seq, written)
	select {
	case err := <-written:
		return err
	case <-f.ctx.Done():
		return context.Cause(f.ctx)
	}
}

// finish removes the order: nothing is left of what it means.
func (f *forgetter) finish(o *order) error {
	e, shard := f.engine, persistence.ShardOf(o.user)
	err := e.commit(f.ctx, e.clock.now(), []persistence.Group{{
		Shard: shard, Epoch: e.shards[shard].epoch, Deletes: []persistence.Delete{{Key: persistence.OrderKey(o.user)}},
	}})
	if err != nil {
		return err
	}
	f.drop(o)
	o.left.Store(0)
	e.counts.forgottenUsers.Add(1)
	e.orders.done(o)
	return nil
}

// busy returns the conversations that have something to do, also if that was only just accepted.
func (e *Engine) busy() (names []string) {
	if e.turnsEnd(e.ctx) != nil {
		return nil
	}
	for _, s := range e.shards {
		for _, c := range s.cells.all() {
			if c.busy() {
				names = append(names, c.name)
			}
		}
	}
	return names
}
