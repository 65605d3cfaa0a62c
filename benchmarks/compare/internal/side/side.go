package side

import (
	"context"
	"time"
)

// Figures are what a round measured, by name. A package that has sides names its figures.
type Figures map[string]float64

// Params set a side up. Each side says which of them it reads.
type Params struct {
	Dir     string // a directory for the side's files, empty at first; whoever starts the side removes it
	Fixture string // a store that was filled before, to be copied; "": the side begins with nothing
	Program string // a program to run, where the side is one of another process; an address of a server otherwise

	Known   int // conversations that there are
	Active  int // of those, how many may be active at a time; 0: all
	Hot     int // of those, how many are spoken in; 0: all that are known
	Members int // of each conversation
	Callers int // goroutines that propose
	Batch   int // proposals in a batch; 0: one at a time
	Rate    int // proposals a second, of an open load
	Expire  int // conversations that expire, in a second or in all

	Window   time.Duration // how long a round lasts, or one part of it
	Interval time.Duration // between flushes of the journal; 0: the default
	Wait     time.Duration // that a proposal should wait at most, by the engine's bounds; 0: the default ones
	Variant  string
}

// Side is one contender of a comparison. It is used from one goroutine at a time.
type Side interface {
	// Round measures once.
	Round(ctx context.Context) (Figures, error)
	// Close ends the side and gives back what it holds.
	Close() error
}

// Opener prepares a side.
type Opener func(ctx context.Context, p Params) (Side, error)

// Launcher opens sides by their names: in this process ([Local]) or each in its own ([Children]).
type Launcher func(ctx context.Context, name string, p Params) (Side, error)
