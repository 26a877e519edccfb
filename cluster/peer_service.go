package cluster

import (
	"context"
	"crypto/sha256"
	"fmt"

	"google.golang.org/grpc"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// maxTokenChars bounds a join token; ours have 52.
const maxTokenChars = 128

// systemCluster is the actor of what this package does by itself.
const systemCluster = "cluster"

// peerService is the Peer service; each method runs for a caller that access.go admitted.
type peerService struct {
	clusterpb.UnimplementedPeerServer
	*Server
}

// Propose commits the commands if this node leads: one hop, no more. All are submitted
// before any is waited for, so that they may share an entry.
func (s *peerService) Propose(ctx context.Context, req *clusterpb.ProposeRequest) (*clusterpb.ProposeResponse, error) {
	commands := req.GetCommands()
	if len(commands) > maxForwardedCommands {
		return nil, refuse(registry.CodeParameterRange, "commands", fmt.Sprint(len(commands)), "too many commands in one call")
	}
	waits := make([]func(context.Context) (*fsmpb.Result, error), len(commands))
	for i, command := range commands {
		waits[i] = s.submitForwarded(command)
	}
	outcomes := make([]*clusterpb.ProposeOutcome, len(commands))
	for i, wait := range waits {
		result, err := wait(ctx)
		var isOurs bool
		if outcomes[i], isOurs = outcomeToProto(result, err); !isOurs && ctx.Err() == nil {
			s.log.Error("a forwarded command failed", "error", err)
		}
	}
	return &clusterpb.ProposeResponse{Outcomes: outcomes}, nil
}

func (s *peerService) submitForwarded(command *fsmpb.Command) (wait func(ctx context.Context) (*fsmpb.Result, error)) {
	var err error
	if command.GetRequestId() == nil {
		err = refuse(registry.CodeParameterMissing, "request_id", "", "a forwarded command needs its request id")
	} else {
		err = mayPropose(command)
	}
	if err != nil {
		return func(context.Context) (*fsmpb.Result, error) { return nil, err }
	}
	return s.raft.Submit(command)
}

// ReadIndex answers if this node leads.
func (s *peerService) ReadIndex(ctx context.Context, _ *clusterpb.ReadIndexRequest) (*clusterpb.ReadIndexResponse, error) {
	index, err := s.raft.ReadIndex(ctx)
	if err != nil {
		return nil, err
	}
	return &clusterpb.ReadIndexResponse{Index: index}, nil
}

// ConfirmTerm answers a leader, which can only ask for itself.
func (s *peerService) ConfirmTerm(ctx context.Context, req *clusterpb.ConfirmTermRequest) (*clusterpb.ConfirmTermResponse, error) {
	if id := caller(ctx); id.Name != req.GetLeaderId() {
		return nil, refuse(registry.CodeAuthorization, "leader_id", req.GetLeaderId(), "a node can ask for itself only")
	}
	if err := s.raft.AnswerConfirmTerm(req.GetLeaderId(), req.GetTerm()); err != nil {
		return nil, err
	}
	return &clusterpb.ConfirmTermResponse{}, nil
}

// Join registers the calling node. The state decides about the token; the same node may
// use the same token again, because the first answer may have been lost.
func (s *peerService) Join(ctx context.Context, req *clusterpb.JoinRequest) (*clusterpb.JoinResponse, error) {
	node := req.GetNode()
	if id := caller(ctx); id.Name != node.GetId() {
		return nil, refuse(registry.CodeAuthorization, "node", node.GetId(), "the node id is not that of the certificate")
	}
	if err := checkHostPort("raft_address", node.GetRaftAddress()); err != nil {
		return nil, err
	}
	if err := checkHostPort("grpc_address", node.GetGrpcAddress()); err != nil {
		return nil, err
	}
	if len(req.GetToken()) == 0 || len(req.GetToken()) > maxTokenChars {
		return nil, refuse(registry.CodeParameterSyntax, "token", "", "want a join token")
	}
	level, err := s.featureLevel()
	if err != nil {
		return nil, err
	}
	supported := uint32(0)
	if level > 1 { // the field is not part of level 1
		supported = max(1, req.GetMaxFeatureLevel())
	}
	sum := sha256.Sum256([]byte(req.GetToken()))
	result, err := s.forwarder.Propose(ctx, &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: systemCluster},
		Body: &fsmpb.Command_NodeJoin{NodeJoin: &fsmpb.NodeJoin{TokenSha256: sum[:], Node: &fsmpb.Node{
			Id: node.GetId(), RaftAddress: node.GetRaftAddress(), GrpcAddress: node.GetGrpcAddress(), MaxFeatureLevel: supported,
		}}},
	})
	if err != nil {
		return nil, err
	}
	if err := ResultError(result); err != nil {
		return nil, err
	}
	if err := s.addMember(ctx, node.GetId()); err != nil {
		return nil, err
	}
	if err := s.raft.WaitApplied(ctx, result.GetIndex()); err != nil {
		return nil, err
	}
	s.log.Info("node joined", "node", node.GetId(), "raft_index", result.GetIndex())
	return &clusterpb.JoinResponse{
		ClusterId: s.creds.ClusterID(), Role: result.GetNodeRole(), Index: result.GetIndex(),
	}, nil
}

