package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/actors"
	"github.com/parley-im/parley/cmd/engine/internal/server"
	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// explainOptions is what the flags of `engine explain list` say.
type explainOptions struct {
	place

	request parleyv1.ExplainListRequest
	each    bool
}

// newExplainCommand returns `engine explain`.
func newExplainCommand() *cobra.Command {
	var o explainOneOptions
	command := &cobra.Command{
		Use:   "explain [NAME]",
		Short: "Say why a conversation is as it is, or what a list took to find",
		Long: `Say why a conversation is as it is, or what a list took to find. With the NAME of a conversation, which has a colon, it is
` + "`engine explain conversation NAME`.",
		Args: func(command *cobra.Command, args []string) error {
			if namesConversation(args) {
				return nil
			}
			return cobra.NoArgs(command, args)
		},
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				return command.Help()
			}
			return o.run(command, args)
		},
	}
	o.flags(command)
	command.AddCommand(newExplainConversationCommand(), newExplainListCommand())
	return command
}

func newExplainListCommand() *cobra.Command {
	var o explainOptions
	command := &cobra.Command{
		Use:   "list USER",
		Short: "Read a page of a user's list, and say where it was looked for and what that took",
		Long: `Read a page of a user's list, and say where it was looked for and what that took.

A list looks up all conversations that the user has pinned, then all merged ones: those that have, or had, more than
64 members, and those that the user left and kept. Then it goes through the others by their last activity, to an hour,
the latest first, until the page is full. So a list is slow where there are many merged ones, where many were active
in the same hours, or where a filter lets most go.

Of each conversation that was looked up it is counted whether it was shown, comes later (behind the page), earlier
(before it), was filtered (hidden, or let go by a filter), or is gone (over, or left).

It asks the server at --server; or, with --data, it opens a directory that no server has open, which also deletes what
has expired there.`,
		Example: `  engine explain list ann
  engine explain list ann --unread-only --each --data ./data`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("explain list takes one USER, got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			o.request.User = args[0]
			if err := o.check(command); err != nil {
				return err
			}
			return explainList(command.Context(), &o, command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.Uint32Var(&o.request.Limit, "limit", 0, "conversations on the page; 0: 100")
	flags.StringVar(&o.request.PageToken, "page-token", "", "of the page before, which names it; none: the first page")
	flags.BoolVar(&o.request.UnreadOnly, "unread-only", false, "only conversations with something unread, or marked so")
	flags.Uint64Var(&o.request.TagsAny, "tags-any", 0, "only conversations with one of these tags, a number of 64 bits; 0: all")
	flags.BoolVar(&o.request.Hidden, "hidden", false, "the hidden conversations instead of the others")
	flags.BoolVar(&o.each, "each", false, "also name each conversation that was looked up, in that order")
	o.flags(command)
	return command
}

// explainList asks, and prints the answer on out.
func explainList(ctx context.Context, o *explainOptions, out, log io.Writer) (err error) {
	var explained *parleyv1.ExplainListResponse
	if o.data == "" {
		explained, err = explainAtServer(ctx, o.server, &o.request)
	} else {
		explained, err = explainInDir(ctx, o, log)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, explanation(o.request.GetUser(), explained, o.each))
	return err
}

func explainAtServer(ctx context.Context, url string, request *parleyv1.ExplainListRequest) (*parleyv1.ExplainListResponse, error) {
	at, err := newRemote(url)
	if err != nil {
		return nil, err
	}
	defer at.close()
	explained, err := at.operator.ExplainList(ctx, request)
	return explained, at.refused(err)
}

func explainInDir(ctx context.Context, o *explainOptions, log io.Writer) (_ *parleyv1.ExplainListResponse, err error) {
	at, err := openLocal(ctx, o.data, o.expireAfter, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, at.close(ctx)) }()
	r := &o.request
	explained, err := at.engine.ExplainConversations(ctx, actors.ListQuery{
		User: r.GetUser(), Limit: int(r.GetLimit()), PageToken: r.GetPageToken(), UnreadOnly: r.GetUnreadOnly(), TagsAny: r.GetTagsAny(), Hidden: r.GetHidden(),
	})
	if err != nil {
		return nil, refusedLocally(err)
	}
	return server.ExplanationOf(&explained), nil
}
