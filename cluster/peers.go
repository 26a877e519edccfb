package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"cadastre/cluster/clusterpb"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

const (
	// maxPeerConns bounds the cache of connections, one for each other node. A cluster of
	// more nodes still works, with the least recently used connection closed.
	maxPeerConns = 256
	// dialTimeout bounds TCP and TLS: several round trips around the world.
	dialTimeout = time.Second
	// maxMessageBytes is above the largest legal command and result; what streams stays far
	// below it.
	maxMessageBytes = 1 << 20
	// maxHeaderListBytes bounds the metadata of a call; there is next to none.
	maxHeaderListBytes = 16 << 10
	// A silent connection is probed after keepaliveTime and given up keepaliveTimeout later;
	// gRPC does not allow a client to probe more often than every 10 s.
	keepaliveTime    = 10 * time.Second
	keepaliveTimeout = 3 * time.Second
)

// notConnectedError says that a call was not sent, so nothing was done.
type notConnectedError struct {
	nodeID  string
	address string
	reason  string
}

func (e *notConnectedError) Error() string {
	return fmt.Sprintf("connect to node %q at %q: %s", e.nodeID, e.address, e.reason)
}

// Peers calls the other nodes of the cluster. It keeps one connection to each.
type Peers struct {
	creds   *Credentials
	address func(nodeID string) (string, bool)

	mu     sync.Mutex
	conns  map[string]*peerConn
	closed bool
}

type peerConn struct {
	conn    *grpc.ClientConn
	address string
	usedAt  time.Time
}

// NewPeers returns the clients of the other nodes. address finds a node's gRPC address; it
// is asked whenever a new connection is needed.
func NewPeers(creds *Credentials, address func(nodeID string) (string, bool)) *Peers {
	return &Peers{creds: creds, address: address, conns: map[string]*peerConn{}}
}

// Close closes all connections; calls under way fail.
func (p *Peers) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for id, c := range p.conns {
		errs = append(errs, c.conn.Close())
		delete(p.conns, id)
	}
	return errors.Join(errs...)
}

// Dial returns a lazy connection to the node of the id, or to any node of the cluster if
// it is empty, for the Peer service (node credentials) or the Admin service (operator's).
func Dial(creds *Credentials, nodeID, address string) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(credentials.NewTLS(creds.PeerClientTLS(nodeID))),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", addr)
		}),
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: dialTimeout,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes), grpc.MaxCallSendMsgSize(maxMessageBytes)),
		grpc.WithMaxHeaderListSize(maxHeaderListBytes),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
	)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	return conn, nil
}

// client returns a client over a connection that is up, or a *notConnectedError.
func (p *Peers) client(ctx context.Context, nodeID string) (clusterpb.PeerClient, error) {
	c, err := p.cached(nodeID)
	if err != nil {
		return nil, err
	}
	if err := awaitReady(ctx, c.conn); err != nil {
		// The address may have changed, and gRPC's own back-off must not outlast an election.
		p.drop(nodeID, c)
		return nil, &notConnectedError{nodeID: nodeID, address: c.address, reason: err.Error()}
	}
	return clusterpb.NewPeerClient(c.conn), nil
}

func (p *Peers) cached(nodeID string) (*peerConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errStopping()
	}
	if c, ok := p.conns[nodeID]; ok {
		c.usedAt = time.Now()
		return c, nil
	}
	address, ok := p.address(nodeID)
	if !ok || address == "" {
		return nil, &notConnectedError{nodeID: nodeID, reason: "its address is not known here"}
	}
	conn, err := Dial(p.creds, nodeID, address)
	if err != nil {
		return nil, &notConnectedError{nodeID: nodeID, address: address, reason: err.Error()}
	}
	p.makeRoom()
	c := &peerConn{conn: conn, address: address, usedAt: time.Now()}
	p.conns[nodeID] = c
	return c, nil
}

// makeRoom closes the least recently used connection if the cache is full. It runs under mu.
func (p *Peers) makeRoom() {
	if len(p.conns) < maxPeerConns {
		return
	}
	oldestID := ""
	for id, c := range p.conns {
		if oldestID == "" || c.usedAt.Before(p.conns[oldestID].usedAt) {
			oldestID = id
		}
	}
	_ = p.conns[oldestID].conn.Close() // only ever reports that it is closed already
	delete(p.conns, oldestID)
}

func (p *Peers) drop(nodeID string, c *peerConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns[nodeID] == c {
		delete(p.conns, nodeID)
		_ = c.conn.Close() // only ever reports that it is closed already
	}
}

