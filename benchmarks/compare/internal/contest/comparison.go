package contest

import "github.com/parley-im/parley/benchmarks/compare/internal/side"

// Comparison is one line of the table.
type Comparison struct {
	Name    string
	What    string // of Parley
	Against string
	Alone   bool   // both sides are Parley
	Note    string // what a reader must know to judge the figures

	Contenders []Contender // measured in this order in one round, and in the opposite one in the next
	Main       Ratio
	Beside     []Ratio // further ones, with targets or without
}

// Contender is a side of a comparison.
type Contender struct {
	Side   string
	Params side.Params
	// Fixture has the side begin with a store that holds Params.Known conversations.
	Fixture bool
	// Program is the one that the side needs, "engine" or "redis-server"; "": none.
	Program string
	// Rounds is how many rounds the side takes part in; 0: in all.
	Rounds int
}

// Ratio is a figure of one contender over that of another.
type Ratio struct {
	Label        string // of those beside: what is different
	Ours, Theirs Figure
	Unit         Unit
	Reach        float64 // 0: there is no target
	AtMost       bool    // the smaller, the better: the target is a bound from above
}

// Figure is what one contender measured.
type Figure struct {
	Contender int // its place
	Name      string
}

// Unit says how a figure is written.
type Unit int

// The units.
const (
	PerSecond Unit = iota
	Nanoseconds
	Milliseconds
	Bytes
)
