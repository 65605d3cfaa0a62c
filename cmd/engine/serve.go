package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/logobserver"
)

// serveOptions is what the flags of `engine serve` say.
type serveOptions struct {
	data         string
	listen       string
	expireAfter  time.Duration
	noSync       bool
	drainTimeout time.Duration
	logFormat    string
	logLevel     string
}

func newServeCommand() *cobra.Command {
	var o serveOptions
	command := &cobra.Command{
		Use:   "serve",
		Short: "Keep conversations in a directory and answer over gRPC, gRPC-Web and JSON on one port",
		Long: `Keep conversations in a directory and answer over gRPC, gRPC-Web and JSON on one port.

There is no authentication: whoever reaches the port may do everything. /healthz answers 200 while the process
runs; /readyz answers 200 while calls are answered, and 503 with a sentence while it starts or drains.

The first SIGTERM or SIGINT drains: nothing new is taken, what was accepted is answered and written, and the exit
code is 0, or 1 where that took longer than --drain-timeout. A second signal ends the process at once, with exit
code 1; what was answered as committed is then safe all the same.`,
		Example: `  engine serve --data ./data --expire-after 720h
  curl -H 'Content-Type: application/json' localhost:7600/parley.v1.ConversationService/Propose \
    -d '{"conversation":"group:42","post":{"seq":"1","sender":"ann","members":["bob"]}}'`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return serve(command.Context(), o, command.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.data, "data", "./data", "directory of the store; made where there is none")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:7600", "address to listen on; port 0 takes any that is free, and the log says which")
	flags.DurationVar(&o.expireAfter, "expire-after", 0, "how long after its last message a conversation expires, such as 720h; 0: never")
	flags.BoolVar(&o.noSync, "no-sync", false, "leave it to the operating system when commits reach the disk: they survive the process, not the machine")
	flags.DurationVar(&o.drainTimeout, "drain-timeout", 10*time.Second, "how long a drain may take")
	flags.StringVar(&o.logFormat, "log-format", "console", "console or json")
	flags.StringVar(&o.logLevel, "log-level", "info", "trace, debug, info, warn or error")
	return command
}

// serve runs the server until ctx ends or something fails. The log goes to out.
func serve(ctx context.Context, o serveOptions, out io.Writer) error {
	log, err := newLogger(out, o.logFormat, o.logLevel)
	if err = errors.Join(err, o.validate()); err != nil {
		return err
	}
	began := time.Now()
	d, err := startDaemon(ctx, o, log)
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			log.Info().Str("cause", context.Cause(ctx).Error()).Msg("stopped before it was ready")
			return nil
		}
		return err
	}
	log.Info().
		Str("listen", d.door.address()).
		Str("data", absolute(o.data)).
		Str("expire_after", o.expiry()).
		Bool("sync", !o.noSync).
		Str("version", version()).
		Float64("took_ms", milliseconds(time.Since(began))).
		Msg("ready")
	return d.run(ctx)
}

// validate reports everything that is wrong with the flags, joined.
func (o *serveOptions) validate() error {
	var faults []error
	if o.data == "" {
		faults = append(faults, errors.New("--data: must name a directory"))
	}
	if o.drainTimeout <= 0 {
		faults = append(faults, fmt.Errorf("--drain-timeout: must be more than 0, is %v", o.drainTimeout))
	}
	if err := (conversation.Policy{ExpireAfter: o.expireAfter}).Validate(); err != nil {
		faults = append(faults, fmt.Errorf("--expire-after: %s", strings.TrimPrefix(err.Error(), "ExpireAfter: ")))
	}
	return errors.Join(faults...)
}

func (o *serveOptions) expiry() string {
	if o.expireAfter == 0 {
		return "never"
	}
	return o.expireAfter.String()
}

func (o *serveOptions) engine(log zerolog.Logger) actors.Config {
	return actors.Config{
		Default:  conversation.Policy{ExpireAfter: o.expireAfter},
		Observer: logobserver.New(log),
	}
}

func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1_000 }
