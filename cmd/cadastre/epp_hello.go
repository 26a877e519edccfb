package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cadastre/epp/eppxml"
)

func newEPPHelloCommand(a *app, flags *eppFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "hello",
		Short:   "Show the server's greeting",
		Long:    "Connects, sends a hello and shows the greeting that comes back. It does not log in.",
		Example: "  cadastre epp --dev /tmp/cadastre hello",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := flags.open(cmd.Context(), a, false)
			if err != nil {
				return err
			}
			defer func() { _ = client.Close() }() // everything was said
			frame, err := client.Exchange(cmd.Context(), eppxml.AppendHello(nil))
			if err != nil {
				return err
			}
			if flags.xml {
				_, err := fmt.Fprintf(a.stdout, "%s\n", frame)
				return err
			}
			g, err := eppxml.ParseGreeting(frame)
			if err != nil {
				return fmt.Errorf("understand the greeting: %w", err)
			}
			return a.result(map[string]any{
				"server": g.ServerID, "date": g.Date.Format(time.RFC3339Nano), "versions": g.Versions, "languages": g.Langs,
				"objects": g.ObjURIs, "extensions": append([]string{}, g.ExtURIs...),
			}, fmt.Sprintf("server: %s\ndate: %s\nversions: %s\nlanguages: %s\nobjects:\n  %s\nextensions:\n  %s",
				g.ServerID, g.Date.Format(time.RFC3339Nano), strings.Join(g.Versions, ", "), strings.Join(g.Langs, ", "),
				strings.Join(g.ObjURIs, "\n  "), strings.Join(g.ExtURIs, "\n  ")))
		},
	}
}
