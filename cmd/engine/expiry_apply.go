package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/internal/config"
	"github.com/parley-im/parley/cmd/engine/internal/server"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// applyOptions is what the flags of `engine expiry apply` say.
type applyOptions struct {
	place

	namespace string
	config    string
	settings  actors.Config // of a directory
}

func newApplyCommand() *cobra.Command {
	var o applyOptions
	command := &cobra.Command{
		Use:   "apply",
		Short: "Have the policies that are configured now apply to all conversations",
		Long: `Have the policies that are configured now apply to all conversations, also to those that nothing happens in: a changed
policy applies to the others at their next change.

It asks the server at --server, which goes by the policies that it was started with; or, with --data, it opens a
directory that no server has open, with the policies in --config, and also deletes what has expired there. It goes
through the store at a pace that lets others be, and may be interrupted: the same command then goes on where it was.
Repeating it changes nothing. Held conversations, and those that a policy keeps, do not expire by it.`,
		Example: `  engine expiry apply
  engine expiry apply --namespace group --data ./data --config engine.yaml`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := o.check(command); err != nil {
				return err
			}
			return applyPolicies(command.Context(), &o, command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.namespace, "namespace", "", "only conversations of this namespace (default all)")
	flags.StringVar(&o.config, "config", "", "with --data: YAML file with the policies, as `engine serve` takes it")
	o.flags(command)
	return command
}

func (o *applyOptions) check(command *cobra.Command) error {
	if err := o.place.check(command); err != nil {
		return err
	}
	if o.data == "" {
		if o.config != "" {
			return errors.New("--config: is for --data; a server knows its own")
		}
		return nil
	}
	if o.config == "" && !command.Flags().Changed("expire-after") {
		return errors.New("--data: say which policies, with --config or --expire-after: without any, nothing would ever expire")
	}
	flags := pflag.NewFlagSet("policies", pflag.ContinueOnError)
	flags.AddFlag(command.Flags().Lookup("expire-after"))
	c, err := config.Load(o.config, nil, flags)
	if err == nil {
		o.settings, err = c.Engine()
	}
	return err
}

func applyPolicies(ctx context.Context, o *applyOptions, out, log io.Writer) error {
	show, hide := applyBar(log)
	var last *parleyv1.ApplyPoliciesResponse
	note := func(p *parleyv1.ApplyPoliciesResponse) {
		last = p
		show(p)
	}
	run := applyAtServer
	if o.data != "" {
		run = applyInDir
	}
	err := run(ctx, o, note, log)
	hide()
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("interrupted after %d conversations: the same command goes on from there", last.GetLooked())
	}
	if err != nil {
		return err
	}
	return printApplied(out, o.namespace, last)
}

func printApplied(out io.Writer, namespace string, p *parleyv1.ApplyPoliciesResponse) error {
	if namespace == "" {
		namespace = "all namespaces"
	}
	resumed := ""
	if p.GetResumed() {
		resumed = ", those before an interruption among them"
	}
	if _, err := fmt.Fprintf(out, "%s: %d conversations looked at, %d got another deadline%s\n", namespace, p.GetLooked(), p.GetChanged(), resumed); err != nil {
		return err
	}
	if n := p.GetSkipped(); n > 0 {
		return fmt.Errorf("%d conversations could not be had just now, and keep their deadline: repeat the command later", n)
	}
	return nil
}

func applyAtServer(ctx context.Context, o *applyOptions, note func(*parleyv1.ApplyPoliciesResponse), _ io.Writer) error {
	at, err := newRemote(o.server)
	if err != nil {
		return err
	}
	defer at.close()
	stream, err := at.patient.ApplyPolicies(ctx, &parleyv1.ApplyPoliciesRequest{Namespace: o.namespace})
	if err != nil {
		return at.refused(err)
	}
	done := false
	for stream.Receive() {
		note(stream.Msg())
		done = stream.Msg().GetDone() == stream.Msg().GetOf()
	}
	err = at.refused(errors.Join(stream.Err(), stream.Close()))
	if err == nil && !done {
		err = errors.New("--server: the answer ended before all was done: the same command goes on from there")
	}
	return err
}

func applyInDir(ctx context.Context, o *applyOptions, note func(*parleyv1.ApplyPoliciesResponse), log io.Writer) (err error) {
	at, err := openLocalUnder(ctx, o.data, o.settings, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.close(ctx)) }()
	final, err := at.engine.ApplyPolicies(ctx, o.namespace, func(p actors.ApplyProgress) { note(server.ApplicationOf(&p)) })
	if err != nil {
		return refusedLocally(err)
	}
	note(server.ApplicationOf(&final))
	return nil
}

// applyBar returns what shows how far it has come and how long it will take, and what takes that off the screen again. Only a terminal is shown anything.
func applyBar(log io.Writer) (show func(*parleyv1.ApplyPoliciesResponse), hide func()) {
	file, ok := log.(*os.File)
	if !ok || !isTerminal(log) {
		return func(*parleyv1.ApplyPoliciesResponse) {}, func() {}
	}
	var bar *progressbar.ProgressBar
	show = func(p *parleyv1.ApplyPoliciesResponse) {
		if bar == nil {
			bar = progressbar.NewOptions64(int64(p.GetOf()),
				progressbar.OptionSetWriter(file), progressbar.OptionSetWidth(24), progressbar.OptionSetPredictTime(true),
				progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
			)
		}
		bar.Describe(fmt.Sprintf("%d looked at, %d changed", p.GetLooked(), p.GetChanged()))
		_ = bar.Set64(int64(p.GetDone())) // a bar that cannot be drawn is no reason to stop
	}
	return show, func() {
		if bar != nil {
			_ = bar.Clear()
		}
	}
}
