package chat

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime returns how much time of processors the process has taken; 0 where it cannot be told.
func processorTime() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
