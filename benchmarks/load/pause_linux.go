package load

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// pause lets a moment pass, by the system's timer: the runtime's, which waits for whole milliseconds where nothing else is to be done, would be late by half of one on average.
func pause(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	for errors.Is(unix.Nanosleep(&left, &left), unix.EINTR) {
		continue // what is left is still to pass
	}
}
