package actorstest

import (
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/persistence"
)

// hands is what the engine that runs now goes by: its clock, and how far that was behind the store when it started.
type hands struct {
	clock  clock.Clock
	behind time.Duration
}

// wind returns the clock for an engine that starts now.
func (e *Engine) wind(store persistence.Store) hands {
	h := hands{clock: e.config.Clock}
	if h.clock == nil {
		h.clock = e.machine.System()
	}
	if seen := store.Meta().Clock; seen != 0 {
		h.behind = max(0, seen.Sub(persistence.InstantOf(h.clock.Now())))
	}
	return h
}

// Now returns the time as the engine has it, by which it judges what is over: its clock's, moved forward by as much as that was behind the store when the engine started.
func (e *Engine) Now() time.Time { return e.hands.clock.Now().Add(e.hands.behind) }

// StepWall is what an operator or a time server does to the wall clock of the machine that the engine runs on. The one that runs takes no notice; the next, after Crash or
// Restart, starts at that time, or at the latest that the store has seen where that is later. A config with a Clock of its own takes no notice at all.
func (e *Engine) StepWall(d time.Duration) { e.machine.StepWall(d) }

// Suspend suspends the machine that the engine runs on for a time, and returns at once: for the bubble no time went by, for the engine's clock all of it. Its timers stood still
// meanwhile, and find out within thirty seconds, for which Advance has to be called. A config with a Clock of its own takes no notice.
func (e *Engine) Suspend(d time.Duration) { e.machine.Suspend(d) }

// Configure changes the config. The engine that runs keeps what it was started with; the next, after Crash, Restore or Restart, is started with the new one.
func (e *Engine) Configure(change func(*actors.Config)) { change(&e.config) }
