package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
	"cadastre/store"
)

const (
	// maxConnections bounds the port: one connection for each node and some operators.
	maxConnections = 512
	// maxConcurrentStreams bounds the calls of one connection. A node forwards one call for
	// each EPP command under way; the others queue in that node.
	maxConcurrentStreams = 2048
	// handshakeTimeout bounds what an unauthenticated caller can hold.
	handshakeTimeout = 5 * time.Second
	// minClientPing is how often a client may probe; Dial does it every keepaliveTime.
	minClientPing = keepaliveTime / 2
	// drainTimeout bounds how long a stopping server waits for calls under way.
	drainTimeout = 5 * time.Second
	// memberRecheckTimeout bounds the wait for the newest state before a node that the
	// local state does not know is refused.
	memberRecheckTimeout = time.Second
)

// ServerConfig says what a Server works with; everything but Hints is required.
type ServerConfig struct {
	NodeID      string
	Credentials *Credentials
	Raft        Raft
	Store       *store.Store
	Forwarder   *Forwarder
	Peers       *Peers
	// Hints returns what gossip knows; nil without gossip.
	Hints func() []Hint
	// Removed is called, at most a few times, when this node was removed from the cluster.
	// It must return soon; the node then stops serving.
	Removed func(reason string)
	Log     *slog.Logger
	// Gossip holds this node's gossip keys; nil without gossip.
	Gossip *Gossip
	// Version is the program's, for people.
	Version string
	// Secondaries returns what the node's name server knows of its secondaries; nil without one.
	Secondaries func() []*clusterpb.ZoneSecondary
	// MaxFeatureLevel is the highest that the program supports; 0 means that of registry.
	MaxFeatureLevel uint32
	// Seed says how this node gives its state to others; without a Holder it does not.
	Seed SeedConfig
	// Custodian keeps private keys of zones; nil: none are kept.
	Custodian *KeyCustodian
}

// Server offers the Peer and Admin services of one node.
type Server struct {
	nodeID    string
	creds     *Credentials
	raft      Raft
	store     *store.Store
	forwarder *Forwarder
	peers     *Peers
	hints     func() []Hint
	onRemoved func(reason string)
	log       *slog.Logger
	gossip    *Gossip
	version   string
	maxLevel  uint32
	gate      *gatekeeper
	calls     *callStats
	requested *requestedKey
	custodian *KeyCustodian
	seeds     *seeder
	// checkpoints holds a place for each checkpoint being sent, zoneExports for each zone.
	checkpoints, zoneExports chan struct{}

	secondaries func() []*clusterpb.ZoneSecondary
	// removalCheck and leaderless are the times of watchRemoval.
	removalCheck, leaderless time.Duration
}

// NewServer returns a server that does not serve yet.
func NewServer(cfg ServerConfig) *Server {
	s := &Server{
		nodeID: cfg.NodeID, creds: cfg.Credentials, raft: cfg.Raft, store: cfg.Store,
		forwarder: cfg.Forwarder, peers: cfg.Peers, hints: cfg.Hints, onRemoved: cfg.Removed,
		log: cfg.Log, gossip: cfg.Gossip, version: cfg.Version, maxLevel: cfg.MaxFeatureLevel, requested: &requestedKey{}, checkpoints: make(chan struct{}, maxCheckpoints), seeds: newSeeder(cfg.Seed),
		zoneExports: make(chan struct{}, maxZoneExports), secondaries: cfg.Secondaries,
		removalCheck: removalCheckInterval, leaderless: leaderlessBeforeAsking,
	}
	if s.custodian = cfg.Custodian; s.custodian == nil {
		s.custodian = NewKeyCustodian(KeyCustodianConfig{NodeID: cfg.NodeID, Store: cfg.Store, Peers: cfg.Peers, Log: cfg.Log})
	}
	if s.maxLevel == 0 {
		s.maxLevel = registry.MaxFeatureLevel
	}
	if s.hints == nil {
		s.hints = func() []Hint { return nil }
	}
	s.gate = &gatekeeper{clusterID: cfg.Credentials.ClusterID(), methods: methodAccess(), isMember: s.isMember, isRevoked: s.isRevoked}
	s.calls = newCallStats(s.gate.methods)
	return s
}

