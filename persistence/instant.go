package persistence

import (
	"math"
	"time"
)

// Instant is a point in time in microseconds since the Unix epoch. All stored times are Instants: they reach from before the Unix epoch to the
// year 9999 and beyond, and compare as integers. Zero means "no time".
type Instant int64

// Never is the deadline of what does not expire.
const Never Instant = 1<<63 - 1

// InstantOf returns t rounded down to a microsecond; the zero time gives zero.
func InstantOf(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	return Instant(t.UnixMicro())
}

// Time returns the instant in UTC; zero and [Never] give the zero time.
func (i Instant) Time() time.Time {
	if i == 0 || i == Never {
		return time.Time{}
	}
	return time.UnixMicro(int64(i)).UTC()
}

// Add returns the instant d later, which is [Never] where that is beyond what an Instant holds. Fractions of a microsecond are dropped.
func (i Instant) Add(d time.Duration) Instant {
	if i == Never {
		return Never
	}
	sum := i + Instant(d.Microseconds())
	if d > 0 && sum < i {
		return Never
	}
	return sum
}

// Sub returns how much later i is than j, or the longest duration of that sign where it is beyond what a Duration holds (292 years).
func (i Instant) Sub(j Instant) time.Duration {
	const most = math.MaxInt64 / Instant(time.Microsecond)
	diff := i - j
	switch {
	case i >= j && (diff < 0 || diff > most):
		return math.MaxInt64
	case i < j && (diff >= 0 || diff < -most):
		return math.MinInt64
	}
	return time.Duration(diff) * time.Microsecond
}
