package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// clusterInit gives the cluster its id and clock; it is the first command of a log.
func (r *run) clusterInit(c *fsmpb.ClusterInit) (*fsmpb.Result, error) {
	if id := r.tx.ClusterID(); id != "" {
		return nil, refuse(registry.CodeObjectExists, "cluster_id", id, "the cluster is initialised already")
	}
	r.tx.SetClusterID(c.GetClusterId())
	mode := registry.ClockMode(c.GetClockMode())
	r.tx.SetClockMode(mode)
	if mode == registry.ClockManual {
		r.now = time.UnixMilli(c.GetClockStartMs()).UTC()
		r.tx.SetNow(r.now)
	}
	if level := c.GetFeatureLevel(); level > 1 {
		r.haltUnlessSupported(level)
		r.tx.SetFeatureLevel(level)
	}
	node := nodeFromProto(c.GetFirstNode())
	node.JoinedAt = r.tx.LeaderNow()
	r.tx.PutNode(&node)
	return ok(), nil
}

func nodeFromProto(n *fsmpb.Node) registry.Node {
	return registry.Node{
		ID:          n.GetId(),
		Role:        registry.NodeRole(n.GetRole()),
		RaftAddress: n.GetRaftAddress(),
		GRPCAddress: n.GetGrpcAddress(),
	}
}
