package overload

import (
	"cmp"
	"time"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
)

// Config says what is measured. Only Dir must be set.
type Config struct {
	// Dir is an empty or absent directory, which is left behind.
	Dir string
	// Conversations is how many are posted to, all alike and all in memory. 1 is a hot one. 0: 10,000.
	Conversations int
	// Ack is what posts ask for. The zero value is AckCommitted.
	Ack actors.Ack
	// Nominal is the usual load, as a share of what the engine can do, and Over the one that is too high. 0: 0.6, and 2.
	Nominal, Over float64
	// Wait is how long a post should wait at most for its turn, and then again for the store, where it asks for that: the engine's bounds are what it was seen to do in that time. 0: its
	// default bounds.
	Wait time.Duration
	// Phase is how long each load lasts. 0: 2 s.
	Phase time.Duration
	// Rounds is how often both loads alternate. 0: 5.
	Rounds int
}

func (c Config) withDefaults() Config {
	c.Conversations, c.Phase, c.Rounds = cmp.Or(c.Conversations, 10_000), cmp.Or(c.Phase, 2*time.Second), cmp.Or(c.Rounds, 5)
	c.Nominal, c.Over = cmp.Or(c.Nominal, 0.6), cmp.Or(c.Over, 2)
	return c
}

// leastQueue is how many posts may wait in any case, and leastJournal how many bytes for the store.
const (
	leastQueue   = 1_024
	leastJournal = 128 << 10
)

// settings returns an engine's that has room for whatever is under way, and keeps everything in memory that it is asked for: reading rows is not what is measured.
func (c *Config) settings() actors.Config {
	return actors.Config{IdleAfter: time.Hour, MaxActive: 4 * max(c.Conversations, 1_000), MaxQueue: busy, MaxQueuedBytes: 1 << 30}
}

// bounded returns those with the bounds that follow from what an engine was seen to do.
func (c *Config) bounded(can Capacity) actors.Config {
	settings := c.settings()
	settings.MaxQueue, settings.MaxQueuedBytes = 0, 0
	if c.Wait == 0 {
		return settings
	}
	n := max(leastQueue, int(can.Posts*c.Wait.Seconds()))
	settings.MaxQueue = n
	settings.MaxQueuedBytes = n * conversation.Weight(&conversation.Post{Preview: preview()})
	if c.Ack == actors.AckCommitted { // else nobody waits for the store
		settings.MaxJournalBytes = max(leastJournal, int(can.Bytes*c.Wait.Seconds()))
	}
	return settings
}
