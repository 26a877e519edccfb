package cluster

import (
	"crypto/tls"
	"errors"
	"fmt"

	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

// RaftAdmission decides which nodes may speak to this node's Raft port: a certificate of
// the cluster alone is not enough.
type RaftAdmission struct {
	Store *store.Store
	// Servers and Leader are those of the local Raft node.
	Servers func() ([]raftnode.Server, error)
	Leader  func() (id, address string)
}

// Admit refuses whoever is no node, was removed, or is no member. This node may lag behind
// a leader that joined while it was away; so while it knows no leader, a node of which it
// has never heard is admitted, and Raft's terms and votes decide.
func (a *RaftAdmission) Admit(id Identity) error {
	if id.Kind != KindNode {
		return fmt.Errorf("a certificate of kind %s is not admitted here", id.Kind)
	}
	var removed, known bool
	err := a.Store.View(func(tx *store.ReadTx) error {
		_, removed = tx.NodeRemovedAt(id.Name)
		_, known = tx.Node(id.Name)
		return nil
	})
	if err != nil {
		return fmt.Errorf("look up node %q: %w", id.Name, err)
	}
	switch {
	case known:
		return nil
	case removed:
		return refuse(registry.CodeAuthorization, "node", id.Name, "the node was removed from the cluster")
	}
	if servers, err := a.Servers(); err == nil {
		for _, sv := range servers {
			if sv.ID == id.Name {
				return nil
			}
		}
	}
	if leaderID, _ := a.Leader(); leaderID != "" {
		return refuse(registry.CodeAuthorization, "node", id.Name, "the node is not a member of the cluster")
	}
	return nil
}

// Check is Admit for a connection that stands.
func (a *RaftAdmission) Check(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the connection carries no certificate")
	}
	id, err := ParseIdentity(state.PeerCertificates[0])
	if err != nil {
		return err
	}
	return a.Admit(id)
}
