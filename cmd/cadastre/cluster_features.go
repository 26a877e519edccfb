package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster/clusterpb"
)

func newClusterFeaturesCommand(a *app) *cobra.Command {
	var flags connFlags
	cmd := &cobra.Command{
		Use:   "features",
		Short: "Show the cluster's feature level and what each node's program supports",
		Long: `Shows the feature level of the cluster, which says what all of its programs can do, and the
program of each node with the levels that it supports. During a rolling upgrade the level stays
as it was; when every node runs the new program, raise it: cadastre cluster raise-level.`,
		Example: "  cadastre cluster features --dev /tmp/cadastre",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.Features(ctx, &clusterpb.FeaturesRequest{})
				if err != nil {
					return plainError(err)
				}
				return a.result(featuresDocument(response), featuresText(response))
			})
		},
	}
	flags.register(cmd)
	return cmd
}

type featuresMember struct {
	ID        string `json:"id"`
	Version   string `json:"version"`
	MinLevel  uint32 `json:"min_level"`
	MaxLevel  uint32 `json:"max_level"`
	Reachable bool   `json:"reachable"`
	Problem   string `json:"problem,omitempty"`
}

func featuresDocument(r *clusterpb.FeaturesResponse) any {
	members := []featuresMember{}
	for _, m := range r.GetMembers() {
		members = append(members, featuresMember{ID: m.GetNodeId(), Version: m.GetVersion(), MinLevel: m.GetMinLevel(),
			MaxLevel: m.GetMaxLevel(), Reachable: m.GetReachable(), Problem: m.GetProblem()})
	}
	return map[string]any{"level": r.GetLevel(), "can_raise_to": r.GetCanRaiseTo(), "answered_by": r.GetAnsweredBy(),
		"members": members, "obstacles": nonNil(r.GetObstacles())}
}

func featuresText(r *clusterpb.FeaturesResponse) string {
	rows := [][]string{{"NODE", "SUPPORTS", "PROGRAM", "PROBLEM"}}
	for _, m := range r.GetMembers() {
		supports := "unknown"
		if m.GetReachable() {
			supports = fmt.Sprintf("%d to %d", max(1, m.GetMinLevel()), max(1, m.GetMaxLevel()))
		}
		rows = append(rows, []string{m.GetNodeId(), supports, firstNonEmpty(m.GetVersion(), "-"), m.GetProblem()})
	}
	text := fmt.Sprintf("feature level %d, answered by %s\n%s", r.GetLevel(), r.GetAnsweredBy(), table(rows))
	switch {
	case len(r.GetObstacles()) > 0:
		text += "\nNot higher yet: " + strings.Join(r.GetObstacles(), "; ") + "."
	case r.GetCanRaiseTo() > r.GetLevel():
		text += fmt.Sprintf("\nEvery node supports level %d: cadastre cluster raise-level", r.GetCanRaiseTo())
	}
	return text
}

func newClusterRaiseLevelCommand(a *app) *cobra.Command {
	var (
		flags  connFlags
		reason string
		to     uint32
	)
	cmd := &cobra.Command{
		Use:   "raise-level",
		Short: "Let the cluster use what every node's program supports",
		Long: `Raises the feature level, to the highest that the program of the answering node supports
unless --to says otherwise. Every member must answer and support it. There is no way back: from
then on a program that supports less neither starts on the data nor joins.`,
		Example: "  cadastre cluster raise-level --dev /tmp/cadastre --reason 'all nodes upgraded'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
				response, err := client.RaiseLevel(ctx, &clusterpb.RaiseLevelRequest{Level: to, Reason: reason})
				if err != nil {
					return plainError(err)
				}
				text := fmt.Sprintf("The feature level is %d, raised from %d.", response.GetLevel(), response.GetFromLevel())
				if response.GetLevel() == response.GetFromLevel() {
					text = fmt.Sprintf("The feature level is %d already.", response.GetLevel())
				}
				return a.result(map[string]any{"from_level": response.GetFromLevel(), "level": response.GetLevel()}, text)
			})
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the history")
	cmd.Flags().Uint32Var(&to, "to", 0, "the level (default: the highest that the answering node's program supports)")
	return cmd
}
