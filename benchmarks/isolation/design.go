package isolation

import "fmt"

// Design is where expired conversations are deleted.
type Design int

// The designs, in the order in which they are run and told.
const (
	Inline  Design = iota // in the way of whoever proposes
	Unpaced               // by the reaper, as fast as it can
	Paced                 // by the reaper, at its default pace
)

// Designs is how many there are.
const Designs = 3

// String returns the design's name in tables.
func (d Design) String() string {
	switch d {
	case Inline:
		return "inline in propose"
	case Unpaced:
		return "reaper, unpaced"
	case Paced:
		return "reaper, paced"
	}
	return fmt.Sprintf("design(%d)", int(d))
}
