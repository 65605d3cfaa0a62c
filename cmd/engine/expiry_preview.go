package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/internal/config"
	"github.com/parley-im/parley/cmd/engine/internal/server"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// previewOptions is what the flags of `engine expiry preview` say.
type previewOptions struct {
	server, data string
	until        string
	asJSON       bool
	request      parleyv1.PreviewExpiryRequest
}

func newPreviewCommand() *cobra.Command {
	var o previewOptions
	command := &cobra.Command{
		Use:   "preview --until TIME",
		Short: "Say what would be over by a time if nothing happened until then",
		Long: `Say what would be over by a time if nothing happened until then, by the hour and by namespace, and name those that are
over first. It goes by the deadlines that conversations have now: a policy that was not applied to them, by their own
next change or by "engine expiry apply", counts for nothing.

It asks the server at --server; or, with --data, it reads a directory that no server has open, and writes nothing there.`,
		Example: `  engine expiry preview --until 24h
  engine expiry preview --until 2026-12-01T00:00:00Z --namespace group --json
  engine expiry preview --until 30d --data ./data`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			until, err := untilOf(o.until, time.Now())
			if err != nil {
				return err
			}
			o.request.Until = timestamppb.New(until)
			return preview(command.Context(), &o, command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.until, "until", "", "a time such as 2026-12-01T00:00:00Z, or how long from now, such as 24h or 30d")
	flags.StringVar(&o.request.Namespace, "namespace", "", "only conversations of this namespace (default all)")
	flags.Uint32Var(&o.request.Names, "names", 0, "how many conversations to name; 0: 10")
	flags.BoolVar(&o.asJSON, "json", false, "print one JSON object instead of the table")
	flags.StringVar(&o.server, "server", defaultServer, "the server's URL")
	flags.StringVar(&o.data, "data", "", "directory of a store that no server has open, instead of a server")
	command.MarkFlagsMutuallyExclusive("server", "data")
	if err := command.MarkFlagRequired("until"); err != nil {
		panic(err) // there is no such flag
	}
	return command
}

// untilOf reads a time, or how long it is until then.
func untilOf(text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	d, err := config.Duration(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--until: must be a time such as 2026-12-01T00:00:00Z, or how long from now, such as 24h or 30d; is %q", text)
	}
	return now.Add(d), nil
}

func preview(ctx context.Context, o *previewOptions, out, log io.Writer) error {
	show := previewAtServer
	if o.data != "" {
		show = previewInDir
	}
	found, err := show(ctx, o, log)
	if err != nil {
		return err
	}
	if !o.asJSON {
		_, err = io.WriteString(out, previewTable(found, o.request.GetUntil().AsTime()))
		return err
	}
	text, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(found)
	if err != nil {
		return err
	}
	var line bytes.Buffer
	if err := json.Compact(&line, text); err != nil { // its spaces are drawn at random
		return err
	}
	line.WriteByte('\n')
	_, err = line.WriteTo(out)
	return err
}

func previewAtServer(ctx context.Context, o *previewOptions, _ io.Writer) (*parleyv1.PreviewExpiryResponse, error) {
	at, err := newRemote(o.server)
	if err != nil {
		return nil, err
	}
	defer at.close()
	found, err := at.patient.PreviewExpiry(ctx, &o.request)
	return found, at.refused(err)
}

func previewInDir(ctx context.Context, o *previewOptions, log io.Writer) (_ *parleyv1.PreviewExpiryResponse, err error) {
	store, err := openReadOnly(o.data, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	snapshot, err := store.Snapshot()
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	now := time.Now()
	if clock := store.Meta().Clock.Time(); clock.After(now) {
		now = clock // as an engine's clock would
	}
	found, err := actors.PreviewStored(ctx, snapshot, now, actors.PreviewQuery{
		Until: o.request.GetUntil().AsTime(), Namespace: o.request.GetNamespace(), Names: int(o.request.GetNames()),
	})
	if err != nil {
		return nil, refusedLocally(err)
	}
	return server.PreviewOf(&found), nil
}
