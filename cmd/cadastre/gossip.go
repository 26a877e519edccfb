package main

import (
	"net"

	"cadastre/cluster"
	"cadastre/registry"
	"cadastre/store"
)

// openGossip prepares gossip. Its own library binds the port only when it runs, so the port
// is tried first.
func (n *node) openGossip() error {
	if n.cfg.Gossip.Listen == "" {
		return nil
	}
	probe, err := net.Listen("tcp", n.cfg.Gossip.Listen)
	if err != nil {
		return portError("gossip", "gossip.listen", n.cfg.Gossip.Listen, err)
	}
	if err := probe.Close(); err != nil {
		return err
	}
	keys, err := cluster.LoadGossipKeys(n.cfg.Gossip.KeyFile)
	if err != nil {
		return err
	}
	dns := ""
	if len(n.cfg.DNS.Listen) > 0 {
		dns = n.cfg.DNS.Listen[0]
	}
	n.gossip, err = cluster.NewGossip(cluster.GossipConfig{
		NodeID: n.cfg.NodeID, ClusterID: n.creds.ClusterID(), Keys: keys, KeyFile: n.cfg.Gossip.KeyFile,
		Bind: n.cfg.Gossip.Listen, Advertise: n.cfg.Gossip.Advertise, Seeds: n.cfg.Gossip.Seeds,
		Self: cluster.Hint{
			Role: n.wishedRole(), RaftAddress: n.cfg.advertisedRaft(), GRPCAddress: n.cfg.advertisedGRPC(),
			EPPAddress: n.cfg.EPP.Listen, DNSAddress: dns,
		},
		AppliedIndex: n.raft.AppliedIndex, Log: n.logger.With("service", "gossip"),
	})
	return err
}

// hints returns what the services ask gossip with; nil without gossip.
func (n *node) hints() func() []cluster.Hint {
	if n.gossip == nil {
		return nil
	}
	return n.gossip.Peers
}

// wishedRole is the role under which this node joined, for the others' information.
func (n *node) wishedRole() string {
	role := registry.RoleReplica
	err := n.store.View(func(tx *store.ReadTx) error {
		if self, ok := tx.Node(n.cfg.NodeID); ok {
			role = self.Role
		}
		return nil
	})
	if err != nil {
		return ""
	}
	return role.String()
}
