// Command engine runs Parley by itself: as a server, through a recorded trace, or under a load. It also repairs a conversation for an operator, and says why one is as it is.
package main

import (
	"fmt"
	"os"
)

func main() { os.Exit(run()) }

// run returns the exit code: 0 where the command did what it was asked to, 1 where it says on standard error why not.
func run() int {
	ctx, stop := untilSignal(func(message string) {
		fmt.Fprintln(os.Stderr, "engine:", message)
		os.Exit(1)
	})
	defer stop()
	if err := newRootCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		return 1
	}
	return 0
}
