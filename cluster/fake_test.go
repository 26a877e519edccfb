package cluster

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

// fakeGroup stands for consensus: one leader, and commands counted by request id.
type fakeGroup struct {
	mu       sync.Mutex
	leader   string // "" for none
	applied  map[string]int
	index    uint64
	loseNext int // so many proposals are applied but answered with "outcome unknown"
	busyNext int // so many proposals are not applied and answered with "unavailable"
	reads    int // read-index calls answered
	// overloaded proposals are not applied and answered so, however often they come.
	overloaded int
	last       *fsmpb.Command // the latest proposed
}

func (g *fakeGroup) setLeader(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leader = id
}

// fakeRaft is one node's view of the group.
type fakeRaft struct {
	group      *fakeGroup
	id         string
	checkpoint []byte
	// hang, if not nil, makes every call wait until it is closed or the caller gives up.
	hang    chan struct{}
	servers []raftnode.Server
	level   error // of CheckLevel
	blind   bool  // knows no leader; guarded by group.mu
}

func (r *fakeRaft) wait(ctx context.Context) error {
	if r.hang == nil {
		return nil
	}
	select {
	case <-r.hang:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *fakeRaft) Submit(command *fsmpb.Command) func(context.Context) (*fsmpb.Result, error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan outcomeOf, 1)
	go func() {
		result, err := r.Propose(ctx, command)
		done <- outcomeOf{result: result, err: err}
	}()
	return func(waiting context.Context) (*fsmpb.Result, error) {
		defer cancel()
		defer context.AfterFunc(waiting, cancel)()
		o := <-done
		return o.result, o.err
	}
}

func (r *fakeRaft) Propose(ctx context.Context, command *fsmpb.Command) (*fsmpb.Result, error) {
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	r.group.mu.Lock()
	defer r.group.mu.Unlock()
	if r.group.leader != r.id {
		return nil, &raftnode.NotLeaderError{LeaderID: r.group.leader}
	}
	if r.group.busyNext > 0 {
		r.group.busyNext--
		return nil, &registry.Error{Code: registry.CodeUnavailable, Reason: "busy"}
	}
	if r.group.overloaded > 0 && r.group.loseNext == 0 {
		r.group.overloaded--
		return nil, &registry.Error{Code: registry.CodeOverloaded, Reason: "full"}
	}
	key := fmt.Sprint(command.RequestId.OriginNode, "/", command.RequestId.BootEpoch, "/", command.RequestId.Counter)
	r.group.applied[key]++
	r.group.last = command
	r.group.index++
	if r.group.loseNext > 0 {
		r.group.loseNext--
		return nil, &registry.Error{Code: registry.CodeOutcomeUnknown, Reason: "leadership lost"}
	}
	return &fsmpb.Result{Index: r.group.index}, nil
}

func (r *fakeRaft) ReadIndex(ctx context.Context) (uint64, error) {
	if err := r.wait(ctx); err != nil {
		return 0, err
	}
	r.group.mu.Lock()
	defer r.group.mu.Unlock()
	if r.group.leader != r.id {
		return 0, &raftnode.NotLeaderError{LeaderID: r.group.leader}
	}
	r.group.reads++
	return r.group.index, nil
}

func (r *fakeRaft) setBlind() {
	r.group.mu.Lock()
	defer r.group.mu.Unlock()
	r.blind = true
}

func (r *fakeRaft) Leader() (id, address string) {
	r.group.mu.Lock()
	defer r.group.mu.Unlock()
	if r.blind {
		return "", ""
	}
	return r.group.leader, ""
}

func (r *fakeRaft) IsLeader() bool {
	id, _ := r.Leader()
	return id == r.id
}

