package actors

import (
	"hash/maphash"
	"sync"
)

// slot is a number under which a cell is in its shard's table; zero: under none.
type slot int32

// table has the cells of a shard. Each has a slot of its own, from when it is made until it is removed, and is found by its conversation's name until another one takes over. To the collector it is one pointer for each
// cell and nothing else: what is followed once for each of a hundred thousand conversations decides how long a collection takes. It is safe for use from any goroutine.
type table struct {
	seed maphash.Seed

	mu     sync.Mutex
	index  markIndex // by fingerprints of names: the cell that was made last for each conversation
	cells  []*cell   // by slot
	unused []slot
}

func newTable() *table { return &table{seed: maphash.MakeSeed(), cells: make([]*cell, 1)} }

// obtain returns the conversation's cell. Where there is none, or only the one given, which was found sealed, it is the one that is made then, and first tells whether the table was empty.
func (t *table) obtain(name string, instead *cell, making func(before *cell) *cell) (c *cell, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	mark := t.mark(name)
	i := t.entry(name, mark)
	if i >= 0 {
		if c = t.at(t.index.entries[i]); c != instead {
			return c, false
		}
	}
	c, before := making(c), c
	switch {
	case i < 0:
		c.slot = t.take(c)
		t.index.add(entryOf(mark, uint32(c.slot)))
	case before.hasActor():
		c.slot = t.take(c)
		t.index.entries[i] = entryOf(mark, uint32(c.slot))
	default:
		c.slot = before.slot
		t.cells[c.slot] = c
	}
	return c, t.index.n == 1 && i < 0
}

// find returns the conversation's cell, nil if there is none.
func (t *table) find(name string) *cell {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := t.entry(name, t.mark(name)); i >= 0 {
		return t.at(t.index.entries[i])
	}
	return nil
}

// remove takes out a sealed cell whose actor has ended, if it is still there, and returns the one that took over, nil if there is none.
func (t *table) remove(c *cell) (successor *cell) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.entry(c.name, t.mark(c.name))
	if i >= 0 {
		successor = t.at(t.index.entries[i])
	}
	if successor == c {
		t.index.remove(i)
		successor = nil
	}
	t.free(c)
	return successor
}

// cellIn returns the cell in a slot, nil where there is none.
func (t *table) cellIn(at slot) *cell {
	t.mu.Lock()
	defer t.mu.Unlock()
	if int(at) >= len(t.cells) {
		return nil
	}
	return t.cells[at]
}

// all returns the cells that nobody took over from.
func (t *table) all() []*cell {
	t.mu.Lock()
	defer t.mu.Unlock()
	cells := make([]*cell, 0, t.index.n)
	for _, e := range t.index.entries {
		if e != 0 {
			cells = append(cells, t.at(e))
		}
	}
	return cells
}

// every returns all cells, also those that others took over from.
func (t *table) every() (cells []*cell) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.cells {
		if c != nil {
			cells = append(cells, c)
		}
	}
	return cells
}

// len is how many all would return.
func (t *table) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.index.n
}

func (t *table) mark(name string) uint32 { return markOf(maphash.String(t.seed, name)) }

func (t *table) at(e markEntry) *cell { return t.cells[e.at()] }

// entry returns the place in the index of the conversation's cell; -1: there is none. t.mu is held.
func (t *table) entry(name string, mark uint32) int {
	i := t.index.next(mark, int(mark))
	for i >= 0 && t.at(t.index.entries[i]).name != name {
		i = t.index.next(mark, i+1)
	}
	return i
}

// take finds a slot for a cell. t.mu is held.
func (t *table) take(c *cell) (at slot) {
	if n := len(t.unused); n > 0 {
		at, t.unused = t.unused[n-1], t.unused[:n-1]
		t.cells[at] = c
		return at
	}
	t.cells = append(t.cells, c)
	return slot(len(t.cells) - 1)
}

// free gives up a cell's slot, unless that was done, or somebody else has it. t.mu is held.
func (t *table) free(c *cell) {
	if t.cells[c.slot] != c {
		return
	}
	t.cells[c.slot] = nil
	t.unused = append(t.unused, c.slot)
	if len(t.unused) == len(t.cells)-1 && len(t.cells) > keptSlots { // after a burst
		t.cells, t.unused = make([]*cell, 1), nil
		t.index.shrink()
	}
}

// keptSlots is how many slots an empty table keeps.
const keptSlots = 64
