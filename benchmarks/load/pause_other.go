//go:build !linux

package load

import "time"

// pause lets a moment pass.
func pause(d time.Duration) { time.Sleep(d) }
