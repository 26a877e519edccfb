package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// nodeUpdate records where a member is reached now.
func (r *run) nodeUpdate(c *fsmpb.NodeUpdate) (*fsmpb.Result, error) {
	node, found := r.tx.Node(c.GetNodeId())
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "node", c.GetNodeId(), "there is no such member; see: cadastre cluster members")
	}
	for _, other := range r.tx.Nodes() {
		if other.ID != node.ID && other.RaftAddress == c.GetRaftAddress() {
			return nil, refuse(registry.CodeObjectExists, "raft_address", c.GetRaftAddress(), "node %s has this Raft address already", other.ID)
		}
	}
	node.RaftAddress, node.GRPCAddress = c.GetRaftAddress(), c.GetGrpcAddress()
	r.tx.PutNode(node)
	return ok(), nil
}
