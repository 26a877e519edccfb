package cluster

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"cadastre/registry"
	"cadastre/store"
)

const (
	// removalCheckInterval is how often a node looks whether it is still a member.
	removalCheckInterval = 2 * time.Second
	// leaderlessBeforeAsking is how long a node knows no leader before it asks the others
	// whether it was removed: longer than an ordinary election.
	leaderlessBeforeAsking = 10 * time.Second
)

// watchRemoval finds out about a removal whose notice did not arrive, because this node
// was down or cut off then. It ends with ctx or with the removal.
func (s *Server) watchRemoval(ctx context.Context) {
	ticker := time.NewTicker(s.removalCheck)
	defer ticker.Stop()
	lastLed := time.Now() // when there was last a leader
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if id, _ := s.raft.Leader(); id != "" {
			lastLed = time.Now()
		}
		others, gone := s.ownMembership()
		if !gone && time.Since(lastLed) >= s.leaderless {
			gone = s.othersRefuse(ctx, others)
		}
		if gone {
			s.log.Warn("this node was removed from the cluster")
			s.onRemoved("the cluster no longer knows this node")
			return
		}
	}
}

// ownMembership returns the other nodes of the local state, and whether that state no
// longer knows this node. A state without a cluster id is one that is just being made.
func (s *Server) ownMembership() (others []string, gone bool) {
	err := s.store.View(func(tx *store.ReadTx) error {
		_, known := tx.Node(s.nodeID)
		gone = !known && tx.ClusterID() != ""
		for _, n := range tx.Nodes() {
			if n.ID != s.nodeID {
				others = append(others, n.ID)
			}
		}
		return nil
	})
	if err != nil {
		s.log.Error("cannot read the members", "error", err)
		return nil, false
	}
	return others, gone
}

// othersRefuse asks the others for their status. One of them that refuses this node as no
// member has looked at the newest state; one that cannot do that does not refuse.
func (s *Server) othersRefuse(ctx context.Context, others []string) bool {
	var group errgroup.Group
	group.SetLimit(maxStatusCalls)
	for _, id := range others {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, statusTimeout)
			defer cancel()
			_, err := s.peers.Status(ctx, id)
			if errors.Is(err, registry.CodeAuthorization) {
				return err
			}
			return nil
		})
	}
	return group.Wait() != nil
}
