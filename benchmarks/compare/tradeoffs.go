package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newTradeoffs(_ *string) *cobra.Command {
	return &cobra.Command{Use: "tradeoffs", RunE: func(*cobra.Command, []string) error { return errors.New("not there") }}
}
