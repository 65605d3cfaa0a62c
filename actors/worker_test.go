package actors

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestAWorkerOfOneGoroutineRunsTasksOneByOneInTheirOrder(t *testing.T) {
	w := startWorker(1)
	var ran []int // by one goroutine, which stop waits for
	for i := range 1000 {
		w.push(taskFunc(func() { ran = append(ran, i) }))
	}
	w.stop()
	if len(ran) != 1000 || !slices.IsSorted(ran) {
		t.Errorf("ran %d tasks, in order: %t; want 1000, in order", len(ran), slices.IsSorted(ran))
	}
}

func TestAWorkerRunsWhatItsTasksPushBeforeStopReturns(t *testing.T) {
	for _, goroutines := range []int{1, 4} {
		w := startWorker(goroutines)
		var ran atomic.Int64
		var again func(left int) taskFunc
		again = func(left int) taskFunc {
			return func() {
				ran.Add(1)
				if left > 0 {
					w.Schedule(again(left - 1))
				}
			}
		}
		for range 10 {
			w.push(again(99))
		}
		w.stop()
		if got := ran.Load(); got != 1000 {
			t.Errorf("with %d goroutines: ran %d tasks before stop returned, want 1000", goroutines, got)
		}
	}
}

func TestAWorkerOfSeveralGoroutinesRunsAsManyTasksAtOnce(t *testing.T) {
	const goroutines = 4
	w := startWorker(goroutines)
	var met sync.WaitGroup
	met.Add(goroutines)
	for range goroutines {
		w.push(taskFunc(func() {
			met.Done()
			met.Wait() // each waits for all others
		}))
	}
	met.Wait()
	w.stop()
}

func TestATaskIsNeverLeftLyingWhileAWorkerIsIdle(t *testing.T) {
	w := startWorker(3)
	defer w.stop()
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for range 2000 {
				done := make(chan struct{})
				w.push(taskFunc(func() { close(done) }))
				<-done // by then all goroutines may be asleep again
			}
		})
	}
	work.Wait()
}

func TestAWorkerMayBeStartedAndStoppedAtAnyMoment(t *testing.T) {
	for range 200 {
		w := startWorker(2)
		var pushed, ran atomic.Int64
		var work sync.WaitGroup
		for range 4 {
			work.Go(func() {
				for range 5 {
					pushed.Add(1)
					w.push(taskFunc(func() { ran.Add(1) }))
				}
			})
		}
		work.Wait()
		for range 3 {
			work.Go(w.stop)
		}
		work.Wait()
		if ran.Load() != pushed.Load() {
			t.Fatalf("ran %d of %d tasks before stop returned", ran.Load(), pushed.Load())
		}
	}
}

// To be durably blocked is to cost nothing, also to whoever waits until all is quiet.
func TestADispatcherSleepsWhileACallerHasItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startDispatcher(nil, 0)
		hold := make(chan struct{})
		var ran []int // in turns
		w.put(taskFunc(func() { <-hold; ran = append(ran, 1) }))
		go w.help(1)
		synctest.Wait()
		w.push(taskFunc(func() { ran = append(ran, 2) }))
		synctest.Wait()
		close(hold)
		synctest.Wait()
		w.stop()
		if !slices.Equal(ran, []int{1, 2}) {
			t.Errorf("ran %v, want 1 and 2", ran)
		}
	})
}

func TestAWorkerStopsThoughACallerHasItsLastTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startDispatcher(nil, 0)
		hold := make(chan struct{})
		ran := 0 // in turns
		w.put(taskFunc(func() { <-hold; ran++ }))
		w.put(taskFunc(func() { ran++ }))
		go w.help(2)
		synctest.Wait()
		w.put(taskFunc(func() { ran++ }))
		go w.stop()
		synctest.Wait()
		close(hold)
		synctest.Wait()
		w.alive.Wait()
		if ran != 3 {
			t.Errorf("ran %d tasks, want 3", ran)
		}
	})
}
