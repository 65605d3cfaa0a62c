package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// untilSignal returns a context that the first SIGINT or SIGTERM ends, with the signal as its cause. The second calls abort, on another goroutine.
// stop gives the signals their default effect back and waits for that goroutine.
//
// signal.NotifyContext would not do: a second signal that comes before the default effect is back is lost, and then the process stays.
func untilSignal(abort func(message string)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2) // as many as are told apart
	done := make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case s := <-signals:
			cancel(fmt.Errorf("signal: %v", s))
		case <-done:
			return
		}
		select {
		case s := <-signals:
			abort(fmt.Sprintf("ended at once by a second signal: %v", s))
		case <-done:
		}
	})
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		watch.Wait()
		cancel(nil)
	}
}
