package main

import (
	"github.com/spf13/cobra"
)

// newExpiryCommand returns `engine expiry`.
func newExpiryCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "expiry",
		Short: "Say what will expire, and have changed policies apply to all conversations",
		Args:  cobra.NoArgs,
		RunE:  func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(newApplyCommand(), newPreviewCommand())
	return command
}
