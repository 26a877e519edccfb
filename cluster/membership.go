package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// memberChangeTimeout bounds one attempt at a change of the Raft configuration or of the
	// leader: two commits, or an election.
	memberChangeTimeout = 10 * time.Second
	// noticeTimeout bounds telling a removed node; it is a courtesy.
	noticeTimeout = 2 * time.Second
)

// addMember has the leader take a node of the state into the Raft configuration.
func (s *Server) addMember(ctx context.Context, nodeID string) error {
	return s.forwarder.onLeader(ctx, memberChangeTimeout, func(ctx context.Context, leaderID string) error {
		if leaderID == s.nodeID {
			return s.addMemberHere(ctx, nodeID)
		}
		return s.peers.addMember(ctx, leaderID, nodeID)
	})
}

// addMemberHere adds the node as a non-voter; autopilot makes it a voter if it is to be one.
func (s *Server) addMemberHere(ctx context.Context, nodeID string) error {
	if err := s.requireLeader(ctx); err != nil {
		return err
	}
	node, servers, err := s.lookUp(nodeID)
	if err != nil {
		return err
	}
	if node == nil {
		return refuse(registry.CodeObjectDoesNotExist, "node", nodeID, "the state knows no such node")
	}
	at := slices.IndexFunc(servers, func(sv raftnode.Server) bool { return sv.ID == nodeID })
	if at >= 0 && servers[at].Address == node.RaftAddress {
		return nil
	}
	if err := s.raft.AddNonvoter(ctx, nodeID, node.RaftAddress); err != nil {
		return fmt.Errorf("add node %q to the raft configuration: %w", nodeID, err)
	}
	return nil
}

// removeMember has the leader remove a node, also when that is the leader itself.
func (s *Server) removeMember(ctx context.Context, req *clusterpb.RemoveMemberRequest) (*clusterpb.RemoveMemberResponse, error) {
	var (
		resp      *clusterpb.RemoveMemberResponse
		uncertain bool // an earlier attempt may have removed it
	)
	err := s.forwarder.onLeader(ctx, memberChangeTimeout, func(ctx context.Context, leaderID string) (err error) {
		if leaderID == s.nodeID {
			resp, err = s.removeMemberHere(ctx, req)
		} else {
			resp, err = s.peers.removeMember(ctx, leaderID, req)
		}
		if uncertain && errors.Is(err, registry.CodeObjectDoesNotExist) {
			resp, err = &clusterpb.RemoveMemberResponse{Unnotified: true}, nil
		}
		uncertain = uncertain || err != nil && classify(err) == outcomeMaybe
		return err
	})
	return resp, err
}

// removeMemberHere removes a node on the leader. First the state forgets it, which makes
// its certificate worthless at once; then Raft does. A removal that failed between the two
// is finished by repeating it.
func (s *Server) removeMemberHere(ctx context.Context, req *clusterpb.RemoveMemberRequest) (*clusterpb.RemoveMemberResponse, error) {
	nodeID := req.GetNodeId()
	if err := s.requireLeader(ctx); err != nil {
		return nil, err
	}
	node, servers, err := s.lookUp(nodeID)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(servers, func(sv raftnode.Server) bool { return sv.ID == nodeID })
	if node == nil && at < 0 {
		return nil, refuse(registry.CodeObjectDoesNotExist, "node", nodeID, "the cluster has no such node")
	}
	if at >= 0 && votes(servers[at]) && countVoters(servers) == 1 {
		return nil, refuse(registry.CodeStatusProhibits, "node", nodeID, "the only voter cannot be removed")
	}
	if at >= 0 && votes(servers[at]) {
		if err := s.quorumWithout(ctx, servers, nodeID); err != nil {
			return nil, err
		}
	}
	if nodeID == s.nodeID {
		return nil, s.stepAside(ctx)
	}
	// The address is needed after the state has forgotten it.
	client, dialErr := s.peers.client(ctx, nodeID)
	if node != nil {
		if err := s.forgetNode(ctx, req); err != nil {
			return nil, err
		}
	}
	if at >= 0 {
		if err := s.raft.RemoveServer(ctx, nodeID); err != nil {
			return nil, fmt.Errorf("remove node %q from the raft configuration: %w", nodeID, err)
		}
	}
	s.log.Info("node removed", "node", nodeID, "operator", req.GetActor().GetId(), "reason", req.GetReason())
	resp := &clusterpb.RemoveMemberResponse{Unnotified: dialErr != nil}
	if dialErr == nil {
		ctx, cancel := context.WithTimeout(ctx, noticeTimeout)
		defer cancel()
		_, err := client.Removed(ctx, &clusterpb.RemovedRequest{NodeId: nodeID, Reason: req.GetReason()})
		resp.Unnotified = err != nil
	}
	return resp, nil
}

