package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/parley-im/parley/persistence/badgerstore"
)

// compactOptions is what the flags of `engine compact` say.
type compactOptions struct {
	data       string
	jsonOnly   bool
	abandonLog bool
}

// newCompactCommand returns `engine compact`.
func newCompactCommand() *cobra.Command {
	var o compactOptions
	command := &cobra.Command{
		Use:   "compact --data DIR",
		Short: "Give back the disk space of deleted conversations, in a directory that no server has open",
		Long: `Give back the disk space of deleted conversations, in a directory that no server has open. A server does so by itself,
little by little; this is for a directory that was stopped before, or must be small now. It changes no row, and nothing
expires. It may be interrupted at any time: what was won until then is kept.

Where no server starts because the redo log is damaged, and there is no backup of the directory, --abandon-log takes in what
stands in the log before the damage and lets go of the rest, which was acknowledged last.`,
		Example: `  engine compact --data ./data`,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return compact(command.Context(), &o, command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.data, "data", "", "directory of a store that no server has open")
	flags.BoolVar(&o.jsonOnly, "json", false, "print one JSON object instead of the sentence")
	flags.BoolVar(&o.abandonLog, "abandon-log", false, "lose what stands in a damaged redo log from the damage on")
	if err := command.MarkFlagRequired("data"); err != nil {
		panic(err) // there is no such flag
	}
	return command
}

// compacted is what came of it, as --json prints it.
type compacted struct {
	BeforeBytes int64   `json:"before_bytes"` // files of the directory, as they are on disk
	AfterBytes  int64   `json:"after_bytes"`
	LiveBytes   int64   `json:"live_bytes"` // estimated
	Steps       int     `json:"steps"`
	TookMs      float64 `json:"took_ms"`
}

func compact(ctx context.Context, o *compactOptions, out, log io.Writer) (err error) {
	if err = mustHaveStore(o.data); err != nil {
		return err
	}
	logger, err := newLogger(log, "console", "warn")
	if err != nil {
		return err
	}
	store, err := badgerstore.Open(o.data, badgerstore.Options{Log: badgerLog(logger), MaintainEvery: -1, AbandonLog: o.abandonLog})
	if err != nil {
		return unopened(o.data, err)
	}
	show, hide := progress(log, "compact")
	run, err := store.Reclaim(ctx, show)
	hide()
	disk, fault := store.Disk()
	// Closing gives back what the logs were made longer than they are, but that is nothing of the disk's.
	if fault = errors.Join(fault, store.Close()); fault != nil {
		return errors.Join(err, fault)
	}
	if err != nil {
		return fmt.Errorf("compact: after %v and %s: %w", run.Took.Round(time.Millisecond), sizes(run.Before, run.After), err)
	}
	if o.jsonOnly {
		return json.NewEncoder(out).Encode(compacted{
			BeforeBytes: run.Before, AfterBytes: disk.Bytes, LiveBytes: disk.Live, Steps: run.Steps, TookMs: milliseconds(run.Took),
		})
	}
	_, err = fmt.Fprintf(out, "%s: %s, in %v\n", o.data, sizes(run.Before, disk.Bytes), run.Took.Round(time.Millisecond))
	return err
}

func sizes(before, after int64) string {
	return fmt.Sprintf("%s are now %s", humanize.IBytes(uint64(max(0, before))), humanize.IBytes(uint64(max(0, after))))
}
