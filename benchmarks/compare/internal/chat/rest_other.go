//go:build !linux

package chat

import "time"

// processorTime is not known here.
func processorTime() time.Duration { return 0 }
