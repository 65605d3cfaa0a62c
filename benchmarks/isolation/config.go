package isolation

import (
	"errors"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/clock"
	"github.com/parley-im/parley/actors/conversation"
)

// Config sets a measurement up. The zero value runs for about a minute and a half.
type Config struct {
	// Rate is how many proposals are sent each second. 0: 2,000.
	Rate int
	// HotPerShard is how many conversations of each shard are spoken in; they do not expire. 0: 4.
	HotPerShard int
	// Doomed is how many conversations expire, all at one moment. 0: 10,000.
	Doomed int
	// Members is how many users each of those has; it has two rows for each user and three of its own. 0: 4.
	Members int
	// Ack is the level proposals are answered at. 0: AckApplied.
	Ack actors.Ack
	// Before is for how long the load runs before the moment of expiry. 0: 1 s.
	Before time.Duration
	// After is for how long it goes on once all is deleted. 0: 1 s.
	After time.Duration
	// Limit bounds the load altogether; what is not deleted by then is left. 0: 30 s.
	Limit time.Duration
	// Rounds is how often each design has its turn. 0: 3.
	Rounds int
	// Window is the step of the latencies over time. 0: 100 ms.
	Window time.Duration
	// Dir is where stores are made, and removed again. "": the system's directory for temporary files.
	Dir string
}

// batchRows is how many rows a batch of deletions has in all designs: the engine's default.
const batchRows = 500

// retention of the doomed conversations; any would do, for the clock is made to pass it.
const retention = time.Hour

// Rows returns how many rows each of the doomed conversations has: head, tail, roster, due entry, and three for each member.
func (c Config) Rows() int { return 4 + 3*c.Members }

func (c Config) withDefaults() Config {
	orElse(&c.Rate, 2000)
	orElse(&c.HotPerShard, 4)
	orElse(&c.Doomed, 10_000)
	orElse(&c.Members, 4)
	orElse(&c.Ack, actors.AckApplied)
	orElse(&c.Before, time.Second)
	orElse(&c.After, time.Second)
	orElse(&c.Limit, 30*time.Second)
	orElse(&c.Rounds, 3)
	orElse(&c.Window, 100*time.Millisecond)
	return c
}

func (c Config) validate() error {
	if c.Rate < 1 || c.HotPerShard < 1 || c.Doomed < 1 || c.Members < 1 || c.Before < 0 || c.After < 0 || c.Rounds < 1 || c.Window <= 0 {
		return errors.New("isolation: a negative number in the configuration")
	}
	if c.Members > conversation.MaxUsers {
		return errors.New("isolation: Members: at most 1,000 fit a post")
	}
	if c.Limit <= c.Before {
		return errors.New("isolation: Limit: must be longer than Before")
	}
	return nil
}

func orElse[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// engine returns the configuration of the engine for a design.
func (c Config) engine(design Design, at clock.Clock, observer *actors.Observer) actors.Config {
	config := actors.Config{
		Namespaces: map[string]conversation.Policy{doomedNamespace: {ExpireAfter: retention}},
		Clock:      at,
		Observer:   observer,
		Reaper:     actors.ReaperConfig{BatchRows: batchRows},
	}
	if design == Unpaced {
		config.Reaper.MaxRowsPerSecond = -1
	}
	return config
}
