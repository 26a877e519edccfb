package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// nodeJoin makes the node a member if its token is good. The same node may ask again with
// the same token, so that a lost answer can be asked for again.
func (r *run) nodeJoin(c *fsmpb.NodeJoin) (*fsmpb.Result, error) {
	node := nodeFromProto(c.GetNode())
	if level := r.tx.FeatureLevel(); level > max(1, c.GetNode().GetMaxFeatureLevel()) {
		return nil, refuse(registry.CodeFeatureLevel, "node", node.ID, "the cluster is at feature level %d, the node's program supports %d: install a newer one", level, max(1, c.GetNode().GetMaxFeatureLevel()))
	}
	token, found := r.tx.JoinToken(c.GetTokenSha256())
	switch {
	case !found:
		return nil, refuse(registry.CodeAuthorization, "token", "", "there is no such join token; make one with: cadastre cluster token")
	case token.UsedBy == node.ID:
		if member, joined := r.tx.Node(node.ID); joined {
			return &fsmpb.Result{Code: uint32(registry.CodeOK), NodeRole: uint32(member.Role)}, nil
		}
		return nil, refuse(registry.CodeAuthorization, "token", "", "the join token was used by this node, which has been removed since; make a new one")
	case token.UsedBy != "":
		return nil, refuse(registry.CodeAuthorization, "token", "", "the join token was used already, by node %s; a token admits one node", token.UsedBy)
	case !token.ExpiresAt.After(r.tx.LeaderNow()):
		return nil, refuse(registry.CodeAuthorization, "token", "", "the join token expired at %s", token.ExpiresAt.Format("2006-01-02T15:04:05Z"))
	}
	if _, exists := r.tx.Node(node.ID); exists {
		return nil, refuse(registry.CodeObjectExists, "node", node.ID, "a node of this id is a member already; remove it first")
	}
	for _, other := range r.tx.Nodes() {
		if other.RaftAddress == node.RaftAddress {
			return nil, refuse(registry.CodeObjectExists, "raft_address", node.RaftAddress, "node %s has this Raft address already", other.ID)
		}
	}
	token.UsedBy = node.ID
	r.tx.PutJoinToken(c.GetTokenSha256(), token)
	node.Role = token.Role
	node.JoinedAt = r.tx.LeaderNow()
	r.tx.PutNode(&node)
	if _, removed := r.tx.NodeRemovedAt(node.ID); removed {
		r.tx.DeleteRemovedNode(node.ID)
	}
	return &fsmpb.Result{Code: uint32(registry.CodeOK), NodeRole: uint32(node.Role)}, nil
}