// stepAside hands leadership over before the leader itself is removed; the caller then
// finds the new leader.
func (s *Server) stepAside(ctx context.Context) error {
	if err := s.raft.TransferLeadership(ctx, ""); err != nil {
		return transferFailed(err)
	}
	return &raftnode.NotLeaderError{}
}

func (s *Server) forgetNode(ctx context.Context, req *clusterpb.RemoveMemberRequest) error {
	result, err := s.forwarder.Propose(ctx, &fsmpb.Command{
		Actor: req.GetActor(), Reason: req.GetReason(),
		Body: &fsmpb.Command_NodeRemove{NodeRemove: &fsmpb.NodeRemove{NodeId: req.GetNodeId()}},
	})
	if err != nil {
		return err
	}
	return ResultError(result)
}

// transferLeader has the leader hand over.
func (s *Server) transferLeader(ctx context.Context, toID string) error {
	return s.forwarder.onLeader(ctx, memberChangeTimeout, func(ctx context.Context, leaderID string) error {
		switch {
		case toID != "" && leaderID == toID:
			return nil
		case leaderID == s.nodeID:
			return s.transferLeaderHere(ctx, toID)
		default:
			return s.peers.transferLeader(ctx, leaderID, toID)
		}
	})
}

func (s *Server) transferLeaderHere(ctx context.Context, toID string) error {
	if err := s.requireLeader(ctx); err != nil {
		return err
	}
	servers, err := s.raft.Servers()
	if err != nil {
		return fmt.Errorf("read the raft configuration: %w", err)
	}
	isVoter := func(sv raftnode.Server) bool { return votes(sv) && (sv.ID == toID || toID == "" && sv.ID != s.nodeID) }
	if toID != s.nodeID && !slices.ContainsFunc(servers, isVoter) {
		return refuse(registry.CodeStatusProhibits, "node", toID, "there is no such other voter to lead")
	}
	if toID == s.nodeID {
		return nil
	}
	if err := s.raft.TransferLeadership(ctx, toID); err != nil {
		return transferFailed(err)
	}
	return nil
}

// transferFailed ends the attempts: whether to try again is for the operator to say.
func transferFailed(err error) error {
	if classify(err) == outcomeNothing {
		return err
	}
	return &registry.Error{Code: registry.CodeConflict, Reason: "the leader could not hand over: " + err.Error(), Err: err}
}

// requireLeader returns nil on a leader whose state holds everything that was committed
// before it was elected.
func (s *Server) requireLeader(ctx context.Context) error {
	if !s.raft.IsLeader() {
		id, address := s.raft.Leader()
		return &raftnode.NotLeaderError{LeaderID: id, LeaderAddress: address}
	}
	index, err := s.raft.ReadIndex(ctx)
	if err != nil {
		return err
	}
	return s.raft.WaitApplied(ctx, index)
}

// lookUp returns the node of the state, nil if it has none, and the Raft configuration.
func (s *Server) lookUp(nodeID string) (node *registry.Node, servers []raftnode.Server, err error) {
	servers, err = s.raft.Servers()
	if err != nil {
		return nil, nil, fmt.Errorf("read the raft configuration: %w", err)
	}
	err = s.store.View(func(tx *store.ReadTx) error {
		node, _ = tx.Node(nodeID)
		return nil
	})
	return node, servers, err
}

func countVoters(servers []raftnode.Server) int {
	n := 0
	for _, sv := range servers {
		if votes(sv) {
			n++
		}
	}
	return n
}

func votes(sv raftnode.Server) bool { return sv.Suffrage == raftnode.Voter }
