package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-im/parley/cmd/engine/internal/config"
)

// place is what the flags of an operator's command say of where to ask: a server, or a directory.
type place struct {
	server      string
	data        string
	expireAfter time.Duration
}

func (p *place) flags(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&p.server, "server", defaultServer, "the server's URL")
	flags.StringVar(&p.data, "data", "", "directory of a store that no server has open, instead of a server")
	flags.Var((*config.Value)(&p.expireAfter), "expire-after", "with --data: what `engine serve` is run with")
	command.MarkFlagsMutuallyExclusive("server", "data")
}

func (p *place) check(command *cobra.Command) error {
	if command.Flags().Changed("expire-after") && p.data == "" {
		return errors.New("--expire-after: is for --data; a server knows its own")
	}
	return nil
}
