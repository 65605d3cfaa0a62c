package actors

import (
	"strconv"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
)

// actorName is the name of the cell's actor in the engine's actor system: a number that no other has had, and the cell's slot. What protoactor tells of an actor is about its name. The cell has an actor.
func (c *cell) actorName() string {
	b := strconv.AppendUint(make([]byte, 0, 24), c.number, 36)
	return string(strconv.AppendUint(append(b, '.'), uint64(c.slot), 36))
}

// address returns that of the cell's actor.
func (c *cell) address() *actor.PID { return actor.NewPID(c.shard.pid.Address, c.actorName()) }

// runs reports whether the cell has an actor that has not ended, whether or not its shard's actor was told of that.
func (c *cell) runs() bool {
	if c.number == 0 {
		return false
	}
	_, ok := c.shard.engine.system.ProcessRegistry.GetLocal(c.actorName())
	return ok
}

// actorOf returns the cell of an actor; nil where that is no longer its own. It is called in the worker's turn, in which alone anything is sent to conversations' actors.
func (t *table) actorOf(who *actor.PID) *cell {
	number, at, _ := strings.Cut(who.Id, ".")
	count, err := strconv.ParseUint(number, 36, 64)
	if err != nil {
		return nil
	}
	p, err := strconv.ParseUint(at, 36, 31)
	if err != nil {
		return nil
	}
	if c := t.cellIn(slot(p)); c != nil && c.number == count {
		return c
	}
	return nil
}

// attached returns the cell whose actor is that of the conversation, this one or one in whose place it stands; nil where there is none. Only the shard's actor calls it.
func (c *cell) attached() *cell {
	for ; c != nil; c = c.before {
		if c.number != 0 {
			return c
		}
	}
	return nil
}
