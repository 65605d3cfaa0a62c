package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/benchmarks/compare/internal/contest"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
	"github.com/parley-im/parley/benchmarks/compare/internal/tradeoff"
)

// tradeoffOptions are the flags of the sub-command.
type tradeoffOptions struct {
	out, source string
	dir         *string
	config      tradeoff.Config
}

func newTradeoffs(dir *string) *cobra.Command {
	o := tradeoffOptions{dir: dir, config: tradeoff.Full()}
	command := &cobra.Command{
		Use:   "tradeoffs",
		Short: "Measure and draw the three trade-offs: flushing, residency, deletion",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return measureTradeoffs(c.Context(), &o, c.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.out, "out", "docs", "directory to write tradeoffs.md and its pictures to")
	flags.StringVar(&o.source, "source", ".", "the repository, whose lines of code are counted")
	return command
}

func measureTradeoffs(ctx context.Context, o *tradeoffOptions, errOut io.Writer) (err error) {
	if info, err := os.Stat(o.out); err != nil || !info.IsDir() {
		return fmt.Errorf("--out: %q is not a directory", o.out)
	}
	dir, err := os.MkdirTemp(*o.dir, "parley-tradeoffs-")
	if err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program, whose children are measured: %w", err)
	}
	progress := newProgress(errOut)
	lab := &tradeoff.Lab{
		Launch: side.Children(self, "side"), Dir: dir, Source: o.source, Say: progress.say, Step: progress.step, Config: o.config,
	}
	curves, err := lab.Measure(ctx)
	progress.end()
	if err != nil {
		return err
	}
	return tradeoff.Write(o.out, curves, contest.DescribeMachine(ctx, ""))
}
