// Command compare holds Parley against what a user would pick instead, and against the primitives that it is made of:
//
//	go run ./benchmarks/compare            # everything, at full size: a good hour
//	go run ./benchmarks/compare --quick    # smaller and shorter: minutes
//	go run ./benchmarks/compare tradeoffs  # measure docs/tradeoffs.md anew
//
// Both sides of a comparison are measured in turns, each in a process of its own; figures are medians. It is a program of its own so that no client of a
// peer is linked into the engine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	command := newRoot()
	command.SetArgs(os.Args[1:])
	if err := command.ExecuteContext(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, cause) {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "compare:", err)
		stop()
		os.Exit(1) //nolint:forbidigo,gocritic // this is main, and stop has been called
	}
}
