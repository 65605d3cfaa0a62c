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
	"golang.org/x/term"
)

// forgetOptions is what the flags of `engine forget` say.
type forgetOptions struct {
	place

	user   string
	noWait bool
}

// askAgain is how long to wait before it is asked again how far a forgetting is.
const askAgain = 200 * time.Millisecond

// newForgetCommand returns `engine forget`.
func newForgetCommand() *cobra.Command {
	var o forgetOptions
	command := &cobra.Command{
		Use:   "forget USER",
		Short: "Remove a user from every conversation",
		Long: `Remove a user from every conversation: their memberships, with drafts, settings and marks, and what leads to those. The
user is gone from their lists at once; the conversations follow one after the other. Messages of theirs stay, with
their previews, as nobody's. What the user does, or what is done to them, after the order begins afresh.

The order is durable once it is given: it is carried out whatever happens to the engine. The command shows how far it is
until it is done; interrupted, or with --no-wait, it leaves that to the engine, and asking again tells how far it is.

It asks the server at --server; or, with --data, it opens a directory that no server has open, which also deletes what
has expired there, and carries the order out as far as the command waits.`,
		Example: `  engine forget ann
  engine forget ann --no-wait --server http://10.0.0.7:7600`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("forget takes one USER, got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			o.user = args[0]
			if err := o.check(command); err != nil {
				return err
			}
			return forget(command.Context(), &o, command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	command.Flags().BoolVar(&o.noWait, "no-wait", false, "give the order and return")
	o.flags(command)
	return command
}

// forgetful is what can forget a user: a server, or a directory.
type forgetful interface {
	forget(ctx context.Context, user string) (remaining uint64, err error)
	// forgetting asks how far it is, and orders nothing: by the time that it is asked, all may be done.
	forgetting(ctx context.Context, user string) (remaining uint64, err error)
	close(ctx context.Context) error
}

// forget carries the command out and says on out, in one line, what came of it.
func forget(ctx context.Context, o *forgetOptions, out, log io.Writer) (err error) {
	at, err := o.open(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.close(ctx)) }()
	remaining, err := at.forget(ctx, o.user)
	if err != nil {
		return err
	}
	if !o.noWait && remaining > 0 {
		if remaining, err = watchForgetting(ctx, at, o.user, remaining, log); err != nil {
			return err
		}
	}
	if remaining > 0 {
		_, err = fmt.Fprintf(out, "%s: is being forgotten, %d conversations remain\n", o.user, remaining)
	} else {
		_, err = fmt.Fprintf(out, "%s: forgotten\n", o.user)
	}
	return err
}

// watchForgetting asks until nothing remains, or ctx ends, and shows on a terminal how far it is.
func watchForgetting(ctx context.Context, at forgetful, user string, total uint64, log io.Writer) (remaining uint64, err error) {
	show, hide := forgettingBar(log, user, total)
	defer hide()
	ticker := time.NewTicker(askAgain)
	defer ticker.Stop()
	for remaining = total; remaining > 0; {
		show(remaining)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return remaining, nil
		}
		next, err := at.forgetting(ctx, user)
		switch {
		case err != nil && ctx.Err() != nil:
			return remaining, nil
		case err != nil:
			return remaining, err
		}
		remaining = next
	}
	return 0, nil
}

// forgettingBar returns what shows how far it is, and what takes that off the screen again. Only a terminal is shown anything.
func forgettingBar(w io.Writer, user string, total uint64) (show func(remaining uint64), hide func()) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return func(uint64) {}, func() {}
	}
	most := int64(total)
	bar := progressbar.NewOptions64(most,
		progressbar.OptionSetWriter(file),
		progressbar.OptionSetDescription("forgetting "+user),
		progressbar.OptionSetWidth(24),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
	show = func(remaining uint64) {
		_ = bar.Set64(max(0, most-int64(remaining))) // a bar that cannot be drawn is no reason to stop
	}
	return show, func() { _ = bar.Clear() }
}

func (o *forgetOptions) open(ctx context.Context, log io.Writer) (forgetful, error) {
	if o.data == "" {
		server, err := newRemote(o.server)
		if err != nil {
			return nil, err
		}
		return forgetServer{server}, nil
	}
	dir, err := openLocal(ctx, o.data, o.expireAfter, log)
	if err != nil {
		return nil, err
	}
	return forgetDir{dir}, nil
}
