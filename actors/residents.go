package actors

import (
	"sync/atomic"

	"github.com/parley-im/parley/persistence"
)

// residents are a shard's active conversations, in the order in which they are to leave where more are active than may be. It is S3-FIFO (Yang et al., "FIFO queues are all you need for
// cache eviction", SOSP 2023): who becomes active waits in a small queue, a tenth of the bound, and has to be used again there to get into the main one; else it leaves, and is
// remembered by a fingerprint. Who comes back while that is remembered was not used once only, and goes to the main queue at once. There, whoever was used since their last turn
// gets another one. So those that are used once, however many they are, pass through the small queue and drive nobody else out.
//
// Nothing is moved when a conversation is used: its actor counts that in the cell, and the count is looked at when its turn comes. It belongs to the shard's actor.
type residents struct {
	small, main queue
	leaving     queue // were asked to; one that has work to do does not
	ghosts      ghosts

	lastPost func(name string) persistence.Instant // to where a conversation lies packed; nil: none does
}

// seat is a cell's place among the residents. Only the shard's actor uses what is not atomic.
type seat struct {
	in           *queue
	newer, older *cell
	uses         atomic.Uint32       // since the count was last looked at, mostUses at most
	posted       persistence.Instant // where it lies packed, as far as that was counted as uses
}

const (
	// mostUses is as far as uses are counted: how many more turns in the main queue they are worth.
	mostUses = 3
	// provenUses are the uses that a conversation needs in the small queue: the first is what it became active for, and two more.
	provenUses = 3
	// smallShare divides the bound: the part of the small queue.
	smallShare = 10
)

// use counts a use. It writes nothing once there were many.
func (s *seat) use() {
	if n := s.uses.Load(); n < mostUses {
		s.uses.Store(n + 1) // of two that are counted at the same time, one may get lost
	}
}

// uses returns those of a cell. What was posted to it where it lies packed stands for many.
func (r *residents) uses(c *cell) uint32 {
	n := c.seat.uses.Load()
	if n < mostUses && r.lastPost != nil {
		if last := r.lastPost(c.name); last > c.seat.posted {
			c.seat.posted, n = last, mostUses
			c.seat.uses.Store(n)
		}
	}
	return n
}

// len is how many are there that were not asked to leave.
func (r *residents) len() int { return r.small.n + r.main.n }

// enter takes in a cell that just got an actor, under a bound of so many.
func (r *residents) enter(c *cell) {
	c.seat.uses.Store(0)
	c.seat.in, c.seat.newer, c.seat.older = nil, nil, nil // of an actor before, whose shard's actor failed
	if r.ghosts.forget(c.name) {
		r.main.push(c)
		return
	}
	r.small.push(c)
}

// exit takes out a cell whose actor has ended.
func (r *residents) exit(c *cell) {
	if c.seat.in != nil {
		c.seat.in.remove(c)
	}
}

// next chooses who is to leave, nil where no more are there than the bound allows. Each of those it passes over lost a use for it, or was proven: it is O(1) for each that enters.
func (r *residents) next(bound int) *cell {
	if r.len() <= bound {
		return nil
	}
	for {
		if r.small.n > 0 && (r.small.n >= max(1, bound/smallShare) || r.main.n == 0) {
			c := r.small.oldest
			if r.uses(c) >= provenUses {
				c.seat.uses.Store(0)
				r.small.remove(c)
				r.main.push(c)
				continue
			}
			r.ghosts.add(c.name, bound)
			r.leave(c)
			return c
		}
		c := r.main.oldest
		if n := r.uses(c); n > 0 {
			c.seat.uses.Store(n - 1)
			r.main.remove(c)
			r.main.push(c)
			continue
		}
		r.leave(c)
		return c
	}
}

// leave notes that a cell was asked to leave, whoever chose it.
func (r *residents) leave(c *cell) {
	if c.seat.in != nil {
		c.seat.in.remove(c)
	}
	r.leaving.push(c)
}

// recall takes back those that were asked to leave and have not, for they had work to do: at most so many are looked at, those first that were asked first.
func (r *residents) recall(most int) {
	for c := r.leaving.oldest; c != nil && most > 0; most-- {
		next := c.seat.newer
		if c.stays() {
			r.leaving.remove(c)
			r.main.push(c)
		}
		c = next
	}
}

// queue is a queue of cells, linked through their seats. The zero value is empty.
type queue struct {
	newest, oldest *cell
	n              int
}

func (q *queue) push(c *cell) {
	c.seat.in, c.seat.newer, c.seat.older = q, nil, q.newest
	if q.newest == nil {
		q.oldest = c
	} else {
		q.newest.seat.newer = c
	}
	q.newest = c
	q.n++
}

func (q *queue) remove(c *cell) {
	s := &c.seat
	if s.newer == nil {
		q.newest = s.older
	} else {
		s.newer.seat.older = s.older
	}
	if s.older == nil {
		q.oldest = s.newer
	} else {
		s.older.seat.newer = s.newer
	}
	s.in, s.newer, s.older = nil, nil, nil
	q.n--
}

// stays reports whether a cell that was asked to leave was found with work to do, or was not asked at all.
func (c *cell) stays() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.leaving && (c.phase == active || c.phase == parked)
}