func (r *fakeRaft) CheckLevel(*fsmpb.Command) error                       { return r.level }
func (r *fakeRaft) WaitApplied(context.Context, uint64) error             { return nil }
func (r *fakeRaft) AnswerConfirmTerm(string, uint64) error                { return nil }
func (r *fakeRaft) Servers() ([]raftnode.Server, error)                   { return r.servers, nil }
func (r *fakeRaft) AddNonvoter(context.Context, string, string) error     { return nil }
func (r *fakeRaft) AddVoter(context.Context, string, string) error        { return nil }
func (r *fakeRaft) DemoteVoter(context.Context, string) error             { return nil }
func (r *fakeRaft) RemoveServer(context.Context, string) error            { return nil }
func (r *fakeRaft) TransferLeadership(_ context.Context, to string) error { return nil }

func (r *fakeRaft) WriteCheckpoint(_ context.Context, w io.Writer) (uint64, error) {
	for rest := r.checkpoint; len(rest) > 0; {
		n := min(len(rest), 10_007)
		if _, err := w.Write(rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return 7, nil
}

// testNode is one node with real TLS, gRPC and store around a fake or real Raft node.
type testNode struct {
	id        string
	creds     *Credentials
	store     *store.Store
	peers     *Peers
	forwarder *Forwarder
	server    *Server
	address   string
	removed   chan string
	stop      func() // stops serving; the Raft node is apart
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func openStore(t *testing.T, dir string) *store.Store {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return st
}

// startNode serves a node on the listener.
func startNode(t *testing.T, creds *Credentials, st *store.Store, raft Raft, peers *Peers, l net.Listener) *testNode {
	t.Helper()
	n := &testNode{id: creds.Identity().Name, creds: creds, store: st, peers: peers, address: l.Addr().String(), removed: make(chan string, 8)}
	n.forwarder = NewForwarder(ForwarderConfig{NodeID: n.id, BootEpoch: uint64(time.Now().UnixNano()), Raft: raft, Peers: peers, Hold: 10 * time.Second})
	n.server = NewServer(ServerConfig{
		NodeID: n.id, Credentials: creds, Raft: raft, Store: st, Forwarder: n.forwarder, Peers: peers,
		Removed: func(reason string) { n.removed <- reason }, Log: testLog(t),
	})
	stopForwarder := background(t, "forwarder of "+n.id, n.forwarder.Run)
	stopServer := background(t, "server of "+n.id, func(ctx context.Context) error { return n.server.Serve(ctx, l) })
	n.stop = func() {
		if err := peers.Close(); err != nil {
			t.Errorf("close peers: %v", err)
		}
		stopServer()
		stopForwarder()
	}
	t.Cleanup(n.stop)
	return n
}

// fakeCluster is nodes of one CA around a fakeGroup; every state knows every node.
type fakeCluster struct {
	ca    *CA
	group *fakeGroup
	nodes map[string]*testNode
	rafts map[string]*fakeRaft
}

func startFakeCluster(t *testing.T, leader string, ids ...string) *fakeCluster {
	t.Helper()
	c := &fakeCluster{
		ca: newCA(t), nodes: map[string]*testNode{}, rafts: map[string]*fakeRaft{},
		group: &fakeGroup{leader: leader, applied: map[string]int{}},
	}
	listeners := map[string]net.Listener{}
	var servers []raftnode.Server
	for _, id := range ids {
		listeners[id] = listen(t)
		servers = append(servers, raftnode.Server{ID: id, Address: "127.0.0.1:1", Suffrage: raftnode.Voter})
	}
	for _, id := range ids {
		st := openStore(t, filepath.Join(t.TempDir(), id))
		err := st.Update(func(tx *store.Tx) error {
			tx.SetClusterID(c.ca.ClusterID())
			for _, other := range ids {
				tx.PutNode(&registry.Node{ID: other, Role: registry.RoleVoter, RaftAddress: "127.0.0.1:1",
					GRPCAddress: listeners[other].Addr().String()})
			}
			tx.Keep()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		creds := credentialsOf(t, c.ca, KindNode, id)
		c.rafts[id] = &fakeRaft{group: c.group, id: id, servers: servers}
		c.nodes[id] = startNode(t, creds, st, c.rafts[id], NewPeers(creds, StateAddresses(st, nil)), listeners[id])
	}
	return c
}
