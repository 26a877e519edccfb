package cluster

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/internal/pause"
	"cadastre/registry"
	"cadastre/store"
)

func (s *Server) featureLevel() (level uint32, err error) {
	err = s.store.View(func(tx *store.ReadTx) error {
		level = tx.FeatureLevel()
		return nil
	})
	return level, err
}

// Features asks every member what its program supports. It needs no leader.
func (s *adminService) Features(ctx context.Context, _ *clusterpb.FeaturesRequest) (*clusterpb.FeaturesResponse, error) {
	return s.features(ctx)
}

// features joins the state with what the members say of themselves.
func (s *Server) features(ctx context.Context) (*clusterpb.FeaturesResponse, error) {
	level, err := s.featureLevel()
	if err != nil {
		return nil, err
	}
	known, err := s.knownMembers("")
	if err != nil {
		return nil, err
	}
	out := &clusterpb.FeaturesResponse{Level: level, AnsweredBy: s.nodeID, CanRaiseTo: s.maxLevel}
	var group errgroup.Group
	group.SetLimit(maxStatusCalls)
	for _, m := range known {
		features := &clusterpb.MemberFeatures{NodeId: m.GetId()}
		out.Members = append(out.Members, features)
		group.Go(func() error {
			s.askFeatures(ctx, features)
			return nil
		})
	}
	_ = group.Wait() // a node that does not answer is a finding, not an error
	for i, m := range out.Members {
		if reach := s.obstacle(out, m, known[i]); reach < out.CanRaiseTo {
			out.CanRaiseTo = max(level, reach)
		}
	}
	return out, nil
}

// obstacle returns the level that the member stands for, and notes why it is not more.
func (s *Server) obstacle(out *clusterpb.FeaturesResponse, m *clusterpb.MemberFeatures, known *clusterpb.Member) uint32 {
	note := func(format string, args ...any) { out.Obstacles = append(out.Obstacles, fmt.Sprintf(format, args...)) }
	switch supported := max(1, m.GetMaxLevel()); {
	case known.GetRole() == 0:
		note("node %s is in the Raft configuration but no member: finish its removal", m.GetNodeId())
		return 0
	case !m.GetReachable():
		note("node %s does not answer, so what its program supports is not known (%s)", m.GetNodeId(), m.GetProblem())
		return 0
	case supported < s.maxLevel:
		note("node %s runs %s, which supports level %d", m.GetNodeId(), firstNonEmpty(m.GetVersion(), "an older program"), supported)
		return supported
	default:
		return supported
	}
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (s *Server) askFeatures(ctx context.Context, m *clusterpb.MemberFeatures) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	var (
		status *clusterpb.StatusResponse
		err    error
	)
	if m.GetNodeId() == s.nodeID {
		status, err = s.statusHere()
	} else {
		for status, err = s.peers.Status(ctx, m.GetNodeId()); err != nil && pause.For(ctx, answerRetry) == nil; {
			status, err = s.peers.Status(ctx, m.GetNodeId())
		}
	}
	if err != nil {
		m.Problem = err.Error()
		return
	}
	m.Reachable, m.Version = true, status.GetVersion()
	m.MinLevel, m.MaxLevel = status.GetMinFeatureLevel(), status.GetMaxFeatureLevel()
}

// RaiseLevel raises the level of the cluster, for good.
func (s *adminService) RaiseLevel(ctx context.Context, req *clusterpb.RaiseLevelRequest) (*clusterpb.RaiseLevelResponse, error) {
	if err := checkReason(req.GetReason()); err != nil {
		return nil, err
	}
	if err := s.forwarder.Linearizable(ctx); err != nil { // who is a member must be the newest word
		return nil, err
	}
	found, err := s.features(ctx)
	if err != nil {
		return nil, err
	}
	to := req.GetLevel()
	if to == 0 {
		to = s.maxLevel
	}
	resp := &clusterpb.RaiseLevelResponse{FromLevel: found.GetLevel(), Level: to}
	switch {
	case to == found.GetLevel():
		return resp, nil
	case to < found.GetLevel():
		return nil, refuse(registry.CodeParameterRange, "level", fmt.Sprint(to), fmt.Sprintf("the cluster is at level %d, and a level never goes down", found.GetLevel()))
	case to > found.GetCanRaiseTo():
		return nil, refuse(registry.CodeFeatureLevel, "level", fmt.Sprint(to), "not every member supports it: "+whyNot(found, s.maxLevel))
	}
	var ids []string
	for _, m := range found.GetMembers() {
		ids = append(ids, m.GetNodeId())
	}
	result, err := s.forwarder.Propose(ctx, &fsmpb.Command{
		Actor: operator(ctx), Reason: req.GetReason(),
		Body: &fsmpb.Command_FeatureLevelRaise{FeatureLevelRaise: &fsmpb.FeatureLevelRaise{Level: to, NodeIds: ids}},
	})
	if err = errors.Join(err, ResultError(result)); err != nil {
		return nil, err
	}
	s.log.Info("feature level raised", "from", found.GetLevel(), "to", to, "operator", caller(ctx).Name)
	return resp, nil
}

func whyNot(found *clusterpb.FeaturesResponse, own uint32) string {
	if len(found.GetObstacles()) == 0 {
		return fmt.Sprintf("node %s's program supports %d", found.GetAnsweredBy(), own)
	}
	text := found.GetObstacles()[0]
	for _, more := range found.GetObstacles()[1:] {
		text += "; " + more
	}
	return text
}
