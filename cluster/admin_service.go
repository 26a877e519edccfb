package cluster

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"google.golang.org/grpc"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

const (
	tokenBytes           = 32 // beyond guessing
	defaultTokenLifetime = time.Hour
	// maxTokenLifetime keeps a forgotten token from being a standing way in.
	maxTokenLifetime = 7 * 24 * time.Hour
	// maxReasonBytes bounds what an operator may write into the history.
	maxReasonBytes = 1024
	// maxSettleWait bounds WaitSettled; moving a large registry by a year takes a while.
	maxSettleWait = 10 * time.Minute
	// settlePollInterval is how often WaitSettled looks at the state.
	settlePollInterval = 10 * time.Millisecond
	// hashWait bounds StateHash's wait for its index.
	hashWait = time.Minute
)

// adminService is the Admin service; each method runs for an operator.
type adminService struct {
	clusterpb.UnimplementedAdminServer
	*Server
}

// operator returns the actor of an operator's call. It comes from the certificate, never
// from the request.
func operator(ctx context.Context) *fsmpb.Actor {
	return &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: caller(ctx).Name}
}

// Execute commits an operator's command.
func (s *adminService) Execute(ctx context.Context, req *clusterpb.ExecuteRequest) (*clusterpb.ExecuteResponse, error) {
	command := req.GetCommand()
	if err := mayExecute(command); err != nil {
		return nil, err
	}
	if err := checkReason(command.GetReason()); err != nil {
		return nil, err
	}
	result, err := s.forwarder.Propose(ctx, &fsmpb.Command{
		Actor: operator(ctx), Reason: command.GetReason(), Cltrid: command.GetCltrid(), Body: command.GetBody(),
	})
	if err != nil {
		return nil, err
	}
	return &clusterpb.ExecuteResponse{Result: result}, nil
}

// CreateToken makes a join token; the state keeps only its hash.
func (s *adminService) CreateToken(ctx context.Context, req *clusterpb.CreateTokenRequest) (*clusterpb.CreateTokenResponse, error) {
	role := registry.NodeRole(req.GetRole())
	if role != registry.RoleVoter && role != registry.RoleReplica {
		return nil, refuse(registry.CodeParameterRange, "role", "", "want voter or replica")
	}
	lifetime := time.Duration(req.GetLifetimeSeconds()) * time.Second
	if lifetime == 0 {
		lifetime = defaultTokenLifetime
	}
	if req.GetLifetimeSeconds() < 0 || req.GetLifetimeSeconds() > int64(maxTokenLifetime/time.Second) {
		return nil, refuse(registry.CodeParameterRange, "lifetime", "", "a token lives at most 7 days")
	}
	if err := checkReason(req.GetReason()); err != nil {
		return nil, err
	}
	token := newToken()
	sum := sha256.Sum256([]byte(token))
	result, err := s.forwarder.Propose(ctx, &fsmpb.Command{
		Actor: operator(ctx), Reason: req.GetReason(),
		Body: &fsmpb.Command_JoinTokenCreate{JoinTokenCreate: &fsmpb.JoinTokenCreate{
			TokenSha256: sum[:], Role: uint32(role), LifetimeSeconds: int64(lifetime / time.Second),
		}},
	})
	if err != nil {
		return nil, err
	}
	if err := ResultError(result); err != nil {
		return nil, err
	}
	return &clusterpb.CreateTokenResponse{Token: token, Result: result}, nil
}

// newToken returns a random token of lower-case letters and digits.
func newToken() string {
	secret := make([]byte, tokenBytes)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the process instead
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret))
}

// TransferLeader hands leadership over.
func (s *adminService) TransferLeader(ctx context.Context, req *clusterpb.TransferLeaderRequest) (*clusterpb.TransferLeaderResponse, error) {
	if err := s.transferLeader(ctx, req.GetToNodeId()); err != nil {
		return nil, err
	}
	return &clusterpb.TransferLeaderResponse{}, nil
}

// Remove removes a node for good.
func (s *adminService) Remove(ctx context.Context, req *clusterpb.RemoveRequest) (*clusterpb.RemoveResponse, error) {
	if err := checkReason(req.GetReason()); err != nil {
		return nil, err
	}
	resp, err := s.removeMember(ctx, &clusterpb.RemoveMemberRequest{
		NodeId: req.GetNodeId(), Actor: operator(ctx), Reason: req.GetReason(),
	})
	if err != nil {
		return nil, err
	}
	return &clusterpb.RemoveResponse{Unnotified: resp.GetUnnotified()}, nil
}

// Backup sends a checkpoint of this node's state.
func (s *adminService) Backup(_ *clusterpb.BackupRequest, stream grpc.ServerStreamingServer[clusterpb.CheckpointChunk]) error {
	return s.sendCheckpoint(stream.Context(), stream)
}

func checkReason(reason string) error {
	if len(reason) > maxReasonBytes {
		return refuse(registry.CodeParameterRange, "reason", "", "a reason has at most 1024 octets")
	}
	return nil
}
