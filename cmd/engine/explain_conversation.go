package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/cmd/engine/internal/config"
	"github.com/parley-im/parley/cmd/engine/internal/server"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// explainOneOptions is what the flags of `engine explain conversation` say.
type explainOneOptions struct {
	place

	request parleyv1.ExplainConversationRequest
	config  string
	json    bool
}

func newExplainConversationCommand() *cobra.Command {
	var o explainOneOptions
	command := &cobra.Command{
		Use:   "conversation NAME",
		Short: "Say what is known of a conversation, and why it is as it is",
		Long: `Say what is known of a conversation, and why it is as it is: its policy, how its deadline comes about, where it is in
memory, how far its end is, what of it is not in the store yet, which entries lead to it in its members' lists, and what
changed last. With --user also what that user is shown, and how their unread count sums up.

It asks the server at --server; or, with --data, it reads a directory that no server has open, and writes nothing there.
What a server has in memory is then not told, and what it is configured with is not known: say it by --config, or by
--expire-after.`,
		Example: `  engine explain conversation group:42 --user bob
  engine explain group:42 --json
  engine explain group:42 --data ./data --config engine.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("explain conversation takes one NAME, got %d arguments", len(args))
			}
			return nil
		},
		RunE: o.run,
	}
	o.flags(command)
	return command
}

func (o *explainOneOptions) flags(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&o.request.User, "user", "", "also what this user is shown, and why")
	flags.BoolVar(&o.json, "json", false, "print JSON, as operator.proto has it")
	flags.StringVar(&o.config, "config", "", "with --data: the file that `engine serve` is run with")
	o.place.flags(command)
}

func (o *explainOneOptions) run(command *cobra.Command, args []string) error {
	o.request.Conversation = args[0]
	if err := o.check(command); err != nil {
		return err
	}
	if o.config != "" && o.data == "" {
		return errors.New("--config: is for --data; a server knows its own")
	}
	explained, err := o.explain(command.Context(), command.ErrOrStderr())
	if err != nil {
		return err
	}
	if o.json {
		text, err := protojson.MarshalOptions{Multiline: true}.Marshal(explained)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(command.OutOrStdout(), string(text))
		return err
	}
	_, err = io.WriteString(command.OutOrStdout(), conversationText(explained))
	return err
}

func (o *explainOneOptions) explain(ctx context.Context, log io.Writer) (*parleyv1.ExplainConversationResponse, error) {
	if o.data != "" {
		return o.inDir(ctx, log)
	}
	at, err := newRemote(o.server)
	if err != nil {
		return nil, err
	}
	defer at.close()
	explained, err := at.operator.ExplainConversation(ctx, &o.request)
	return explained, at.refused(err)
}

// inDir explains from a directory, in which it writes nothing.
func (o *explainOneOptions) inDir(ctx context.Context, log io.Writer) (_ *parleyv1.ExplainConversationResponse, err error) {
	engine, err := o.engineConfig() //nolint:contextcheck // of the command it makes, only the flags are used
	if err != nil {
		return nil, err
	}
	store, err := openReadOnly(o.data, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	explained, err := actors.ExplainStored(ctx, store, engine, time.Now(), o.request.GetConversation(), o.request.GetUser())
	if err != nil {
		return nil, refusedLocally(err)
	}
	return server.ConversationExplanationOf(explained), nil
}

// engineConfig is what `engine serve` would be told: by the file, which is read as it would be, and by --expire-after.
func (o *explainOneOptions) engineConfig() (actors.Config, error) {
	var engine actors.Config
	if o.config != "" {
		c, err := config.Load(o.config, os.Environ(), newServeCommand().Flags())
		if err != nil {
			return engine, err
		}
		if engine, err = c.Engine(); err != nil {
			return engine, err
		}
	}
	if o.expireAfter != 0 {
		engine.Default.ExpireAfter = o.expireAfter
		if err := (conversation.Policy{ExpireAfter: o.expireAfter}).Validate(); err != nil {
			return engine, fmt.Errorf("--expire-after: %w", err)
		}
	}
	return engine, nil
}

// namesConversation reports whether the arguments of `engine explain` are the name of a conversation: no command has a colon.
func namesConversation(args []string) bool { return len(args) == 1 && strings.Contains(args[0], ":") }
