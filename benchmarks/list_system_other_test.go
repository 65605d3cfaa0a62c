//go:build !linux

package benchmarks_test

import (
	"testing"
	"time"
)

// threadTime returns how much time of a processor the calling thread has taken: here that is not known.
func threadTime() time.Duration { return 0 }

// forget has the operating system drop what it has of a closed store's files in memory: here there is no way that is known.
func forget(b *testing.B, _ string) float64 {
	b.Helper()
	b.Skip("dropping files from memory is done with posix_fadvise, on Linux")
	return 0
}

// processTime is not known here.
func processTime() time.Duration { return 0 }
