package replay

import (
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
)

// DefaultExpireAfter is the retention of a replay that names none.
const DefaultExpireAfter = 720 * time.Hour

// Config sets a replay up. The zero value runs.
type Config struct {
	// ExpireAfter is the retention of all conversations. 0: DefaultExpireAfter. It must be a whole number of microseconds.
	ExpireAfter time.Duration
	// Dir is the directory of the store, which must be empty or not exist; it is left behind. "": a temporary one, which is removed.
	Dir string
	// Progress, where it is not nil, is called now and then on Run's goroutine with the bytes of the trace that were read and its size in the same
	// bytes, which is 0 where it is not known.
	Progress func(read, size int64)
}

// engine returns the configuration of the engine that is replayed on.
func (c Config) engine(virtual *clock.Virtual, observer *actors.Observer) actors.Config {
	return actors.Config{
		Default:  conversation.Policy{ExpireAfter: c.ExpireAfter},
		Clock:    virtual,
		Observer: observer,
		// A batch is flushed when it is full, not when its time has come: between two messages there are often hours of virtual time.
		FlushInterval: 24 * time.Hour,
		// Conversations leave memory and come back, as in an engine that has more of them than it may keep there.
		IdleAfter: 24 * time.Hour,
		// Nobody's proposals wait for the reaper here, and virtual time would not pass while it waits.
		Reaper: actors.ReaperConfig{BatchDelay: -1, MaxRowsPerSecond: -1},
	}
}
