package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
)

// maintenanceDocument is a maintenance for machines.
type maintenanceDocument struct {
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	State         string   `json:"state"`
	Revision      uint32   `json:"revision"`
	Start         string   `json:"start"`
	End           string   `json:"end"`
	Emergency     bool     `json:"emergency"`
	Environment   string   `json:"environment"`
	TLDs          []string `json:"tlds"`
	Systems       []string `json:"systems"`
	Types         []string `json:"types"`
	Descriptions  []string `json:"descriptions"`
	Detail        string   `json:"detail"`
	Intervention  []string `json:"intervention"`
	CourtesyHours uint32   `json:"courtesy_hours"`
	CreatedAt     string   `json:"created_at"`
	UpdatedAt     string   `json:"updated_at"`

	History []maintenanceChange `json:"history,omitempty"`
}

type maintenanceChange struct {
	At     string `json:"at"`
	Verb   string `json:"verb"`
	Actor  string `json:"actor"`
	Reason string `json:"reason"`
	Start  string `json:"start"`
	End    string `json:"end"`
}

func maintenanceDocumentOf(m *clusterpb.MaintenanceRecord) maintenanceDocument {
	item := m.GetItem()
	d := maintenanceDocument{
		ID: m.GetId(), Name: item.GetName(), State: maintenanceState(m), Revision: m.GetRevision(), Start: instant(item.GetStartMs()), End: instant(item.GetEndMs()),
		Emergency: item.GetEmergency(), Environment: firstNonEmpty(item.GetEnvironmentName(), item.GetEnvironment()), TLDs: append([]string{}, item.GetTlds()...),
		Systems: []string{}, Types: []string{}, Descriptions: []string{}, Detail: item.GetDetail(), Intervention: []string{}, CourtesyHours: item.GetCourtesyHours(),
		CreatedAt: instant(m.GetCreatedAtMs()), UpdatedAt: instant(m.GetUpdatedAtMs()),
	}
	for _, s := range item.GetSystems() {
		name := s.GetName()
		if s.GetHost() != "" {
			name += "@" + s.GetHost()
		}
		d.Systems = append(d.Systems, name+"="+s.GetImpact())
	}
	text := func(t *fsmpb.MaintenanceText) string { return t.GetText() }
	for _, t := range item.GetTypes() {
		d.Types = append(d.Types, text(t))
	}
	for _, t := range item.GetDescriptions() {
		d.Descriptions = append(d.Descriptions, text(t))
	}
	if item.GetIntervention().GetConnection() {
		d.Intervention = append(d.Intervention, "connect anew")
	}
	if item.GetIntervention().GetImplementation() {
		d.Intervention = append(d.Intervention, "change programs")
	}
	return d
}

func maintenanceState(m *clusterpb.MaintenanceRecord) string {
	switch {
	case m.GetCancelled():
		return "cancelled"
	case m.GetEnded():
		return "ended"
	default:
		return "announced"
	}
}

func newMaintenanceListCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the maintenances",
		Long:    "Lists the maintenances by start. They are kept for 90 days after their end or cancellation.",
		Example: "  cadastre maintenance list --dev /tmp/cadastre --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.MaintenanceList(ctx, &clusterpb.MaintenanceListRequest{})
				if err != nil {
					return plainError(err)
				}
				rows := [][]string{{"ID", "NAME", "STATE", "START", "END", "SYSTEMS", "TLDS"}}
				documents := []maintenanceDocument{}
				for _, m := range response.GetMaintenances() {
					d := maintenanceDocumentOf(m)
					documents = append(documents, d)
					rows = append(rows, []string{d.ID, d.Name, d.State, d.Start, d.End, strings.Join(d.Systems, ","), firstNonEmpty(strings.Join(d.TLDs, ","), "all")})
				}
				return a.result(documents, table(rows))
			})
		},
	}
}

func newMaintenanceShowCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show a maintenance and its history",
		Long:    "Shows a maintenance, who changed it, when and why; also one that is not kept any more.",
		Example: "  cadastre maintenance show ABCDEFGHIJKLMNOPQ-REG --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.MaintenanceShow(ctx, &clusterpb.MaintenanceShowRequest{Id: args[0]})
				if err != nil {
					return plainError(err)
				}
				d := maintenanceDocumentOf(response.GetMaintenance())
				for _, v := range response.GetVersions() {
					item := v.GetMaintenance().GetItem()
					d.History = append(d.History, maintenanceChange{At: instant(v.GetAtMs()), Verb: v.GetVerb(), Actor: v.GetActor(), Reason: v.GetReason(),
						Start: instant(item.GetStartMs()), End: instant(item.GetEndMs())})
				}
				return a.result(d, maintenanceShown(&d))
			})
		},
	}
}

func maintenanceShown(d *maintenanceDocument) string {
	kind := "planned"
	if d.Emergency {
		kind = "emergency"
	}
	rows := [][]string{
		{"id", d.ID}, {"name", d.Name}, {"state", d.State}, {"reason", kind}, {"start", d.Start}, {"end", d.End},
		{"systems", strings.Join(d.Systems, ", ")}, {"environment", d.Environment}, {"tlds", firstNonEmpty(strings.Join(d.TLDs, ", "), "all")},
		{"types", strings.Join(d.Types, "; ")}, {"descriptions", strings.Join(d.Descriptions, "; ")}, {"detail", d.Detail},
		{"intervention", strings.Join(d.Intervention, ", ")}, {"courtesy", fmt.Sprintf("%d hours before", d.CourtesyHours)},
	}
	var b strings.Builder
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(&b, "%-13s %s\n", row[0], row[1])
		}
	}
	for _, change := range d.History {
		fmt.Fprintf(&b, "%s %s by %s: %s to %s", change.At, change.Verb, change.Actor, change.Start, change.End)
		if change.Reason != "" {
			fmt.Fprintf(&b, ", because: %s", change.Reason)
		}
		b.WriteString("\n")
	}
	return b.String()
}
