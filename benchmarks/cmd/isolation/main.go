// Command isolation measures what proposals feel while a mass of conversations expires, in three designs, and draws it:
//
//	go run ./benchmarks/cmd/isolation -svg docs/isolation.svg
//
// Package benchmarks/isolation says what is measured and how. The table goes to standard output.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/benchmarks/isolation"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "isolation:", err)
		stop()
		os.Exit(1) //nolint:forbidigo,gocritic // this is main, and stop has been called
	}
}

// run measures, prints a table to out and draws to the file that -svg names.
func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	var config isolation.Config
	flags := flag.NewFlagSet("isolation", flag.ContinueOnError)
	flags.SetOutput(errOut)
	svg := flags.String("svg", "", "file to draw to; none: only the table is printed")
	committed := flags.Bool("committed", false, "wait for each proposal to be in the store, not just applied")
	flags.IntVar(&config.Rate, "rate", 0, "proposals a second (default 2000)")
	flags.IntVar(&config.Doomed, "doomed", 0, "conversations that expire at one moment (default 10000)")
	flags.IntVar(&config.Members, "members", 0, "users in each of those (default 4)")
	flags.IntVar(&config.Rounds, "rounds", 0, "turns of each design (default 3)")
	flags.DurationVar(&config.Before, "before", 0, "how long the load runs before the expiry (default 1s)")
	flags.DurationVar(&config.After, "after", 0, "how long it goes on when all is deleted (default 1s)")
	flags.DurationVar(&config.Limit, "limit", 0, "how long a turn's load runs at most (default 30s)")
	flags.StringVar(&config.Dir, "dir", "", "where to make the stores, and remove them again (default the system's temporary directory)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *committed {
		config.Ack = actors.AckCommitted
	}
	result, err := isolation.Run(ctx, config)
	if err != nil {
		return err
	}
	if err := result.WriteTable(out); err != nil || *svg == "" {
		return err
	}
	image, err := render(result)
	if err != nil {
		return err
	}
	return os.WriteFile(*svg, image, 0o644)
}
