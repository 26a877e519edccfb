package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// nodeRole records whether the member is to vote. Who votes is for Raft's configuration.
func (r *run) nodeRole(c *fsmpb.NodeRole) (*fsmpb.Result, error) {
	node, found := r.tx.Node(c.GetNodeId())
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "node", c.GetNodeId(), "there is no such member; see: cadastre cluster members")
	}
	role := registry.NodeRole(c.GetRole())
	if role == registry.RoleReplica && node.Role == registry.RoleVoter {
		voters := 0
		for _, other := range r.tx.Nodes() {
			if other.Role == registry.RoleVoter {
				voters++
			}
		}
		if voters == 1 {
			return nil, refuse(registry.CodeAssociationForbids, "node", node.ID, "it is the only member that is to vote")
		}
	}
	node.Role = role
	r.tx.PutNode(node)
	return &fsmpb.Result{Code: uint32(registry.CodeOK), NodeRole: c.GetRole()}, nil
}
