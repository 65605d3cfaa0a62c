package actors

import (
	"time"

	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/persistence"
)

// clockwork is the engine's clock: the given one, moved forward so that it is never behind what the store has seen.
type clockwork struct {
	clock  clock.Clock
	offset time.Duration
}

func newClockwork(c clock.Clock, seen persistence.Instant) *clockwork {
	w := &clockwork{clock: c}
	if behind := seen.Sub(w.now()); seen != 0 && behind > 0 {
		w.offset = behind
	}
	return w
}

func (w *clockwork) now() persistence.Instant {
	return persistence.InstantOf(w.clock.Now().Add(w.offset))
}
