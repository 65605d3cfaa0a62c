package chat

import (
	"sync"
	"time"
)

// Send has speakers send messages one by one for a window of time, without waiting for answers, no more of them under way than the window allows, and
// returns how many a second were dealt with: until the last of them was. send must lead to one Done of the window for each message.
func Send(speakers []*Speaker, w *Window, lasting time.Duration, send func(s *Speaker)) float64 {
	before, began := w.Count(), time.Now()
	var group sync.WaitGroup
	for _, s := range speakers {
		group.Go(func() {
			for time.Since(began) < lasting {
				for range w.Take() {
					send(s)
				}
			}
		})
	}
	group.Wait()
	w.Drain()
	return float64(w.Count()-before) / time.Since(began).Seconds()
}

// Call has speakers make calls for a window of time, each after its last, and returns how many a second were done, of those that call says it did.
func Call(speakers []*Speaker, lasting time.Duration, call func(s *Speaker) (done int, err error)) (float64, error) {
	began := time.Now()
	counts, errs := make([]int, len(speakers)), make([]error, len(speakers))
	var group sync.WaitGroup
	for i, s := range speakers {
		group.Go(func() {
			for time.Since(began) < lasting && errs[i] == nil {
				var done int
				done, errs[i] = call(s)
				counts[i] += done
			}
		})
	}
	group.Wait()
	took, sum := time.Since(began), 0
	for i := range counts {
		if errs[i] != nil {
			return 0, errs[i]
		}
		sum += counts[i]
	}
	return float64(sum) / took.Seconds(), nil
}
