// Package clock is where the engine's time comes from.
//
// Everything timed in the engine asks one [Clock]: stamps, deadlines, flushes, back-off. In production that is [System], which goes forward
// whatever happens to the wall clock and counts the time a machine was suspended. A replay runs on a [Virtual] one.
package clock

import "time"

// Clock tells the time and calls back. Its methods may be called from any goroutine.
type Clock interface {
	// Now returns the time. It never goes back.
	Now() time.Time
	// AfterFunc returns a timer that calls f once, d from now, on a goroutine of the clock's. f must not block.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a one-shot timer.
type Timer interface {
	// Stop keeps the timer from firing and reports whether it did: after false the callback has run, runs, or was stopped before.
	Stop() bool
}
