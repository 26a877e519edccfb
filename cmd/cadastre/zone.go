package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
)

func newZoneCommand(a *app) *cobra.Command {
	flags := &connFlags{}
	cmd := &cobra.Command{
		Use:     "zone",
		Short:   "Write out a zone, see and release it, and look at its secondaries",
		Long:    "The published zone of a TLD as a file, how far it is and what holds it, and the name servers that copy zones from a node.",
		Example: "  cadastre zone export example --dev /tmp/cadastre -o example.zone\n  cadastre zone secondaries --dev /tmp/cadastre",
	}
	flags.register(cmd)
	cmd.AddCommand(newZoneExportCommand(a, flags), newZoneSecondariesCommand(a, flags), newZoneStatusCommand(a, flags), newZoneReleaseCommand(a, flags))
	return cmd
}

// secondaryDocument is a secondary's state as --json prints it.
type secondaryDocument struct {
	Node           string `json:"node"`
	Name           string `json:"name"`
	Address        string `json:"address"`
	Zone           string `json:"zone"`
	Serial         uint32 `json:"serial"`
	Acknowledged   uint32 `json:"acknowledged,omitempty"`
	AcknowledgedAt string `json:"acknowledged_at,omitempty"`
	Held           uint32 `json:"held,omitempty"`
	HeldAt         string `json:"held_at,omitempty"`
	Current        bool   `json:"current"`
	Attempts       uint32 `json:"attempts,omitempty"`
	Error          string `json:"error,omitempty"`
}

func newZoneSecondariesCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "secondaries",
		Short: "Show the secondaries of a node and how far they are",
		Long: `Shows the name servers that one node tells of new serials: which serial each
acknowledged last, which it serves, and what went wrong. Secondaries belong to the
configuration of a node ("dns.secondary"); ask each node about its own.`,
		Example: "  cadastre zone secondaries --dev /tmp/cadastre --node n1",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.ZoneSecondaries(ctx, &clusterpb.ZoneSecondariesRequest{})
				if err != nil {
					return plainError(err)
				}
				rows := [][]string{{"NODE", "SECONDARY", "ADDRESS", "ZONE", "SERIAL", "ACKNOWLEDGED", "SERVES", "STATE"}}
				documents := []secondaryDocument{}
				for _, s := range response.GetSecondaries() {
					d := documentOfSecondary(response.GetNodeId(), s)
					documents = append(documents, d)
					rows = append(rows, []string{d.Node, d.Name, d.Address, d.Zone, fmt.Sprint(d.Serial), known(d.Acknowledged, d.AcknowledgedAt),
						known(d.Held, d.HeldAt), d.state()})
				}
				return a.result(documents, table(rows))
			})
		},
	}
}

func documentOfSecondary(node string, s *clusterpb.ZoneSecondary) secondaryDocument {
	d := secondaryDocument{Node: node, Name: s.GetName(), Address: s.GetAddress(), Zone: s.GetZone(), Serial: s.GetSerial(), Attempts: s.GetAttempts(), Error: s.GetError()}
	if s.GetAcknowledgedAtMs() != 0 {
		d.Acknowledged, d.AcknowledgedAt = s.GetAcknowledged(), instant(s.GetAcknowledgedAtMs())
	}
	if s.GetHeldAtMs() != 0 {
		d.Held, d.HeldAt = s.GetHeld(), instant(s.GetHeldAtMs())
		d.Current = d.Held == d.Serial
	}
	return d
}

func known(serial uint32, at string) string {
	if at == "" {
		return "-"
	}
	return fmt.Sprint(serial)
}

func (d *secondaryDocument) state() string {
	switch {
	case d.Error != "":
		return d.Error
	case d.Current:
		return "current"
	case d.HeldAt == "":
		return "unknown"
	default:
		return fmt.Sprintf("behind by %d", d.Serial-d.Held)
	}
}
