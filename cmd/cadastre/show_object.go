package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cadastre/cluster"
	"cadastre/cluster/clusterpb"
	"cadastre/registry"
	"cadastre/store"
)

// showObject shows an object as one node has it, once that is as fresh as asked.
func (a *app) showObject(cmd *cobra.Command, flags *connFlags, kind registry.ObjectKind, key, consistency string) error {
	want, err := store.ParseFreshness(consistency)
	if err != nil {
		return &usageError{"--consistency " + err.Error()}
	}
	return flags.withAdmin(cmd, func(ctx context.Context, client *admin) error {
		object, err := client.ReadObject(ctx, &clusterpb.ReadObjectRequest{Kind: uint32(kind), Name: key, Consistency: cluster.ReadConsistencyOf(want)})
		if err != nil {
			return plainError(err)
		}
		return a.result(objectDocument(object), objectText(object))
	})
}

func objectDocument(o *clusterpb.ReadObjectResponse) any {
	facts := []factDocument{}
	for _, f := range o.GetFacts() {
		facts = append(facts, factDocument{Name: f.GetName(), Value: f.GetValue()})
	}
	return map[string]any{
		"kind": registry.ObjectKind(o.GetKind()).String(), "name": o.GetName(), "roid": o.GetRoid(),
		"applied_index": o.GetAppliedIndex(), "node": o.GetNodeId(), "facts": facts,
	}
}

func objectText(o *clusterpb.ReadObjectResponse) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s (%s), read from %s at index %d\n", registry.ObjectKind(o.GetKind()), o.GetName(), o.GetRoid(), o.GetNodeId(), o.GetAppliedIndex())
	for _, f := range o.GetFacts() {
		fmt.Fprintf(&b, "  %s: %s\n", f.GetName(), f.GetValue())
	}
	return b.String()
}
