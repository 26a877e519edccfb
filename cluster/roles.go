package cluster

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/internal/pause"
	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

// answerRetry is the pause before a node that did not answer is asked again.
const answerRetry = 100 * time.Millisecond

// SetRole changes whether a node is to vote.
func (s *adminService) SetRole(ctx context.Context, req *clusterpb.SetRoleRequest) (*clusterpb.ChangeRoleResponse, error) {
	role := registry.NodeRole(req.GetRole())
	if role != registry.RoleVoter && role != registry.RoleReplica {
		return nil, refuse(registry.CodeParameterRange, "role", "", "want voter or replica")
	}
	if err := checkReason(req.GetReason()); err != nil {
		return nil, err
	}
	return s.changeRole(ctx, &clusterpb.ChangeRoleRequest{
		NodeId: req.GetNodeId(), Role: req.GetRole(), Actor: operator(ctx), Reason: req.GetReason(),
	})
}

// ChangeRole works on the leader only.
func (s *peerService) ChangeRole(ctx context.Context, req *clusterpb.ChangeRoleRequest) (*clusterpb.ChangeRoleResponse, error) {
	if req.GetActor().GetKind() != fsmpb.ActorKind_ACTOR_KIND_OPERATOR {
		return nil, refuse(registry.CodeAuthorization, "actor", req.GetActor().GetId(), "only an operator changes roles")
	}
	return s.changeRoleHere(ctx, req)
}

// changeRole has the leader do it, also when the change is about the leader itself.
func (s *Server) changeRole(ctx context.Context, req *clusterpb.ChangeRoleRequest) (resp *clusterpb.ChangeRoleResponse, err error) {
	err = s.forwarder.onLeader(ctx, memberChangeTimeout, func(ctx context.Context, leaderID string) (err error) {
		if leaderID == s.nodeID {
			resp, err = s.changeRoleHere(ctx, req)
		} else {
			resp, err = s.peers.changeRole(ctx, leaderID, req)
		}
		return err
	})
	return resp, err
}

// changeRoleHere first records the wish, so that autopilot gives no vote back, and then
// takes the vote away. A vote is given by autopilot, once the node has proven fit. A change
// that failed between the two is finished by repeating it.
func (s *Server) changeRoleHere(ctx context.Context, req *clusterpb.ChangeRoleRequest) (*clusterpb.ChangeRoleResponse, error) {
	if err := s.requireLeader(ctx); err != nil {
		return nil, err
	}
	node, servers, err := s.lookUp(req.GetNodeId())
	if err != nil {
		return nil, err
	}
	if node == nil {
		return nil, refuse(registry.CodeObjectDoesNotExist, "node", req.GetNodeId(), "there is no such member; see: cadastre cluster members")
	}
	role, hasVote := registry.NodeRole(req.GetRole()), false
	for _, sv := range servers {
		hasVote = hasVote || sv.ID == node.ID && votes(sv)
	}
	if role == registry.RoleReplica && hasVote {
		if err := s.quorumWithout(ctx, servers, node.ID); err != nil {
			return nil, err
		}
		if node.ID == s.nodeID {
			return nil, s.stepAside(ctx)
		}
	}
	if node.Role != role {
		if err := s.recordRole(ctx, req); err != nil {
			return nil, err
		}
	}
	if role == registry.RoleReplica && hasVote {
		if err := s.raft.DemoteVoter(ctx, node.ID); err != nil {
			return nil, fmt.Errorf("take the vote of node %q away: %w", node.ID, err)
		}
		hasVote = false
	}
	s.log.Info("role changed", "node", node.ID, "role", role.String(), "operator", req.GetActor().GetId(), "reason", req.GetReason())
	return s.roleAnswer(hasVote)
}

func (s *Server) recordRole(ctx context.Context, req *clusterpb.ChangeRoleRequest) error {
	result, err := s.forwarder.Propose(ctx, &fsmpb.Command{
		Actor: req.GetActor(), Reason: req.GetReason(),
		Body: &fsmpb.Command_NodeRole{NodeRole: &fsmpb.NodeRole{NodeId: req.GetNodeId(), Role: req.GetRole()}},
	})
	if err != nil {
		return err
	}
	return ResultError(result)
}

func (s *Server) roleAnswer(hasVote bool) (*clusterpb.ChangeRoleResponse, error) {
	resp := &clusterpb.ChangeRoleResponse{Votes: hasVote}
	err := s.store.View(func(tx *store.ReadTx) error {
		for _, n := range tx.Nodes() {
			if n.Role == registry.RoleVoter {
				resp.WishedVoters++
			}
		}
		return nil
	})
	if resp.WishedVoters%2 == 0 {
		resp.Warning = fmt.Sprintf("%d members are to vote: an even number bears no more failures than one less. One of them waits for its vote, or one should be demoted", resp.WishedVoters)
	}
	return resp, err
}

// quorumWithout returns an error unless a majority of the voters that stay answers: taking
// a vote away must never be what stops the cluster.
func (s *Server) quorumWithout(ctx context.Context, servers []raftnode.Server, nodeID string) error {
	var (
		group   errgroup.Group
		answers atomic.Int64
		stay    int
	)
	group.SetLimit(maxStatusCalls)
	for _, sv := range servers {
		if !votes(sv) || sv.ID == nodeID {
			continue
		}
		stay++
		if sv.ID == s.nodeID {
			answers.Add(1)
			continue
		}
		group.Go(func() error {
			if s.answers(ctx, sv.ID) {
				answers.Add(1)
			}
			return nil
		})
	}
	_ = group.Wait() // a node that does not answer is a finding, not an error
	if stay == 0 {
		return refuse(registry.CodeStatusProhibits, "node", nodeID, "it is the only voter")
	}
	if needed := stay/2 + 1; int(answers.Load()) < needed {
		return refuse(registry.CodeStatusProhibits, "node", nodeID,
			fmt.Sprintf("of the %d voters that would stay only %d answer, and %d are needed: bring the others back first", stay, answers.Load(), needed))
	}
	return nil
}

// answers says whether the node answers within statusTimeout. It asks again meanwhile: the
// first answer may be that of a connection that has been broken for long.
func (s *Server) answers(ctx context.Context, nodeID string) bool {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	for {
		if _, err := s.peers.Status(ctx, nodeID); err == nil {
			return true
		}
		if pause.For(ctx, answerRetry) != nil {
			return false
		}
	}
}
