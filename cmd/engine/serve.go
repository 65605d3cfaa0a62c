package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/actors/logobserver"
	"github.com/parley-im/parley/cmd/engine/internal/config"
)

func newServeCommand() *cobra.Command {
	var (
		path      string
		printOnly bool
	)
	command := &cobra.Command{
		Use:   "serve",
		Short: "Keep conversations in a directory and answer over gRPC, gRPC-Web and JSON on one port",
		Long: `Keep conversations in a directory and answer over gRPC, gRPC-Web and JSON on one port.

There is no authentication: whoever reaches the port may do everything. /healthz answers 200 while the process
runs; /readyz answers 200 while calls are answered, and 503 with a sentence while it starts or drains. /metrics is
for Prometheus: docs/metrics.md has what is there.

What the flags say can stand in a YAML file as well, with underscores for dashes, and in the environment
(PARLEY_DRAIN_TIMEOUT); a flag goes before the environment, and that before the file. Policies of namespaces stand in
the file alone:

  default: {expire_after: 30d}
  namespaces:
    group: {expire_after: 8760h, keep_pinned: true, expire_jitter: 1h}
    flash: {expire_age: 24h, new_generation: members_required}

The first SIGTERM or SIGINT drains: nothing new is taken, what was accepted is answered and written, and the exit
code is 0, or 1 where that took longer than --drain-timeout. A second signal ends the process at once, with exit
code 1; what was answered as committed is then safe all the same.`,
		Example: `  engine serve --data ./data --expire-after 720h
  curl -H 'Content-Type: application/json' localhost:7600/parley.v1.ConversationService/Propose \
    -d '{"conversation":"group:42","post":{"seq":"1","sender":"ann","members":["bob"]}}'`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			c, err := config.Load(path, os.Environ(), command.Flags())
			if err != nil {
				return err
			}
			if printOnly {
				return printConfig(command.OutOrStdout(), c)
			}
			return serve(command.Context(), c, command.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.StringVar(&path, "config", "", "YAML file with settings, and with the policies of namespaces")
	flags.String("data", "./data", "directory of the store; made where there is none")
	flags.String("listen", "127.0.0.1:7600", "address to listen on; port 0 takes any that is free, and the log says which")
	flags.BoolVar(&printOnly, "print-config", false, "print all settings as they would hold, as YAML, and do not serve")
	flags.Var(new(config.Value), "expire-after", "how long after its last message a conversation expires, such as 30d or 720h; 0: never")
	flags.Bool("no-sync", false, "leave it to the operating system when commits reach the disk: they survive the process, not the machine")
	drainTimeout := config.Value(10 * time.Second)
	flags.Var(&drainTimeout, "drain-timeout", "how long a drain may take")
	flags.String("metrics-listen", "", "address to serve /metrics on instead of --listen; off: it is not served")
	flags.Duration("census-every", 15*time.Minute, "how long after one count of the store's rows the next begins, for /metrics; 0: they are not counted")
	flags.Duration("slow-read", logobserver.DefaultSlowRead, "lists, badges and syncs that take so long are logged; 0: all; negative: none")
	flags.Duration("slow-propose", logobserver.DefaultSlowPropose, "proposals that take so long are logged, with their stages; 0: all; negative: none")
	flags.String("log-format", "console", "console or json")
	flags.String("log-level", "info", "trace, debug, info, warn or error")
	return command
}

// printConfig says how the settings would hold.
func printConfig(out io.Writer, c *config.Config) error {
	if err := validate(c); err != nil {
		return err
	}
	text, err := c.YAML()
	if err == nil {
		_, err = out.Write(text)
	}
	return err
}

// serve runs the server until ctx ends or something fails. The log goes to out.
func serve(ctx context.Context, c *config.Config, out io.Writer) error {
	log, err := newLogger(out, c.LogFormat, c.LogLevel)
	if err = errors.Join(err, validate(c)); err != nil {
		return err
	}
	began := time.Now()
	d, err := startDaemon(ctx, c, log)
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			log.Info().Str("cause", context.Cause(ctx).Error()).Msg("stopped before it was ready")
			return nil
		}
		return err
	}
	log.Info().
		Str("listen", d.door.address()).
		Str("metrics", d.metricsAddress()).
		Str("data", absolute(c.Data)).
		Str("expire_after", expiry(c.Default.ExpireAfter)).
		Int("namespaces", len(c.Namespaces)).
		Bool("sync", !c.NoSync).
		Str("version", version()).
		Float64("took_ms", milliseconds(time.Since(began))).
		Msg("ready")
	return d.run(ctx)
}

// validate reports everything that is wrong with the settings, joined.
func validate(c *config.Config) error {
	var faults []error
	if c.Data == "" {
		faults = append(faults, errors.New("--data: must name a directory"))
	}
	if c.DrainTimeout <= 0 {
		faults = append(faults, fmt.Errorf("--drain-timeout: must be more than 0, is %v", c.DrainTimeout))
	}
	_, err := c.Engine()
	return errors.Join(append(faults, err)...)
}

func expiry(after time.Duration) string {
	if after == 0 {
		return "never"
	}
	return after.String()
}

func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1_000 }
