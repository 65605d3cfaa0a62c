//go:build linux || darwin

package replay

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// maxRSS returns the most memory that the process had resident so far, in bytes; 0 where that is not known.
func maxRSS() int64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss * 1024
}
