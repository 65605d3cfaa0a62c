package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/cmd/engine/parleyv1"
)

// rewindOptions is what the flags of `engine rewind` say.
type rewindOptions struct {
	place

	request parleyv1.RewindRequest
	lookUp  bool // no --from: it is what the conversation says
}

// newRewindCommand returns `engine rewind`.
func newRewindCommand() *cobra.Command {
	var o rewindOptions
	command := &cobra.Command{
		Use:   "rewind CONVERSATION --to SEQ",
		Short: "Take a conversation's last number back after a wrong one got in",
		Long: `Take a conversation's last number back after a wrong one got in: every right number below it was since then taken for a
late repeat, and changed nothing. --to is the last good message's number. What members had read, or marked, of the
messages that are taken back is lost. Repeating the command changes nothing.

It asks the server at --server; or, with --data, it opens a directory that no server has open, which also deletes what
has expired there. Without --from it takes back whatever is last now: name the wrong number where messages may be
arriving, and for a conversation that has expired, which is begun again, without members, so that right numbers are news.`,
		Example: `  engine rewind group:42 --to 107
  engine rewind group:42 --to 107 --from 900000 --data ./data`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("rewind takes one CONVERSATION, got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			o.request.Conversation = args[0]
			o.lookUp = !command.Flags().Changed("from")
			if err := o.check(command); err != nil {
				return err
			}
			return rewind(command.Context(), &o, command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	flags := command.Flags()
	flags.Uint64Var(&o.request.To, "to", 0, "the last good message's number; 0: there is none")
	flags.Uint64Var(&o.request.From, "from", 0, "the wrong number, which must be the last one now (default whatever is)")
	flags.Uint64Var(&o.request.IfGeneration, "if-generation", 0, "only this generation; 0: any")
	o.flags(command)
	if err := command.MarkFlagRequired("to"); err != nil {
		panic(err) // there is no such flag
	}
	return command
}

// rewindable is where a conversation is: at a server, or in a directory.
type rewindable interface {
	lastSeq(ctx context.Context, name string) (uint64, error)
	rewind(ctx context.Context, request *parleyv1.RewindRequest) (*parleyv1.RewindResponse, error)
	close(ctx context.Context) error
}

// rewind carries the command out and says on out, in one line, what came of it.
func rewind(ctx context.Context, o *rewindOptions, out, log io.Writer) (err error) {
	at, err := o.open(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.close(ctx)) }()
	name, to := o.request.GetConversation(), o.request.GetTo()
	if o.lookUp {
		if o.request.From, err = at.lastSeq(ctx, name); err != nil {
			return err
		}
		if o.request.From == to {
			_, err = fmt.Fprintf(out, "%s: nothing to do: the last message is %d already\n", name, to)
			return err
		}
	}
	response, err := at.rewind(ctx, &o.request)
	switch {
	case err != nil:
		return err
	case !response.GetChanged():
		_, err = fmt.Fprintf(out, "%s: nothing to do: the last message is %d already\n", name, to)
	case to == 0:
		_, err = fmt.Fprintf(out, "%s: the last message was %d, now there is none (generation %d)\n", name, o.request.GetFrom(), response.GetGeneration())
	default:
		_, err = fmt.Fprintf(out, "%s: the last message was %d and is now %d (generation %d): post %d again to restore its sender and preview\n",
			name, o.request.GetFrom(), response.GetLastSeq(), response.GetGeneration(), to)
	}
	return err
}

func (o *rewindOptions) open(ctx context.Context, log io.Writer) (rewindable, error) {
	if o.data == "" {
		server, err := newRemote(o.server)
		if err != nil {
			return nil, err
		}
		return rewindServer{server}, nil
	}
	dir, err := openLocal(ctx, o.data, o.expireAfter, log)
	if err != nil {
		return nil, err
	}
	return rewindDir{dir}, nil
}
