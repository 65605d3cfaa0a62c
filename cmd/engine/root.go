package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"
)

// newRootCommand returns `engine` with all its commands. An error is the caller's to print.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "engine",
		Short:         "Parley keeps the conversations of an instant-messaging backend",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		newServeCommand(), newReplayCommand(), newRewindCommand(), newExplainCommand(), newExpiryCommand(), newForgetCommand(), newCompactCommand(),
		newLoadCommand(),
	)
	return root
}

// version is the module's, as the build recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
