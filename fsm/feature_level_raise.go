package fsm

import (
	"slices"
	"strings"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// featureLevelRaise raises the cluster's level. That the members support it was asked of
// each before; here it is sure that there are no others.
func (r *run) featureLevelRaise(c *fsmpb.FeatureLevelRaise) (*fsmpb.Result, error) {
	if c.GetLevel() <= r.tx.FeatureLevel() {
		return ok(), nil
	}
	var members []string
	for _, node := range r.tx.Nodes() {
		members = append(members, node.ID)
	}
	asked := slices.Sorted(slices.Values(c.GetNodeIds()))
	if !slices.Equal(members, asked) {
		return nil, refuse(registry.CodeConflict, "node_ids", strings.Join(asked, " "), "the members have changed meanwhile: %s", strings.Join(members, " "))
	}
	r.haltUnlessSupported(c.GetLevel())
	r.tx.SetFeatureLevel(c.GetLevel())
	return ok(), nil
}

// haltUnlessSupported ends a node whose program is too old for the level.
func (r *run) haltUnlessSupported(level uint32) {
	if err := registry.CheckFeatureLevel(level); err != nil {
		panic(&Halt{Index: r.tx.At().Index, Reason: err.Error()})
	}
}
