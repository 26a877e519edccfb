package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
)

func newMaintenanceCreateCommand(a *app, flags *connFlags) *cobra.Command {
	spec := &maintenanceFlags{}
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Announce a maintenance",
		Long:  "Announces a maintenance to all registrars that are accredited for the TLDs that it concerns, and prints its id.",
		Example: `  cadastre maintenance create --name 'New disks' --start 2027-03-01T02:00:00Z --end 2027-03-01T04:00:00Z \
    --system EPP@epp.registry.example=full --system DNS=none --reconnect --dev /tmp/cadastre`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, flag := range []string{"start", "end", "system"} {
				if !cmd.Flags().Changed(flag) {
					return &usageError{"--" + flag + " is missing"}
				}
			}
			item := &fsmpb.MaintenanceItem{}
			given := func(flag string) bool {
				return cmd.Flags().Changed(flag) || flag == "environment" || flag == "courtesy"
			}
			if err := spec.apply(item, given); err != nil {
				return err
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				result, err := client.execute(ctx, &fsmpb.Command{Reason: spec.reason, Body: &fsmpb.Command_MaintenanceCreate{
					MaintenanceCreate: &fsmpb.MaintenanceCreate{Roid: newROIDPart(), Item: item},
				}})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"id": result.GetRoid(), "raft_index": result.GetIndex()}, fmt.Sprintf("Announced maintenance %s.", result.GetRoid()))
			})
		},
	}
	spec.register(cmd)
	return cmd
}

func newMaintenanceUpdateCommand(a *app, flags *connFlags) *cobra.Command {
	spec := &maintenanceFlags{}
	cmd := &cobra.Command{
		Use:     "update ID",
		Short:   "Change a maintenance",
		Long:    "Changes what the flags name of a maintenance that is not over, and tells the registrars. Flags that can be repeated replace all that was there.",
		Example: "  cadastre maintenance update ABCDEFGHIJKLMNOPQ-REG --end 2027-03-01T05:00:00Z --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			// What is wrong with the flags is found before a node is asked.
			if err := spec.apply(&fsmpb.MaintenanceItem{}, cmd.Flags().Changed); err != nil {
				return err
			}
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				shown, err := client.MaintenanceShow(ctx, &clusterpb.MaintenanceShowRequest{Id: args[0]})
				if err != nil {
					return plainError(err)
				}
				item := shown.GetMaintenance().GetItem()
				if err := spec.apply(item, cmd.Flags().Changed); err != nil {
					return err
				}
				result, err := client.execute(ctx, &fsmpb.Command{Reason: spec.reason, Body: &fsmpb.Command_MaintenanceUpdate{
					MaintenanceUpdate: &fsmpb.MaintenanceUpdate{Id: args[0], Item: item, Revision: shown.GetMaintenance().GetRevision()},
				}})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"id": args[0], "raft_index": result.GetIndex()}, fmt.Sprintf("Changed maintenance %s.", args[0]))
			})
		},
	}
	spec.register(cmd)
	return cmd
}

func newMaintenanceCancelCommand(a *app, flags *connFlags) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "cancel ID",
		Short:   "Cancel a maintenance",
		Long:    "Tells the registrars that a maintenance does not take place.",
		Example: "  cadastre maintenance cancel ABCDEFGHIJKLMNOPQ-REG --reason 'not needed' --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				result, err := client.execute(ctx, &fsmpb.Command{Reason: reason, Body: &fsmpb.Command_MaintenanceCancel{
					MaintenanceCancel: &fsmpb.MaintenanceCancel{Id: args[0]},
				}})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"id": args[0], "raft_index": result.GetIndex()}, fmt.Sprintf("Cancelled maintenance %s.", args[0]))
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the history")
	return cmd
}
