package actors

import (
	"maps"
	"slices"
	"sync"

	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/persistence"
)

// agenda knows for each shard when its due index must be looked at next, and from where on. It owns the reaper's one timer: one-shot, set anew after each alarm was dealt
// with, or when something earlier comes up.
//
// What it knows is a bound, not the index itself: no entry of a shard lies before its `from`, and none has to be looked at before its `at`. It may be asked to look in
// vain, which is cheap; never too late.
type agenda struct {
	clock *clockwork
	after func(at persistence.Instant, f func()) clock.Timer
	alarm func() // must not block

	mu     sync.Mutex
	shards [persistence.Shards]dueFrom
	taken  [persistence.Shards]persistence.Instant // from where on a shard is being looked at just now; Never: it is not
	held   map[string]struct{}                     // the keys of entries that the reaper is dealing with
	set    persistence.Instant                     // when the timer will go off; Never: it is not running
	timer  clock.Timer
	closed bool
}

type dueFrom struct{ from, at persistence.Instant }

func newAgenda(c *clockwork, after func(persistence.Instant, func()) clock.Timer, alarm func()) *agenda {
	a := &agenda{clock: c, after: after, alarm: alarm, set: persistence.Never, held: map[string]struct{}{}}
	for i := range a.shards {
		a.shards[i] = dueFrom{from: persistence.Never, at: persistence.Never}
		a.taken[i] = persistence.Never
	}
	return a
}

// due says that the shard has an entry for that deadline. It is called before the proposal that put it there is answered.
func (a *agenda) due(shard persistence.Shard, deadline persistence.Instant) {
	a.look(shard, deadline, deadline)
}

// look asks for the shard's entries from `from` on to be looked at, at a time. With Never for `from` it asks for the shard to be visited.
func (a *agenda) look(shard persistence.Shard, from, at persistence.Instant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at == persistence.Never {
		return
	}
	s := &a.shards[shard]
	s.from, s.at = min(s.from, from), min(s.at, at)
	a.arm(s.at)
}

// lookEverywhere asks for all shards to be looked at now, from the beginning, by a reaper that holds nothing.
func (a *agenda) lookEverywhere() {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.now()
	for i := range a.shards {
		a.shards[i] = dueFrom{from: 0, at: now}
		a.taken[i] = persistence.Never
	}
	clear(a.held)
	a.arm(now)
}

// take returns a shard that is to be looked at by now, and from where on: that with the oldest entries, so that a backlog goes in the order of its deadlines, as far as it is known.
// Until it is told otherwise, the agenda takes that shard to be empty; but until give is called for it, it knows that somebody looks.
func (a *agenda) take(now persistence.Instant) (shard persistence.Shard, from persistence.Instant, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.shards {
		if s := &a.shards[i]; s.at <= now && (!ok || s.from < from) {
			shard, from, ok = persistence.Shard(i), s.from, true
		}
	}
	if ok {
		a.taken[shard] = from
		a.shards[shard] = dueFrom{from: persistence.Never, at: persistence.Never}
	}
	return shard, from, ok
}

// give says that what was found in a shard that was taken is held, or will be looked for again.
func (a *agenda) give(shard persistence.Shard) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.taken[shard] = persistence.Never
}

// hold says that the reaper is dealing with a due entry.
func (a *agenda) hold(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held[key] = struct{}{}
}

// drop says that it no longer is: the entry is gone, or will be looked for again.
func (a *agenda) drop(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.held, key)
}

// overdue says where entries are that were due by now and have not been dealt with: by their keys those that the reaper is dealing with, and those that the due index has of
// shards, from an instant on.
func (a *agenda) overdue(now persistence.Instant) (keys []string, shards map[persistence.Shard]persistence.Instant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	keys = slices.Collect(maps.Keys(a.held))
	for i := range a.shards {
		if from := min(a.shards[i].from, a.taken[i]); from <= now {
			if shards == nil {
				shards = map[persistence.Shard]persistence.Instant{}
			}
			shards[persistence.Shard(i)] = from
		}
	}
	return keys, shards
}

// owes reports whether something that was due by an instant may not have been dealt with.
func (a *agenda) owes(by persistence.Instant) bool {
	keys, shards := a.overdue(by)
	for _, key := range keys {
		if _, due, _, err := persistence.ParseDueKey([]byte(key)); err != nil || due <= by {
			return true
		}
	}
	return len(shards) > 0
}

// next returns when a shard is to be looked at next.
func (a *agenda) next() persistence.Instant {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.earliest()
}

func (a *agenda) earliest() persistence.Instant {
	at := persistence.Never
	for i := range a.shards {
		at = min(at, a.shards[i].at)
	}
	return at
}

// rearm sets the timer after an alarm was dealt with: for the next shard where `shards` is set, and for the reaper's own wish.
func (a *agenda) rearm(shards bool, extra persistence.Instant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if shards {
		extra = min(extra, a.earliest())
	}
	a.arm(extra)
}

// arm makes the timer go off at a time, if it would not before. a.mu is held.
func (a *agenda) arm(at persistence.Instant) {
	if a.closed || at >= a.set {
		return
	}
	if at <= a.clock.now() {
		a.alarm() // the timer, where one runs, keeps running for what comes later
		return
	}
	if a.timer != nil {
		a.timer.Stop()
	}
	a.set = at
	a.timer = a.after(at, a.goOff)
}

func (a *agenda) goOff() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	at := a.set
	if a.timer != nil {
		a.timer.Stop() // if this is not the one that goes off, but one that replaced it meanwhile
	}
	a.set, a.timer = persistence.Never, nil
	a.arm(at) // which is now, unless this timer was replaced while it went off
}

// close stops the timer for good.
func (a *agenda) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}