// awaitReady waits up to dialTimeout for the connection. Waiting apart from the call tells
// "not sent" from "sent, and then lost".
func awaitReady(ctx context.Context, conn *grpc.ClientConn) error {
	if conn.GetState() == connectivity.Ready {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	for {
		state := conn.GetState()
		switch state {
		case connectivity.Ready:
			return nil
		case connectivity.TransientFailure, connectivity.Shutdown:
			return fmt.Errorf("the connection is in state %s", state)
		case connectivity.Idle:
			conn.Connect()
		}
		if !conn.WaitForStateChange(ctx, state) {
			return ctx.Err()
		}
	}
}

// Propose asks node nodeID, the leader, to commit commands, and returns an outcome for each.
func (p *Peers) Propose(ctx context.Context, nodeID string, commands []*fsmpb.Command) ([]outcomeOf, error) {
	client, err := p.client(ctx, nodeID)
	if err != nil {
		return nil, err
	}
	resp, err := client.Propose(ctx, &clusterpb.ProposeRequest{Commands: commands})
	if err != nil {
		return nil, ErrorFromStatus(err)
	}
	if len(resp.GetOutcomes()) != len(commands) {
		return nil, &registry.Error{Code: registry.CodeOutcomeUnknown,
			Reason: fmt.Sprintf("node %q answered %d of %d commands", nodeID, len(resp.GetOutcomes()), len(commands))}
	}
	outcomes := make([]outcomeOf, len(commands))
	for i, o := range resp.GetOutcomes() {
		outcomes[i] = outcomeFromProto(o)
	}
	return outcomes, nil
}

// ReadIndex asks node nodeID, the leader, for a read index.
func (p *Peers) ReadIndex(ctx context.Context, nodeID string) (uint64, error) {
	client, err := p.client(ctx, nodeID)
	if err != nil {
		return 0, err
	}
	resp, err := client.ReadIndex(ctx, &clusterpb.ReadIndexRequest{})
	if err != nil {
		return 0, ErrorFromStatus(err)
	}
	return resp.Index, nil
}

// ConfirmTerm asks node nodeID, a voter, whether it follows leaderID in the term; nil means
// that it does.
func (p *Peers) ConfirmTerm(ctx context.Context, nodeID, leaderID string, term uint64) error {
	client, err := p.client(ctx, nodeID)
	if err != nil {
		return err
	}
	_, err = client.ConfirmTerm(ctx, &clusterpb.ConfirmTermRequest{LeaderId: leaderID, Term: term})
	return ErrorFromStatus(err)
}

// Status asks node nodeID how far it is.
func (p *Peers) Status(ctx context.Context, nodeID string) (*clusterpb.StatusResponse, error) {
	client, err := p.client(ctx, nodeID)
	if err != nil {
		return nil, err
	}
	resp, err := client.Status(ctx, &clusterpb.StatusRequest{})
	return resp, ErrorFromStatus(err)
}

// addMember, removeMember and transferLeader are the calls by the same names of the Peer
// service.

func (p *Peers) addMember(ctx context.Context, leaderID, nodeID string) error {
	client, err := p.client(ctx, leaderID)
	if err != nil {
		return err
	}
	_, err = client.AddMember(ctx, &clusterpb.AddMemberRequest{NodeId: nodeID})
	return ErrorFromStatus(err)
}

func (p *Peers) removeMember(ctx context.Context, leaderID string, req *clusterpb.RemoveMemberRequest) (*clusterpb.RemoveMemberResponse, error) {
	client, err := p.client(ctx, leaderID)
	if err != nil {
		return nil, err
	}
	resp, err := client.RemoveMember(ctx, req)
	return resp, ErrorFromStatus(err)
}

func (p *Peers) transferLeader(ctx context.Context, leaderID, toID string) error {
	client, err := p.client(ctx, leaderID)
	if err != nil {
		return err
	}
	_, err = client.TransferLeader(ctx, &clusterpb.TransferLeaderRequest{ToNodeId: toID})
	return ErrorFromStatus(err)
}

func (p *Peers) changeRole(ctx context.Context, leaderID string, req *clusterpb.ChangeRoleRequest) (*clusterpb.ChangeRoleResponse, error) {
	client, err := p.client(ctx, leaderID)
	if err != nil {
		return nil, err
	}
	resp, err := client.ChangeRole(ctx, req)
	return resp, ErrorFromStatus(err)
}

func (p *Peers) announce(ctx context.Context, leaderID string, req *clusterpb.AnnounceRequest) error {
	client, err := p.client(ctx, leaderID)
	if err != nil {
		return err
	}
	_, err = client.Announce(ctx, req)
	return ErrorFromStatus(err)
}

func (p *Peers) changeGossipKey(ctx context.Context, nodeID string, req *clusterpb.ChangeGossipKeyRequest) (*clusterpb.ChangeGossipKeyResponse, error) {
	client, err := p.client(ctx, nodeID)
	if err != nil {
		return nil, err
	}
	resp, err := client.ChangeGossipKey(ctx, req)
	return resp, ErrorFromStatus(err)
}

func (p *Peers) gossipKeys(ctx context.Context, nodeID string) ([][]byte, error) {
	client, err := p.client(ctx, nodeID)
	if err != nil {
		return nil, err
	}
	resp, err := client.GossipKeys(ctx, &clusterpb.GossipKeysRequest{})
	return resp.GetKeys(), ErrorFromStatus(err)
}
