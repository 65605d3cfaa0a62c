package main

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
)

// forgetfulOnce has some conversations left that forget the user while it is asked.
type forgetfulOnce struct {
	forgetful // nil: no order is given, and nothing closed

	left uint64
}

func (f *forgetfulOnce) forgetting(context.Context, string) (uint64, error) {
	f.left--
	return f.left, nil
}

func TestWatchingAForgettingOrdersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remaining, err := watchForgetting(t.Context(), &forgetfulOnce{left: 3}, "ann", 3, io.Discard)
		if err != nil || remaining != 0 {
			t.Errorf("%d remain, %v; want that it is watched to its end", remaining, err)
		}
	})
}
