package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/parley-im/parley/benchmarks/replay"
)

// newReplayCommand returns `engine replay`.
func newReplayCommand() *cobra.Command {
	var (
		config   replay.Config
		jsonOnly bool
	)
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Send a recorded trace of chat through an engine and check every expiry",
		Long: `Replay sends a recorded trace of chat (CSV, plain or gzip) through a real engine on a real store, on a virtual clock
that follows the trace's timestamps. From the trace alone it works out when every conversation should have ended,
and compares: the exit code is 1 if the engine ended a single one at another moment, or did not end it.`,
		Example: `  engine replay benchmarks/testdata/chat-every-20th.csv.gz
  engine replay --expire-after 168h --json chat.csv.gz`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("replay takes one trace FILE, got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if config.ExpireAfter <= 0 {
				return fmt.Errorf("--expire-after: must be positive, is %v: without an end there is nothing to check", config.ExpireAfter)
			}
			return runReplay(cmd, args[0], config, jsonOnly)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&config.ExpireAfter, "expire-after", replay.DefaultExpireAfter, "how long after its last message a conversation expires")
	flags.StringVar(&config.Dir, "data", "", "a new or empty directory to leave the store in (default a temporary one, removed afterwards)")
	flags.BoolVar(&jsonOnly, "json", false, "print one JSON object instead of the table")
	return cmd
}

func runReplay(cmd *cobra.Command, path string, config replay.Config, jsonOnly bool) error {
	show, hide := progress(cmd.ErrOrStderr(), filepath.Base(path))
	config.Progress = show
	began := time.Now()
	report, err := replay.Run(cmd.Context(), path, config)
	hide()
	if err != nil && cmd.Context().Err() != nil {
		return fmt.Errorf("replay: interrupted after %v; nothing was checked", time.Since(began).Round(time.Second))
	}
	if err != nil {
		return err
	}
	return printReport(cmd.OutOrStdout(), report, jsonOnly)
}

// printReport writes a report and returns an error that names the first difference, if there is one.
func printReport(w io.Writer, report *replay.Report, jsonOnly bool) error {
	var err error
	if jsonOnly {
		err = json.NewEncoder(w).Encode(report)
	} else {
		err = report.WriteTable(w)
	}
	return errors.Join(err, report.Err())
}

// progress returns what shows how far a replay is, and what takes it off the screen again. Only a terminal is shown anything.
func progress(w io.Writer, name string) (show func(read, size int64), hide func()) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil, func() {}
	}
	var bar *progressbar.ProgressBar
	show = func(read, size int64) {
		if bar == nil {
			bar = progressbar.NewOptions64(size,
				progressbar.OptionSetWriter(file),
				progressbar.OptionSetDescription(name),
				progressbar.OptionSetWidth(24),
				progressbar.OptionThrottle(100*time.Millisecond),
				progressbar.OptionClearOnFinish(),
			)
		}
		_ = bar.Set64(read) // a bar that cannot be drawn is no reason to stop
	}
	hide = func() {
		if bar != nil {
			_ = bar.Clear()
		}
	}
	return show, hide
}
