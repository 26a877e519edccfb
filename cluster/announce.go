package cluster

import (
	"context"
	"errors"
	"time"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/internal/pause"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// announceInterval is the pause before a node whose addresses have changed tries again
	// to tell the leader: soon, because until then the leader cannot reach it.
	announceInterval = time.Second
	// announceTimeout bounds one attempt: two commits.
	announceTimeout = 2 * memberChangeTimeout
)

// Announce works on the leader only. A node can speak for itself only: its id is that of
// its certificate.
func (s *peerService) Announce(ctx context.Context, req *clusterpb.AnnounceRequest) (*clusterpb.AnnounceResponse, error) {
	if err := checkHostPort("raft_address", req.GetRaftAddress()); err != nil {
		return nil, err
	}
	if err := checkHostPort("grpc_address", req.GetGrpcAddress()); err != nil {
		return nil, err
	}
	if err := s.updateAddressesHere(ctx, caller(ctx).Name, req); err != nil {
		return nil, err
	}
	return &clusterpb.AnnounceResponse{}, nil
}

// updateAddressesHere records a member's addresses on the leader, first in the state and
// then in Raft's configuration. Repeating it finishes what failed half-way.
func (s *Server) updateAddressesHere(ctx context.Context, nodeID string, req *clusterpb.AnnounceRequest) error {
	if err := s.requireLeader(ctx); err != nil {
		return err
	}
	node, _, err := s.lookUp(nodeID)
	if err != nil {
		return err
	}
	if node == nil {
		return refuse(registry.CodeObjectDoesNotExist, "node", nodeID, "the state knows no such node")
	}
	if node.RaftAddress != req.GetRaftAddress() || node.GRPCAddress != req.GetGrpcAddress() {
		result, err := s.forwarder.Propose(ctx, &fsmpb.Command{
			Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: systemCluster},
			Body: &fsmpb.Command_NodeUpdate{NodeUpdate: &fsmpb.NodeUpdate{
				NodeId: nodeID, RaftAddress: req.GetRaftAddress(), GrpcAddress: req.GetGrpcAddress(),
			}},
		})
		if err != nil {
			return err
		}
		if err := ResultError(result); err != nil {
			return err
		}
		s.log.Info("node has other addresses", "node", nodeID, "raft_address", req.GetRaftAddress(), "grpc_address", req.GetGrpcAddress())
	}
	return s.addMemberHere(ctx, nodeID)
}

// AnnounceAddresses tells the leader where this node is reached, if that is not what the
// state says, and returns when the state does. A node that was moved knows no leader,
// because nobody reaches it: it asks the others who leads.
func (s *Server) AnnounceAddresses(ctx context.Context, raftAddress, grpcAddress string) error {
	req := &clusterpb.AnnounceRequest{RaftAddress: raftAddress, GrpcAddress: grpcAddress}
	for told := ""; ctx.Err() == nil; {
		if s.isKnownAt(req) {
			return nil
		}
		err := s.announce(ctx, req)
		if err == nil {
			s.log.Info("the cluster has been told this node's addresses", "raft_address", raftAddress, "grpc_address", grpcAddress)
		} else if err.Error() != told && ctx.Err() == nil {
			told = err.Error()
			s.log.Warn("the cluster could not be told this node's addresses yet; trying again", "error", err)
		}
		_ = pause.For(ctx, announceInterval) // cut short when the node stops
	}
	return nil
}

// isKnownAt says whether the state has this node at the addresses, or does not have it at
// all, which is for others to find out.
func (s *Server) isKnownAt(req *clusterpb.AnnounceRequest) (known bool) {
	inState := true
	err := s.store.View(func(tx *store.ReadTx) error {
		node, found := tx.Node(s.nodeID)
		inState = !found || node.RaftAddress == req.GetRaftAddress() && node.GRPCAddress == req.GetGrpcAddress()
		return nil
	})
	if err != nil || !inState {
		return false
	}
	servers, err := s.raft.Servers()
	if err != nil {
		return false
	}
	for _, sv := range servers {
		if sv.ID == s.nodeID {
			return sv.Address == req.GetRaftAddress()
		}
	}
	return true
}

// announce makes one attempt.
func (s *Server) announce(ctx context.Context, req *clusterpb.AnnounceRequest) error {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	if s.raft.IsLeader() {
		return s.updateAddressesHere(ctx, s.nodeID, req)
	}
	others, _ := s.ownMembership()
	var errs []error
	for _, id := range others {
		asked, stop := context.WithTimeout(ctx, statusTimeout)
		status, err := s.peers.Status(asked, id)
		stop()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if status.GetLeaderId() == "" || status.GetLeaderId() == s.nodeID {
			continue
		}
		if err = s.peers.announce(ctx, status.GetLeaderId(), req); err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return errors.New("no node knows another leader")
	}
	return errors.Join(errs...)
}
