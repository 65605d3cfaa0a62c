package main

import (
	"context"
	"os"
	"syscall"
	"testing"
)

func TestTheFirstSignalEndsTheContextAndTheSecondAborts(t *testing.T) {
	aborted := make(chan string, 1)
	ctx, stop := untilSignal(func(message string) { aborted <- message })
	defer stop()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := self.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
	}
	if got, want := context.Cause(ctx).Error(), "signal: terminated"; got != want {
		t.Errorf("the cause is %q, want %q", got, want)
	}
	if got, want := <-aborted, "ended at once by a second signal: terminated"; got != want {
		t.Errorf("aborted with %q, want %q", got, want)
	}
}

func TestStopEndsTheContextWithoutASignal(t *testing.T) {
	ctx, stop := untilSignal(func(message string) { t.Error(message) })
	if ctx.Err() != nil {
		t.Error("the context has ended before anything happened")
	}
	stop()
	if ctx.Err() == nil {
		t.Error("the context goes on after stop")
	}
}
