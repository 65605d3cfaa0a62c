package actors

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/persistence"
)

// shard is one of the fixed slices of all conversations: its cells, and the address of the actor that attaches actors to them. It outlives that actor's
// incarnations.
type shard struct {
	engine *Engine
	number persistence.Shard
	epoch  persistence.Epoch
	worker *worker
	pid    *actor.PID // set before the engine has started
	turn   *cell      // whose actor has a turn, or had the last one; it is used in the worker's turn only

	cells *table

	next   func() persistence.Generation // is nextGeneration
	drawn  atomic.Uint64                 // generations
	active atomic.Int64                  // cells with an actor

	mem memory

	// What visits need. It is used in the worker's turn only, by the shard's actor and by visits.
	desk     conversation.Desk // to unpack on, for a visit
	regulars regulars

	busy     atomic.Int32 // cells in whose queues something is
	sweeping atomic.Bool  // it was told to, and has not begun
}

// counterBits is how much of a generation counts within an epoch: the rest is the epoch. Epochs are never drawn twice, so generations are not either, without any being stored ahead.
const counterBits = 40

// nextGeneration draws a generation higher than all before.
func (s *shard) nextGeneration() persistence.Generation {
	return persistence.Generation(uint64(s.epoch)<<counterBits | s.drawn.Add(1))
}

// visits reports whether conversations that have no actor are visited.
func (s *shard) visits() bool { return s.engine.config.MaxPackedBytes > 0 }

func (s *shard) resident(state *conversation.State) resident {
	return resident{state: state, live: s.engine.journal.Live(state.Name(), s.number, state)}
}

// tell sends a message to the shard's actor.
func (s *shard) tell(message any) { s.engine.system.Root.Send(s.pid, message) }

// cell returns the conversation's cell. Where there is none, or only the one given, which was found sealed, there is a new one.
func (s *shard) cell(name string, instead *cell) *cell {
	c, first := s.cells.obtain(name, instead, func(before *cell) *cell {
		c := &cell{name: name, shard: s, before: before}
		c.used.Store(int64(s.engine.clock.now()))
		return c
	})
	if first {
		s.engine.sweeper.arm()
	}
	return c
}

// take puts a message into the conversation's queue, and returns its cell if that is to be given to the worker.
func (s *shard) take(name string, m queued) (result offered, ready *cell) {
	var c *cell
	for {
		c = s.cell(name, c)
		switch result, due := c.take(m, s.engine.config.MaxQueue); {
		case result == wasSealed:
		case due:
			return result, c
		default:
			return result, nil
		}
	}
}

// vacant reports whether a conversation has no cell, and when that was so. It is called in the worker's turn: all that came in until then was applied, in place or by way of a cell that is gone. Whatever comes
// in later is stamped later: in a turn of its own, or in a cell that is yet to be made.
func (s *shard) vacant(name string) (at persistence.Instant, ok bool) {
	at = s.engine.clock.now()
	return at, s.cells.find(name) == nil
}