// Seed sends the state to a member.
func (s *peerService) Seed(_ *clusterpb.SeedRequest, stream grpc.ServerStreamingServer[clusterpb.CheckpointChunk]) error {
	return s.sendCheckpoint(stream.Context(), stream)
}

// AddMember works on the leader only.
func (s *peerService) AddMember(ctx context.Context, req *clusterpb.AddMemberRequest) (*clusterpb.AddMemberResponse, error) {
	if err := s.addMemberHere(ctx, req.GetNodeId()); err != nil {
		return nil, err
	}
	return &clusterpb.AddMemberResponse{}, nil
}

// RemoveMember works on the leader only.
func (s *peerService) RemoveMember(ctx context.Context, req *clusterpb.RemoveMemberRequest) (*clusterpb.RemoveMemberResponse, error) {
	if req.GetActor().GetKind() != fsmpb.ActorKind_ACTOR_KIND_OPERATOR {
		return nil, refuse(registry.CodeAuthorization, "actor", req.GetActor().GetId(), "only an operator removes nodes")
	}
	return s.removeMemberHere(ctx, req)
}

// TransferLeader works on the leader only.
func (s *peerService) TransferLeader(ctx context.Context, req *clusterpb.TransferLeaderRequest) (*clusterpb.TransferLeaderResponse, error) {
	if err := s.transferLeaderHere(ctx, req.GetToNodeId()); err != nil {
		return nil, err
	}
	return &clusterpb.TransferLeaderResponse{}, nil
}

// Removed is the notice that this node was removed.
func (s *peerService) Removed(ctx context.Context, req *clusterpb.RemovedRequest) (*clusterpb.RemovedResponse, error) {
	if req.GetNodeId() != s.nodeID {
		return nil, refuse(registry.CodeParameterPolicy, "node_id", req.GetNodeId(), "the notice is for another node")
	}
	s.log.Warn("this node was removed from the cluster", "told_by", caller(ctx).Name, "reason", req.GetReason())
	s.onRemoved(req.GetReason())
	return &clusterpb.RemovedResponse{}, nil
}

// Status tells how far this node is.
func (s *peerService) Status(context.Context, *clusterpb.StatusRequest) (*clusterpb.StatusResponse, error) {
	return s.statusHere()
}

func (s *Server) statusHere() (*clusterpb.StatusResponse, error) {
	leaderID, _ := s.raft.Leader()
	resp := &clusterpb.StatusResponse{NodeId: s.nodeID, LeaderId: leaderID, IsLeader: s.raft.IsLeader(),
		Version: s.version, MinFeatureLevel: registry.MinFeatureLevel, MaxFeatureLevel: s.maxLevel}
	trusted, issuer := s.creds.authorities()
	for _, ca := range trusted {
		resp.TrustedSha256 = append(resp.TrustedSha256, Fingerprint(ca))
	}
	if issuer != nil {
		resp.IssuerSha256 = Fingerprint(issuer)
	}
	err := s.store.View(func(tx *store.ReadTx) error {
		resp.AppliedIndex, resp.AppliedTerm = tx.Applied()
		resp.StateHash = tx.StateHash()
		resp.FeatureLevel = tx.FeatureLevel()
		return nil
	})
	return resp, err
}
