package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
)

func newClusterMembersCommand(a *app) *cobra.Command {
	var (
		flags connFlags
		local bool
	)
	cmd := &cobra.Command{
		Use:   "members",
		Short: "List the nodes of the cluster",
		Long: `Lists the nodes as the state, the Raft configuration, gossip and the nodes themselves know
them. It needs no leader. With --local only the node asked is asked.`,
		Example: "  cadastre cluster members --dev /tmp/cadastre\n  cadastre cluster members --dev /tmp/cadastre --node n2 --local",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.Members(ctx, &clusterpb.MembersRequest{Local: local})
				if err != nil {
					return plainError(err)
				}
				return a.result(membersDocument(response), membersTable(response))
			})
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&local, "local", false, "ask only this node, of its own knowledge")
	return cmd
}

type memberDocument struct {
	ID           string `json:"id"`
	Role         string `json:"role"`
	Raft         string `json:"raft"`
	Admin        string `json:"admin"`
	EPP          string `json:"epp"`
	DNS          string `json:"dns"`
	InRaft       bool   `json:"in_raft"`
	Votes        bool   `json:"votes"`
	IsLeader     bool   `json:"is_leader"`
	Reachable    bool   `json:"reachable"`
	AppliedIndex uint64 `json:"applied_index"`
	StateHash    string `json:"state_hash"`
	Gossip       string `json:"gossip"`
	JoinedAt     string `json:"joined_at"`
	Problem      string `json:"problem,omitempty"`
}

func membersDocument(r *clusterpb.MembersResponse) any {
	members := []memberDocument{}
	for _, m := range r.GetMembers() {
		members = append(members, memberDocument{
			ID: m.GetId(), Role: roleName(m.GetRole()), Raft: m.GetRaftAddress(), Admin: m.GetGrpcAddress(),
			EPP: m.GetEppAddress(), DNS: m.GetDnsAddress(), InRaft: m.GetInRaft(), Votes: m.GetVotes(),
			IsLeader: m.GetIsLeader(), Reachable: m.GetReachable(), AppliedIndex: m.GetAppliedIndex(),
			StateHash: fmt.Sprintf("%x", m.GetStateHash()), Gossip: m.GetGossip(),
			JoinedAt: instant(m.GetJoinedAtMs()), Problem: m.GetProblem(),
		})
	}
	return map[string]any{
		"cluster_id": r.GetClusterId(), "answered_by": r.GetAnsweredBy(), "leader": r.GetLeaderId(), "members": members,
	}
}

func membersTable(r *clusterpb.MembersResponse) string {
	rows := [][]string{{"NODE", "ROLE", "RAFT", "STATE", "APPLIED", "HASH", "GOSSIP", "ADMIN", "PROBLEM"}}
	for _, m := range r.GetMembers() {
		raft := "-"
		switch {
		case m.GetIsLeader():
			raft = "leader"
		case m.GetVotes():
			raft = "voter"
		case m.GetInRaft():
			raft = "non-voter"
		}
		state, applied, hash := "unreachable", "-", "-"
		if m.GetReachable() {
			state, applied = "up", strconv.FormatUint(m.GetAppliedIndex(), 10)
			hash = fmt.Sprintf("%.8x", m.GetStateHash())
		}
		rows = append(rows, []string{m.GetId(), firstNonEmpty(roleName(m.GetRole()), "-"), raft, state, applied, hash,
			firstNonEmpty(m.GetGossip(), "-"), m.GetGrpcAddress(), m.GetProblem()})
	}
	leader := firstNonEmpty(r.GetLeaderId(), "none known")
	return fmt.Sprintf("cluster %s, answered by %s, leader: %s\n%s", r.GetClusterId(), r.GetAnsweredBy(), leader, table(rows))
}

func roleName(role uint32) string {
	if role == 0 {
		return ""
	}
	return registry.NodeRole(role).String()
}
