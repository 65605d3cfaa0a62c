package actors

import (
	"strconv"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
)

// slot is the place of a cell's actor among those of its shard; zero: it has none.
type slot int32

func (s slot) taken() bool { return s != 0 }

// slots are the cells of a shard that have an actor, each at a place that stands in the actor's name: what protoactor tells of an actor is about its name. It belongs to the shard's actor. The zero value is empty.
type slots struct {
	cells  []*cell  // the first place stands for none
	counts []uint64 // the number in the name of whose place it is, or was last
	unused []slot
}

// take gives a cell a place, and returns the name of its actor: a number that no other has had, and the place.
func (s *slots) take(c *cell, count uint64) (name string) {
	if n := len(s.unused); n > 0 {
		c.slot, s.unused = s.unused[n-1], s.unused[:n-1]
	} else {
		c.slot = slot(max(1, len(s.cells)))
		for len(s.cells) <= int(c.slot) {
			s.cells, s.counts = append(s.cells, nil), append(s.counts, 0)
		}
	}
	s.cells[c.slot], s.counts[c.slot] = c, count
	return slotName(c.slot, count)
}

func slotName(at slot, count uint64) string {
	b := strconv.AppendUint(make([]byte, 0, 24), count, 36)
	return string(strconv.AppendUint(append(b, '.'), uint64(at), 36))
}

// of returns the cell of an actor; nil where its place is no longer its own.
func (s *slots) of(who *actor.PID) *cell {
	name := who.Id[strings.LastIndexByte(who.Id, '/')+1:]
	number, place, _ := strings.Cut(name, ".")
	count, err := strconv.ParseUint(number, 36, 64)
	if err != nil {
		return nil
	}
	at, err := strconv.ParseUint(place, 36, 32)
	if err != nil || at >= uint64(len(s.cells)) || s.counts[at] != count {
		return nil
	}
	return s.cells[at]
}

// address returns that of a cell's actor, which is a child of the shard's.
func (s *slots) address(parent *actor.PID, c *cell) *actor.PID {
	return actor.NewPID(parent.Address, parent.Id+"/"+slotName(c.slot, s.counts[c.slot]))
}

// free gives up the place of a cell whose actor has ended.
func (s *slots) free(c *cell) {
	s.cells[c.slot] = nil
	s.unused = append(s.unused, c.slot)
	c.slot = 0
}

// attached returns the cell whose actor is that of the conversation, this one or one in whose place it stands; nil where there is none. Only the shard's actor calls it.
func (c *cell) attached() *cell {
	for ; c != nil; c = c.before {
		if c.slot.taken() {
			return c
		}
	}
	return nil
}
