package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// statusTimeout bounds asking one node; `cluster members` should not hang on a dead one.
	statusTimeout = 2 * time.Second
	// maxStatusCalls bounds how many nodes are asked at once.
	maxStatusCalls = 16
)

// Members lists the nodes of the state and of the Raft configuration, with what gossip and
// the nodes themselves say. It needs no leader.
func (s *adminService) Members(ctx context.Context, req *clusterpb.MembersRequest) (*clusterpb.MembersResponse, error) {
	leaderID, _ := s.raft.Leader()
	out := &clusterpb.MembersResponse{ClusterId: s.creds.ClusterID(), AnsweredBy: s.nodeID, LeaderId: leaderID}
	var err error
	if out.Members, err = s.knownMembers(leaderID); err != nil {
		return nil, err
	}
	var group errgroup.Group
	group.SetLimit(maxStatusCalls)
	for _, m := range out.Members {
		if m.Id != s.nodeID && req.GetLocal() {
			continue
		}
		group.Go(func() error {
			s.askMember(ctx, m)
			return nil
		})
	}
	_ = group.Wait() // a node that does not answer is a finding, not an error
	return out, nil
}

// knownMembers joins the three sources by node id, in the order of the ids.
func (s *Server) knownMembers(leaderID string) ([]*clusterpb.Member, error) {
	byID := map[string]*clusterpb.Member{}
	member := func(id string) *clusterpb.Member {
		if byID[id] == nil {
			byID[id] = &clusterpb.Member{Id: id, IsLeader: id == leaderID}
		}
		return byID[id]
	}
	var nodes []registry.Node
	err := s.store.View(func(tx *store.ReadTx) error {
		nodes = tx.Nodes()
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		m := member(n.ID)
		m.Role, m.RaftAddress, m.GrpcAddress, m.JoinedAtMs = uint32(n.Role), n.RaftAddress, n.GRPCAddress, unixMilli(n.JoinedAt)
	}
	servers, err := s.raft.Servers()
	if err != nil {
		return nil, fmt.Errorf("read the raft configuration: %w", err)
	}
	for _, sv := range servers {
		m := member(sv.ID)
		m.InRaft, m.Votes, m.RaftAddress = true, votes(sv), sv.Address
	}
	for _, h := range s.hints() {
		if m := byID[h.NodeID]; m != nil { // gossip alone makes nobody a member
			m.Gossip, m.EppAddress, m.DnsAddress = h.State, h.EPPAddress, h.DNSAddress
		}
	}
	var list []*clusterpb.Member
	for _, m := range byID {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b *clusterpb.Member) int { return strings.Compare(a.Id, b.Id) })
	return list, nil
}

// askMember fills in what the node itself says.
func (s *Server) askMember(ctx context.Context, m *clusterpb.Member) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	var (
		status *clusterpb.StatusResponse
		err    error
	)
	if m.Id == s.nodeID {
		status, err = s.statusHere()
	} else {
		status, err = s.peers.Status(ctx, m.Id)
	}
	if err != nil {
		m.Problem = err.Error()
		return
	}
	m.Reachable, m.AppliedIndex, m.StateHash = true, status.AppliedIndex, status.StateHash
}
