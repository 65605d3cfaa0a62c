package actors

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// lookTogether is how many conversations are looked up with one look at the journal and one snapshot.
	lookTogether = 16
	// lookAlone is how many conversations are left to the caller's goroutine. A page is done before others could be of use, and need not wait for a thread that was put aside with
	// a part of it.
	lookAlone = 256
	// lookers is how many goroutines, at most, look conversations up for one answer.
	lookers = 8
)

// lookAll looks up conversations for a user, each as of a moment of its own. Others than the caller's goroutine help where there are many.
func (e *Engine) lookAll(ctx context.Context, user string, names []string, cost *ReadCost) ([]seen, error) {
	found := make([]seen, len(names))
	parts := (len(names) + lookTogether - 1) / lookTogether
	var (
		next   atomic.Int64
		group  sync.WaitGroup
		costs  [lookers]ReadCost
		errs   [lookers]error
		finish = func(k int) {
			for errs[k] == nil {
				from := int(next.Add(1)-1) * lookTogether
				if from >= len(names) {
					return
				}
				upTo := min(from+lookTogether, len(names))
				errs[k] = e.lookEach(ctx, user, names[from:upTo], found[from:upTo], &costs[k])
			}
		}
	)
	helpers := 0
	if len(names) > lookAlone {
		helpers = min(lookers, parts, runtime.GOMAXPROCS(0)) - 1 // reading what is not in memory keeps a processor as well: more goroutines than those gain nothing
	}
	for k := 1; k <= helpers; k++ {
		group.Go(func() { finish(k) })
	}
	finish(0)
	group.Wait()
	for k := range costs {
		cost.add(&costs[k])
		if errs[k] != nil {
			return nil, errs[k]
		}
	}
	return found, nil
}
