//go:build !linux

package chat

// PeakMemory returns the most memory that this process had resident, in bytes; 0: it cannot be told here.
func PeakMemory() float64 { return 0 }
