package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/benchmarks/compare/internal/contest"
	"github.com/parley-im/parley/benchmarks/compare/internal/parley"
	"github.com/parley-im/parley/benchmarks/compare/internal/peer"
	"github.com/parley-im/parley/benchmarks/compare/internal/report"
	"github.com/parley-im/parley/benchmarks/compare/internal/side"
)

// options are the flags.
type options struct {
	quick    bool
	only     []string
	json     string
	markdown string
	engine   string
	dir      string

	size contest.Size // as the flags have it
}

func newRoot() *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:           "compare",
		Short:         "Hold Parley against what one might pick instead, both sides in turns, medians",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(c *cobra.Command, _ []string) error {
			o.size = contest.Full()
			if o.quick {
				o.size = contest.Quick()
			}
			return compare(c.Context(), &o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.BoolVar(&o.quick, "quick", false, "three shorter rounds at smaller sizes: minutes")
	flags.StringSliceVar(&o.only, "only", nil, "these comparisons alone, by commas; "+contest.FieldName+" is the table of peers")
	flags.StringVar(&o.json, "json", "", "write figures and ratios to this file as JSON, of a run that ends early those that there are; -: to standard output, instead of the table")
	flags.StringVar(&o.markdown, "markdown", "", "write the page for people to this file")
	flags.StringVar(&o.engine, "engine", "", "the engine's binary, where it is built already")
	command.PersistentFlags().StringVar(&o.dir, "dir", "", "where to make stores, and remove them again (default the system's temporary directory)")
	command.AddCommand(newSideCommand(), newTradeoffs(&o.dir))
	return command
}

// sides returns all sides by name.
func sides() map[string]side.Opener {
	all := parley.Sides()
	maps.Copy(all, peer.Sides())
	return all
}

// newSideCommand is what the program starts itself with: one side, alone.
func newSideCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "side NAME",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return side.Serve(c.Context(), sides(), args[0], c.InOrStdin(), c.OutOrStdout())
		},
	}
}

// compare measures and writes what was asked for.
func compare(ctx context.Context, o *options, out, errOut io.Writer) (err error) {
	if err := o.validate(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "parley-compare-")
	if err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program, whose children the sides are: %w", err)
	}
	programs, err := o.programs(ctx, dir)
	if err != nil {
		return err
	}
	progress := newProgress(errOut)
	runner := &contest.Runner{
		Launch: side.Children(self, "side"), Size: o.size, Dir: dir, Programs: programs, Only: o.chosen(), Say: progress.say, Step: progress.step,
	}
	began := time.Now()
	result, err := runner.Run(ctx)
	progress.end()
	result.Date, result.Took, result.Quick = began, time.Since(began), o.quick
	result.Machine = contest.DescribeMachine(ctx, programs[contest.RedisProgram])
	if err != nil {
		// What was measured before may have taken an hour. The page is left as it is: it would say less than the one that is there.
		result.Skipped = append(result.Skipped, fmt.Sprintf("The run ended early (%v): what is not here was not measured.", err))
		return errors.Join(err, report.Text(errOut, result), o.writeJSON(result, out))
	}
	return o.write(result, out)
}

func (o *options) validate() error {
	all := contest.All(o.size)
	known := make([]string, 0, 1+len(all))
	known = append(known, contest.FieldName)
	for _, c := range all {
		known = append(known, c.Name)
	}
	for _, name := range o.only {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--only: there is no comparison %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// chosen returns which comparisons were asked for; nil: all.
func (o *options) chosen() func(string) bool {
	if len(o.only) == 0 {
		return nil
	}
	return func(name string) bool { return slices.Contains(o.only, name) }
}

// programs finds, or builds, what some sides run.
func (o *options) programs(ctx context.Context, dir string) (map[string]string, error) {
	programs := map[string]string{}
	if path, err := exec.LookPath(contest.RedisProgram); err == nil {
		programs[contest.RedisProgram] = path
	}
	if !contest.NeedsProgram(contest.EngineProgram, o.size, o.chosen()) {
		return programs, nil
	}
	if o.engine != "" {
		path, err := filepath.Abs(o.engine)
		programs[contest.EngineProgram] = path
		return programs, err
	}
	path := filepath.Join(dir, "bin-engine")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/parley-im/parley/cmd/engine")
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the engine (or name one that is built by --engine): %w\n%s", err, said)
	}
	programs[contest.EngineProgram] = path
	return programs, nil
}

// write writes the result in the forms that were asked for.
func (o *options) write(result *contest.Result, out io.Writer) error {
	if o.json != "-" {
		if err := report.Text(out, result); err != nil {
			return err
		}
	}
	if err := o.writeJSON(result, out); err != nil || o.markdown == "" {
		return err
	}
	return toFile("--markdown", o.markdown, func(w io.Writer) error { return report.Markdown(w, result) })
}

func (o *options) writeJSON(result *contest.Result, out io.Writer) error {
	switch o.json {
	case "":
		return nil
	case "-":
		return report.JSON(out, result)
	}
	return toFile("--json", o.json, func(w io.Writer) error { return report.JSON(w, result) })
}

// toFile writes a file that a flag names.
func toFile(flag, path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return errors.Join(write(file), file.Close())
}
