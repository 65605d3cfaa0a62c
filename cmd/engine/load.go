package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/benchmarks/load"
	"github.com/parley-im/parley/benchmarks/workload"
)

// loadOptions is what the flags of `engine load` say.
type loadOptions struct {
	workload workload.Config
	load     load.Config
	kind     string
	trace    string
	ack      string
	arrivals string
	target   loadTarget
	json     string
	html     string
}

func newLoadCommand() *cobra.Command {
	var o loadOptions
	command := &cobra.Command{
		Use:   "load",
		Short: "Send a load to an engine, and say how long the answers took",
		Long: `Send a load to an engine, and say how long the answers took. The engine is one in this process, on a directory that is
removed afterwards or stays where --data says; or a server's, at --server, over the wire.

The load is open: proposals are planned at --rate whatever the engine does, and latencies run from when each was planned.
A stall is seen to have been one for everybody who came in it. What is not sent because too many proposals are unanswered
is counted as dropped.

Workloads: zipf (few conversations get most), uniform, hot (a small set gets nine tenths), groups (thousands of members),
expiry (in the second of three phases a mass of other conversations is over), storm (likewise, users ask at once what
changed), trace (a recorded trace, in its order). What they need is begun first. At a server, whose policies and clock are
its own, conversations that are to expire are deleted instead, which is the reaper's work as well; conversations that were
begun there stay, by names that begin with "load".

The first ^C ends the load, and the report is of what was done until then.`,
		Example: `  engine load --rate 5000 --duration 30s --html load.html
  engine load --workload expiry --expiring 20000 --ack applied
  engine load --server http://127.0.0.1:7600 --batch 100 --rate 20000 --json -`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return runLoad(command, &o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.kind, "workload", string(workload.Zipf), "zipf, uniform, hot, groups, expiry, storm or trace")
	flags.Float64Var(&o.load.Rate, "rate", 2_000, "proposals a second")
	flags.StringVar(&o.arrivals, "arrivals", string(load.Poisson), "how they are spread: poisson (at random, as from many users) or constant")
	flags.IntVar(&o.load.Batch, "batch", 1, "how many proposals travel together, planned for one moment; up to 1000")
	flags.DurationVar(&o.load.Duration, "duration", 20*time.Second, "for how long the load is measured")
	flags.DurationVar(&o.load.WarmUp, "warm-up", 3*time.Second, "for how long it runs before that")
	flags.IntVar(&o.load.Outstanding, "outstanding", 0, "how many proposals may be unanswered, beyond which they are dropped; 0: as many as ten seconds bring")
	flags.DurationVar(&o.load.DrainFor, "drain-for", 30*time.Second, "how long the last answers are waited for")
	flags.StringVar(&o.ack, "ack", "committed", "what proposals ask for: committed, or applied")
	flags.Uint64Var(&o.workload.Seed, "seed", 1, "what everything is drawn from: the same load for the same seed")
	flags.IntVar(&o.workload.Conversations, "conversations", 0, "how many are talked in; 0: 10000, of groups 50, of storm ten for each who asks")
	flags.IntVar(&o.workload.Members, "members", 0, "members of each; 0: 2, of groups 2000, of storm 20")
	flags.Float64Var(&o.workload.Reads, "reads", 0.25, "share of the proposals that mark as read; the others are posts")
	flags.Float64Var(&o.workload.Skew, "skew", 0, "of zipf: the exponent, more than 1; 0: 1.1")
	flags.Float64Var(&o.workload.Hot, "hot", 0, "of hot: the share of the conversations that are; 0: 0.01")
	flags.IntVar(&o.workload.Expiring, "expiring", 0, "of expiry: how many conversations; 0: 10000")
	flags.DurationVar(&o.workload.ExpireOver, "expire-over", 0, "of expiry: over how long they end, instead of at one moment")
	flags.IntVar(&o.workload.Askers, "askers", 0, "of storm: how many users; 0: 1000")
	flags.StringVar(&o.trace, "trace", "", "of trace: the file; by itself a small one that comes with the program")
	o.target.flags(flags)
	flags.StringVar(&o.json, "json", "", "write the report as JSON to this file; -: to standard output, instead of the table")
	flags.StringVar(&o.html, "html", "", "write the report as a page with plots to this file")
	command.MarkFlagsMutuallyExclusive("server", "data")
	return command
}

// runLoad checks all flags before anything is begun.
func runLoad(command *cobra.Command, o *loadOptions) error {
	o.load.Seed, o.load.Arrivals, o.workload.Kind = o.workload.Seed, load.Arrivals(o.arrivals), workload.Kind(o.kind)
	o.workload.Run = "seed" + strconv.FormatUint(o.workload.Seed, 36)
	if o.target.server != "" {
		o.workload.Run = "at" + strconv.FormatInt(time.Now().UnixMicro(), 36) // what runs before it have left there is not met
	}
	ack, err := ackOf(o.ack)
	o.workload.Ack = ack
	w, fault := o.draw()
	if err = errors.Join(err, flaggedAll(o.checkSizes()), flaggedAll(fault), flaggedAll(o.load.Validate()), o.target.check(command.Flags())); err != nil {
		return err
	}
	files, err := openReports(o.json, o.html)
	if err != nil {
		return err
	}
	report, err := o.run(command.Context(), w, command.ErrOrStderr())
	if err != nil {
		return errors.Join(err, files.abandon())
	}
	return o.write(files, report, command.OutOrStdout())
}

// checkSizes refuses numbers that the workload would take for its own default.
func (o *loadOptions) checkSizes() error {
	if o.trace != "" && o.kind != string(workload.Trace) {
		return &workload.FieldError{Field: "trace", Reason: "is for --workload trace"}
	}
	return nil
}

// run opens the target, sends the load, and closes it again.
func (o *loadOptions) run(ctx context.Context, w *workload.Workload, log io.Writer) (report *load.Report, err error) {
	target, err := o.target.open(ctx, w, o.load, log)
	if err != nil {
		return nil, err
	}
	show, hide := loadProgress(log)
	o.load.Progress = show
	began := time.Now()
	report, err = load.Run(ctx, target.Target, w, o.load)
	hide()
	err = errors.Join(interrupted(ctx, err, time.Since(began)), target.close())
	if report != nil {
		report.Target = o.target.String()
	}
	return report, err
}

// interrupted says that nothing was measured, where that is because somebody wanted it to end.
func interrupted(ctx context.Context, err error, after time.Duration) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("load: interrupted after %v, while it was prepared; nothing was measured", after.Round(time.Second))
	}
	return err
}

// write prints the table, or JSON, and writes the files.
func (o *loadOptions) write(files *reports, report *load.Report, out io.Writer) error {
	err := files.write(report)
	if o.json == toStdout {
		return errors.Join(err, json.NewEncoder(out).Encode(report))
	}
	return errors.Join(err, report.WriteTable(out))
}
