package actors

import "hash/maphash"

// ghosts remember who left a shard's small queue lately: as many as the bound allows to be active. They are known by fingerprints of their names: another name may have the same, once
// in a very long while, and is then taken for a ghost. Nothing in here is a pointer, so the collector has nothing to look at. The zero value is empty.
type ghosts struct {
	seed  maphash.Seed
	ring  []uint64       // in the order in which they left
	next  int            // the place that is written next, once the ring is full
	turns map[uint64]int // by fingerprint, where in the ring it was written last
}

// add remembers one, and forgets the oldest where there are more than the bound.
func (g *ghosts) add(name string, bound int) {
	if g.turns == nil {
		g.seed, g.turns = maphash.MakeSeed(), map[uint64]int{}
	}
	mark := maphash.String(g.seed, name)
	if len(g.ring) < bound {
		// Where the bound rose after the ring had gone round, the order is not quite that of leaving any more. Nothing depends on that.
		g.turns[mark] = len(g.ring)
		g.ring = append(g.ring, mark)
		return
	}
	if g.next >= len(g.ring) {
		g.next = 0
	}
	if at, ok := g.turns[g.ring[g.next]]; ok && at == g.next {
		delete(g.turns, g.ring[g.next])
	}
	g.ring[g.next], g.turns[mark] = mark, g.next
	g.next++
}

// forget reports whether one was remembered, and remembers it no longer.
func (g *ghosts) forget(name string) bool {
	if len(g.turns) == 0 {
		return false
	}
	mark := maphash.String(g.seed, name)
	_, ok := g.turns[mark]
	delete(g.turns, mark)
	return ok
}
