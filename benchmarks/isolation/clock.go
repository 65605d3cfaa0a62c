package isolation

import (
	"time"

	"github.com/parley-im/parley/actors/clock"
)

// shifted is a clock that goes as fast as real time, from a moment of its own.
type shifted struct {
	origin time.Time // what it showed when it began
	began  time.Time
}

// newShifted returns a clock that shows origin now.
func newShifted(origin time.Time) *shifted { return &shifted{origin: origin, began: time.Now()} }

// Now returns the shifted time.
func (s *shifted) Now() time.Time { return s.origin.Add(time.Since(s.began)) }

// AfterFunc calls f once real time has gone on by d.
func (s *shifted) AfterFunc(d time.Duration, f func()) clock.Timer { return time.AfterFunc(d, f) }
