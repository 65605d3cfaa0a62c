package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// suspensions returns a function that tells how long the machine was suspended since this call.
//
// CLOCK_BOOTTIME runs while the machine is suspended and CLOCK_MONOTONIC does not; otherwise they keep the same distance, to the nanosecond. That
// distance cannot be read at one stroke, only be enclosed by three readings, and the goroutine may be held up between them. So the answer is the
// least that the readings prove: exactly zero on a machine that never slept, however busy it is. Where a clock cannot be read the answer is zero.
func suspensions() func() time.Duration {
	_, before, ok := bootLead()
	if !ok {
		return func() time.Duration { return 0 }
	}
	return func() time.Duration {
		now, _, ok := bootLead()
		if !ok {
			return 0
		}
		return max(0, now-before)
	}
}

// bootLead returns bounds of how far CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC.
func bootLead() (least, most time.Duration, ok bool) {
	const tight = 20 * time.Microsecond
	for range 3 {
		first, ok1 := read(unix.CLOCK_MONOTONIC)
		boot, ok2 := read(unix.CLOCK_BOOTTIME)
		second, ok3 := read(unix.CLOCK_MONOTONIC)
		if !ok1 || !ok2 || !ok3 {
			return 0, 0, false
		}
		if !ok || second-first < most-least {
			least, most, ok = boot-second, boot-first, true
		}
		if most-least < tight {
			break
		}
	}
	return least, most, ok
}

func read(clock int32) (time.Duration, bool) {
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		return 0, false
	}
	return time.Duration(ts.Nano()), true
}
