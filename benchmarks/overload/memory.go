package overload

import (
	"slices"
	"sync"
	"time"

	"github.com/parley-im/parley/benchmarks/internal/resident"
)

// watch looks at the process's memory while it runs.
type watch struct {
	stop  chan struct{}
	group sync.WaitGroup
	seen  []uint64 // to be read once it was stopped
}

const lookEvery = 50 * time.Millisecond

func startWatch() *watch {
	w := &watch{stop: make(chan struct{})}
	w.group.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			w.seen = append(w.seen, resident.Bytes())
			select {
			case <-w.stop:
				return
			case <-tick.C:
			}
		}
	})
	return w
}

func (w *watch) end() []uint64 {
	close(w.stop)
	w.group.Wait()
	return w.seen
}

// median returns the middle one of some values; 0 of none.
func median[T float64 | uint64 | time.Duration](values []T) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
