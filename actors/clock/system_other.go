//go:build !linux

package clock

import "time"

// suspensions returns a function that always says zero: there is no portable way to ask how long the machine was suspended. What Go's monotonic
// clock includes is in the time awake already; what it leaves out (on macOS, all of it) the clock makes up for when the program is started again
// and begins at the wall time.
func suspensions() func() time.Duration { return func() time.Duration { return 0 } }