// Serve answers calls on the listener until ctx ends, then drains for a few seconds. It
// also watches whether this node is still a member.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := s.newGRPC()
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := server.Serve(netutil.LimitListener(listener, maxConnections))
		if err != nil && !errors.Is(err, grpc.ErrServerStopped) { // stopped before it began
			return fmt.Errorf("serve gRPC on %s: %w", listener.Addr(), err)
		}
		return nil
	})
	group.Go(func() error {
		<-groupCtx.Done()
		hard := time.AfterFunc(drainTimeout, server.Stop)
		defer hard.Stop()
		server.GracefulStop()
		return nil
	})
	group.Go(func() error {
		s.watchRemoval(groupCtx)
		return nil
	})
	return group.Wait()
}

// newGRPC registers the services; there is no reflection and no health service.
func (s *Server) newGRPC() *grpc.Server {
	server := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(s.creds.PeerServerTLS(AdmitKinds(KindNode, KindOperator)))),
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.MaxConcurrentStreams(maxConcurrentStreams),
		grpc.MaxRecvMsgSize(maxMessageBytes),
		grpc.MaxSendMsgSize(maxMessageBytes),
		grpc.MaxHeaderListSize(maxHeaderListBytes),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minClientPing, PermitWithoutStream: true}),
		grpc.WaitForHandlers(true),
		grpc.UnaryInterceptor(s.unary),
		grpc.StreamInterceptor(s.stream),
	)
	clusterpb.RegisterPeerServer(server, &peerService{Server: s})
	clusterpb.RegisterAdminServer(server, &adminService{Server: s})
	return server
}

func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	began := time.Now()
	defer func() { s.calls.note(info.FullMethod, status.Code(err), began) }()
	ctx, err = s.gate.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, s.fail(info.FullMethod, err)
	}
	resp, err = handler(ctx, req)
	if err != nil {
		return nil, s.fail(info.FullMethod, err)
	}
	return resp, nil
}

func (s *Server) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	began := time.Now()
	defer func() { s.calls.note(info.FullMethod, status.Code(err), began) }()
	ctx, err := s.gate.admit(ss.Context(), info.FullMethod)
	if err != nil {
		return s.fail(info.FullMethod, err)
	}
	return s.fail(info.FullMethod, handler(srv, &admittedStream{ServerStream: ss, ctx: ctx}))
}

// fail logs what the caller is not told.
func (s *Server) fail(method string, err error) error {
	wire := StatusFromError(err)
	if status.Code(wire) == codes.Internal {
		s.log.Error("call failed", "method", method, "error", err)
	}
	return wire
}

// isMember looks into the local state and, if the node is not there, into the newest one:
// a node may have joined a moment ago.
func (s *Server) isMember(ctx context.Context, nodeID string) (bool, error) {
	known, err := s.knowsNode(nodeID)
	if known || err != nil {
		return known, err
	}
	ctx, cancel := context.WithTimeout(ctx, memberRecheckTimeout)
	defer cancel()
	if err := s.forwarder.Linearizable(ctx); err != nil {
		return false, &registry.Error{Code: registry.CodeUnavailable, Field: "node", Value: nodeID,
			Reason: "whether the node is a member cannot be told without a leader", Err: err}
	}
	return s.knowsNode(nodeID)
}

func (s *Server) knowsNode(nodeID string) (known bool, err error) {
	err = s.store.View(func(tx *store.ReadTx) error {
		_, known = tx.Node(nodeID)
		return nil
	})
	return known, err
}

// StateAddresses returns an address lookup for NewPeers: the state's word, else gossip's.
// hints may be nil.
func StateAddresses(st *store.Store, hints func() []Hint) func(nodeID string) (string, bool) {
	return func(nodeID string) (string, bool) {
		var address string
		err := st.View(func(tx *store.ReadTx) error {
			if node, ok := tx.Node(nodeID); ok {
				address = node.GRPCAddress
			}
			return nil
		})
		if err == nil && address != "" {
			return address, true
		}
		if hints == nil {
			return "", false
		}
		for _, h := range hints() {
			if h.NodeID == nodeID && h.GRPCAddress != "" {
				return h.GRPCAddress, true
			}
		}
		return "", false
	}
}

func checkHostPort(field, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return &registry.Error{Code: registry.CodeParameterSyntax, Field: field, Value: address,
			Reason: "want host:port", Err: err}
	}
	return nil
}
