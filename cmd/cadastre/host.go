package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
)

// hostUsersDocument says which domains are delegated to a host.
type hostUsersDocument struct {
	Host       string             `json:"host"`
	Sponsor    string             `json:"sponsor"`
	FormerName string             `json:"former_name"`
	Users      []hostUserDocument `json:"users"`
}

type hostUserDocument struct {
	Domain  string `json:"domain"`
	Sponsor string `json:"sponsor"`
}

func newHostUsersCommand(a *app, flags *connFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "users NAME",
		Short: "List the domains that are delegated to a host",
		Long: `Lists the domains that are delegated to a host, with their sponsors: whom it concerns when the
host is to be deleted or its superordinate domain ends. The sponsor of the host is told the
same by info over EPP.`,
		Example: "  cadastre host users ns1.example.example --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				document, err := readHostUsers(ctx, client, args[0])
				if err != nil {
					return err
				}
				return a.result(document, hostUsersTable(document))
			})
		},
	}
}

func readHostUsers(ctx context.Context, client *admin, name string) (*hostUsersDocument, error) {
	document := &hostUsersDocument{Host: name, Users: []hostUserDocument{}}
	request := &clusterpb.HostUsersRequest{Name: name}
	for {
		page, err := client.HostUsers(ctx, request)
		if err != nil {
			return nil, plainError(err)
		}
		document.Sponsor, document.FormerName = page.GetSponsor(), page.GetFormerName()
		for _, user := range page.GetUsers() {
			document.Users = append(document.Users, hostUserDocument{Domain: user.GetDomain(), Sponsor: user.GetSponsor()})
			request.After = user.GetDomain()
		}
		if !page.GetMore() {
			return document, nil
		}
	}
}

func hostUsersTable(d *hostUsersDocument) string {
	rows := [][]string{{"DOMAIN", "SPONSOR"}}
	for _, user := range d.Users {
		rows = append(rows, []string{user.Domain, user.Sponsor})
	}
	count := fmt.Sprintf("%d domains", len(d.Users))
	if len(d.Users) == 1 {
		count = "1 domain"
	}
	head := fmt.Sprintf("%s, sponsored by %s, is used by %s.", d.Host, d.Sponsor, count)
	if d.FormerName != "" {
		head += fmt.Sprintf(" Its name was %s.", d.FormerName)
	}
	if len(d.Users) == 0 {
		return head
	}
	return head + "\n" + strings.TrimRight(table(rows), "\n")
}

func newHostReturnCommand(a *app, flags *connFlags) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "return NAME",
		Short: "Give a host under a sacrificial domain its former name again",
		Long: `Moves a host, and the delegations to it, from under the sacrificial domain of its TLD back to the
name that it had before its superordinate domain was purged. That domain must be registered
again, by the sponsor of the host; where that registrar registers it itself, the hosts come
back without this command. Large numbers of delegations move over some seconds.`,
		Example: "  cadastre host return ns1.op.h1a2b-ex.sacrificial.example --dev /tmp/cadastre",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				result, err := client.execute(ctx, &fsmpb.Command{Reason: reason, Body: &fsmpb.Command_HostReturn{HostReturn: &fsmpb.HostReturn{Name: args[0]}}})
				if err != nil {
					return err
				}
				return a.result(map[string]any{"name": args[0], "raft_index": result.GetIndex()}, fmt.Sprintf("%s is on its way back to its former name.", args[0]))
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the log")
	return cmd
}
