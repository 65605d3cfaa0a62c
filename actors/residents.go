package actors

import "github.com/parley-im/parley/persistence"

// residents are a shard's active conversations, in the order in which they are to leave where more are active than may be. It is S3-FIFO (Yang et al., "FIFO queues are all you need for
// cache eviction", SOSP 2023): who becomes active waits in a small queue, a tenth of the bound, and has to be used again there to get into the main one; else it leaves, and is
// remembered by a fingerprint. Who comes back while that is remembered was not used once only, and goes to the main queue at once. There, whoever was used since their last turn
// gets another one. So those that are used once, however many they are, pass through the small queue and drive nobody else out.
//
// Nothing is moved when a conversation is used: its actor counts that in the cell, and the count is looked at when its turn comes. It belongs to the shard's actor.
type residents struct {
	cells  *table
	seats  []seat // by the cells' slots
	queues [leaving + 1]queue
	ghosts ghosts

	lastPost func(name string) persistence.Instant // to where a conversation lies packed; nil: none does
}

// seat is a cell's place in one of the queues.
type seat struct {
	posted       persistence.Instant // where it lies packed, as far as that was counted as uses
	newer, older slot
	in           queueOf
}

// queueOf is who is in a queue.
type queueOf uint8

const (
	nobody  queueOf = iota
	small           // of those that became active lately
	main            // of those that are used again and again
	leaving         // of those that were asked to leave; one that has work to do does not
)

const (
	// mostUses is as far as uses are counted: how many more turns in the main queue they are worth.
	mostUses = 3
	// provenUses are the uses that a conversation needs in the small queue: the first is what it became active for, and two more.
	provenUses = 3
	// smallShare divides the bound: the part of the small queue.
	smallShare = 10
)

// use counts a use. It writes nothing once there were many.
func (c *cell) use() {
	if n := c.uses.Load(); n < mostUses {
		c.uses.Store(n + 1) // of two that are counted at the same time, one may get lost
	}
}

// uses returns those of a cell. What was posted to it where it lies packed stands for many.
func (r *residents) uses(c *cell) uint32 {
	n := c.uses.Load()
	if n < mostUses && r.lastPost != nil {
		if last := r.lastPost(c.name); last > r.seats[c.slot].posted {
			r.seats[c.slot].posted, n = last, mostUses
			c.uses.Store(n)
		}
	}
	return n
}

// len is how many are there that were not asked to leave.
func (r *residents) len() int { return r.queues[small].n + r.queues[main].n }

// all is how many are there.
func (r *residents) all() int { return r.len() + r.queues[leaving].n }

// enter takes in a cell that just got an actor.
func (r *residents) enter(c *cell) {
	c.uses.Store(0)
	for len(r.seats) <= int(c.slot) {
		r.seats = append(r.seats, seat{})
	}
	r.seats[c.slot] = seat{}
	if r.ghosts.forget(c.name) {
		r.push(main, c.slot)
		return
	}
	r.push(small, c.slot)
}

// exit takes out a cell whose actor has ended.
func (r *residents) exit(c *cell) { r.remove(c.slot) }

// next chooses who is to leave, nil where no more are there than the bound allows. Each of those it passes over lost a use for it, or was proven: it is O(1) for each that enters.
func (r *residents) next(bound int) *cell {
	if r.len() <= bound {
		return nil
	}
	for {
		if n := r.queues[small].n; n > 0 && (n >= max(1, bound/smallShare) || r.queues[main].n == 0) {
			c := r.cells.cellIn(r.queues[small].oldest)
			if r.uses(c) >= provenUses {
				c.uses.Store(0)
				r.push(main, c.slot)
				continue
			}
			r.ghosts.add(c.name, bound)
			r.leave(c)
			return c
		}
		c := r.cells.cellIn(r.queues[main].oldest)
		if n := r.uses(c); n > 0 {
			c.uses.Store(n - 1)
			r.push(main, c.slot)
			continue
		}
		r.leave(c)
		return c
	}
}

// leave notes that a cell was asked to leave, whoever chose it.
func (r *residents) leave(c *cell) { r.push(leaving, c.slot) }

// recall takes back those that were asked to leave and have not, for they had work to do: at most so many are looked at, those first that were asked first.
func (r *residents) recall(most int) {
	for at := r.queues[leaving].oldest; at != 0 && most > 0; most-- {
		next := r.seats[at].newer
		if r.cells.cellIn(at).stays() {
			r.push(main, at)
		}
		at = next
	}
}

// queue is a queue of cells, linked by their slots: a pointer more for each is one that the collector follows. The zero value is empty.
type queue struct {
	newest, oldest slot
	n              int
}

// push puts a cell behind all others of a queue, and takes it out of where it was.
func (r *residents) push(to queueOf, at slot) {
	r.remove(at)
	q, s := &r.queues[to], &r.seats[at]
	s.in, s.older = to, q.newest
	if q.newest == 0 {
		q.oldest = at
	} else {
		r.seats[q.newest].newer = at
	}
	q.newest = at
	q.n++
}

// remove takes a cell out of the queue that it is in, if any.
func (r *residents) remove(at slot) {
	s := &r.seats[at]
	if s.in == nobody {
		return
	}
	q := &r.queues[s.in]
	if s.newer == 0 {
		q.newest = s.older
	} else {
		r.seats[s.newer].older = s.older
	}
	if s.older == 0 {
		q.oldest = s.newer
	} else {
		r.seats[s.older].newer = s.newer
	}
	s.in, s.newer, s.older = nobody, 0, 0
	q.n--
}

// stays reports whether a cell that was asked to leave was found with work to do, or was not asked at all.
func (c *cell) stays() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.leaving && (c.phase == active || c.phase == parked)
}
