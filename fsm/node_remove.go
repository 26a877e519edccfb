package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// levelOfRemovedNodes is the feature level from which on removed nodes are remembered.
const levelOfRemovedNodes = 2

// nodeRemove ends a node's membership; from here on its certificate admits it no more.
func (r *run) nodeRemove(c *fsmpb.NodeRemove) (*fsmpb.Result, error) {
	if _, found := r.tx.Node(c.GetNodeId()); !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "node", c.GetNodeId(), "there is no such member; see: cadastre cluster members")
	}
	if len(r.tx.Nodes()) == 1 {
		return nil, refuse(registry.CodeAssociationForbids, "node", c.GetNodeId(), "it is the last member")
	}
	r.tx.DeleteNode(c.GetNodeId())
	if r.tx.FeatureLevel() >= levelOfRemovedNodes {
		r.tx.PutRemovedNode(c.GetNodeId(), r.tx.LeaderNow())
	}
	return ok(), nil
}
