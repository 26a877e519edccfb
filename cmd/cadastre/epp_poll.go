package main

import (
	"github.com/spf13/cobra"

	"cadastre/epp/eppxml"
)

func newEPPPollCommand(a *app, flags *eppFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use: "poll", Short: "Read the first message of the queue",
		Long: `Shows the first message that waits for you: what others or time did to your objects. It stays first
until you acknowledge it with its number.`,
		Example: `  cadastre epp --dev /tmp/cadastre poll
  cadastre epp --dev /tmp/cadastre poll ack 1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.eppSend(cmd.Context(), flags, &eppxml.Poll{Op: eppxml.PollRequest})
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use: "ack ID", Short: "Take the first message out of the queue",
		Long:    "Tells that you have dealt with the message of the number, which must be the first one.",
		Example: "  cadastre epp --dev /tmp/cadastre poll ack 1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.eppSend(cmd.Context(), flags, &eppxml.Poll{Op: eppxml.PollAck, MsgID: args[0]})
		},
	})
	return cmd
}
