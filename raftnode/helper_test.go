package raftnode

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"go.uber.org/goleak"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTimeouts are short so that failovers are quick, and long enough for the race
// detector on a busy machine.
var testTimeouts = Timeouts{Heartbeat: 600 * time.Millisecond, Election: 600 * time.Millisecond, LeaderLease: 400 * time.Millisecond}

// patience is how long tests wait for something that must happen.
const patience = 40 * time.Second

// eventually waits until the condition returns no error.
func eventually(t *testing.T, what string, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen within %s: %v", what, patience, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// testCA issues node certificates of one cluster.
type testCA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newTestCA(t *testing.T) *testCA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	ca := &testCA{cert: cert, key: key, pool: x509.NewCertPool()}
	ca.pool.AddCert(cert)
	return ca
}

func (ca *testCA) issue(t *testing.T, nodeID string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: nodeID}, DNSNames: []string{nodeID},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// network cuts connections between nodes by refusing their handshakes.
type network struct {
	mu    sync.Mutex
	cut   map[[2]string]bool
	nodes map[string]*testNode
}

var errCut = errors.New("the test network is cut here")

func (w *network) check(from, to string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut[[2]string{from, to}] {
		return errCut
	}
	return nil
}

// partition cuts a from each of the others, in both directions, new and old connections.
func (w *network) partition(a string, others ...string) {
	w.mu.Lock()
	for _, b := range others {
		w.cut[[2]string{a, b}] = true
		w.cut[[2]string{b, a}] = true
	}
	var nodes []*testNode
	for _, id := range append(others, a) {
		nodes = append(nodes, w.nodes[id])
	}
	w.mu.Unlock()
	for _, n := range nodes {
		n.cutConnections()
	}
}

func (w *network) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.cut)
}

func (w *network) confirm(from, to string, term uint64) error {
	if err := w.check(from, to); err != nil {
		return err
	}
	w.mu.Lock()
	target := w.nodes[to]
	w.mu.Unlock()
	if target == nil {
		return errors.New("no such node")
	}
	target.mu.Lock()
	node := target.node
	target.mu.Unlock()
	if node == nil {
		return errors.New("the node is down")
	}
	return node.AnswerConfirmTerm(from, term)
}

// testNode is a node with its data, which may be started and stopped.
type testNode struct {
	id       string
	address  string
	dir      string
	ca       *testCA
	cert     tls.Certificate
	net      *network
	tune     func(*Config)
	fatal    chan error
	confirms atomic.Int64

	mu     sync.Mutex
	node   *Node
	store  *store.Store
	cancel context.CancelFunc
	done   chan error
}

type cluster struct {
	t     *testing.T
	ca    *testCA
	net   *network
	nodes map[string]*testNode
	tune  func(*Config)
}

func newCluster(t *testing.T, tune func(*Config)) *cluster {
	t.Helper()
	t.TempDir() // the folders of the nodes are removed after the nodes are stopped
	c := &cluster{t: t, ca: newTestCA(t), nodes: make(map[string]*testNode), tune: tune}
	c.net = &network{cut: make(map[[2]string]bool), nodes: make(map[string]*testNode)}
	t.Cleanup(func() {
		for _, n := range c.nodes {
			n.kill(t)
		}
	})
	return c
}

func (c *cluster) add(id string) *testNode {
	c.t.Helper()
	n := &testNode{id: id, address: "127.0.0.1:0", dir: c.t.TempDir(), ca: c.ca, cert: c.ca.issue(c.t, id), net: c.net, tune: c.tune, fatal: make(chan error, 1)}
	c.nodes[id] = n
	c.net.mu.Lock()
	c.net.nodes[id] = n
	c.net.mu.Unlock()
	return n
}

// voters makes a running cluster of voters n1, n2, … and returns it when n1 leads.
func (c *cluster) voters(count int) {
	c.t.Helper()
	first := c.add("n1")
	first.open(c.t)
	if err := first.node.Bootstrap(); err != nil {
		c.t.Fatal(err)
	}
	first.run(c.t)
	eventually(c.t, "the first node leads", func() error { return errUnless(first.node.IsLeader(), "not yet") })
	for i := 2; i <= count; i++ {
		n := c.add(fmt.Sprintf("n%d", i))
		n.start(c.t)
		if err := first.node.AddVoter(testContext(c.t), n.id, n.address); err != nil {
			c.t.Fatal(err)
		}
	}
}

// leader waits for a node that leads and is known as leader by a majority.
func (c *cluster) leader() *testNode {
	c.t.Helper()
	var found *testNode
	eventually(c.t, "an elected leader", func() error {
		for _, n := range c.nodes {
			if node := n.running(); node != nil && node.IsLeader() {
				if _, err := node.ReadIndex(testContext(c.t)); err == nil {
					found = n
					return nil
				}
			}
		}
		return errors.New("none yet")
	})
	return found
}

func errUnless(ok bool, reason string) error {
	if ok {
		return nil
	}
	return errors.New(reason)
}

func (n *testNode) config(st *store.Store) Config {
	id := n.id
	cfg := Config{
		NodeID: id, Dir: filepath.Join(n.dir, "raft"), BindAddress: n.address,
		ServerTLS: &tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{n.cert},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: n.ca.pool,
			VerifyConnection: func(s tls.ConnectionState) error {
				return n.net.check(s.PeerCertificates[0].Subject.CommonName, id)
			},
		},
		ClientTLS: func(peer string) *tls.Config {
			return &tls.Config{
				MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{n.cert}, RootCAs: n.ca.pool, ServerName: peer,
				VerifyConnection: func(tls.ConnectionState) error { return n.net.check(id, peer) },
			}
		},
		ConfirmTerm: func(_ context.Context, nodeID string, term uint64) error {
			n.confirms.Add(1)
			return n.net.confirm(id, nodeID, term)
		},
		Store: st, Machine: fsm.New(st), Timeouts: testTimeouts, Logger: testLogger(id),
		Fatal: func(err error) { n.fatal <- err },
	}
	if n.tune != nil {
		n.tune(&cfg)
	}
	return cfg
}

func testLogger(id string) *slog.Logger {
	if os.Getenv("RAFTNODE_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", id)
}

func (n *testNode) open(t *testing.T) {
	t.Helper()
	st, err := store.Open(filepath.Join(n.dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	node, err := Open(n.config(st))
	if err != nil {
		t.Fatal(errors.Join(err, st.Close()))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.node, n.store, n.address = node, st, node.Address()
}

func (n *testNode) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	node := n.node
	go func() { done <- node.Run(ctx) }()
	n.mu.Lock()
	n.cancel, n.done = cancel, done
	n.mu.Unlock()
	eventually(t, "node "+n.id+" runs", func() error { _, err := node.running(); return err })
}

func (n *testNode) start(t *testing.T) {
	t.Helper()
	n.open(t)
	n.run(t)
}

func (n *testNode) running() *Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.node
}

// stop stops the node in order and returns what Run returned.
func (n *testNode) stop(t *testing.T) error {
	t.Helper()
	n.mu.Lock()
	node, cancel, done := n.node, n.cancel, n.done
	n.node = nil
	n.mu.Unlock()
	if node == nil {
		return nil
	}
	cancel()
	var err error
	select {
	case err = <-done:
	case <-time.After(patience):
		t.Errorf("node %s did not stop", n.id)
	}
	if closeErr := n.store.Close(); closeErr != nil {
		t.Errorf("close the store of %s: %v", n.id, closeErr)
	}
	return err
}

var errKilled = errors.New("killed by the test")

// kill ends the node without any politeness, as a fatal error does.
func (n *testNode) kill(t *testing.T) {
	t.Helper()
	n.mu.Lock()
	node := n.node
	n.mu.Unlock()
	if node == nil {
		return
	}
	node.fail(errKilled)
	if err := n.stop(t); err == nil {
		t.Errorf("node %s was killed but Run returned no error", n.id)
	}
	if err := <-n.fatal; !errors.Is(err, errKilled) {
		t.Errorf("node %s failed with %v, not because it was killed", n.id, err)
	}
}

func (n *testNode) cutConnections() {
	n.mu.Lock()
	node := n.node
	n.mu.Unlock()
	if node == nil {
		return
	}
	node.stream.mu.Lock()
	var conns []*trackedConn
	for c := range node.stream.conns {
		conns = append(conns, c)
	}
	node.stream.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}

func (n *testNode) stateHash(t *testing.T) (index uint64, hash string) {
	t.Helper()
	err := n.store.View(func(tx *store.ReadTx) error {
		index, _ = tx.Applied()
		hash = fmt.Sprintf("%x", tx.StateHash())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return index, hash
}

func (n *testNode) hasRegistrar(t *testing.T, id string) bool {
	t.Helper()
	var found bool
	err := n.store.View(func(tx *store.ReadTx) error {
		_, found = tx.Registrar(registry.RegistrarID(id))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Commands.

func clusterInit() *fsmpb.Command {
	return &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "bootstrap"},
		Body: &fsmpb.Command_ClusterInit{ClusterInit: &fsmpb.ClusterInit{
			ClusterId: "test-cluster", ClockMode: uint32(registry.ClockSystem),
			FirstNode: &fsmpb.Node{Id: "n1", Role: uint32(registry.RoleVoter)},
		}},
	}
}

func tick() *fsmpb.Command {
	return &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "ticker"},
		Body:  &fsmpb.Command_Tick{Tick: &fsmpb.Tick{}},
	}
}

func registrarCreate(number int) *fsmpb.Command {
	return &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"},
		Body: &fsmpb.Command_RegistrarCreate{RegistrarCreate: &fsmpb.RegistrarCreate{
			Id: registrarID(number), Name: "Registrar", Email: "info@example.net", Currency: "EUR",
			Roid: fmt.Sprintf("R%08d", number), OpeningDepositMinor: 1000,
		}},
	}
}

func registrarID(number int) string { return fmt.Sprintf("reg-%d", number) }

func tldPut(name string) *fsmpb.Command {
	return &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"},
		Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: name, Roid: "T00000001", Policy: &fsmpb.TLDPolicy{
			RoidSuffix: "EX", Currency: "EUR", MinPeriodYears: 1, MaxPeriodYears: 10, MaxNameServers: 13,
			ApexServers: []*fsmpb.ApexServer{{Name: "ns.example.net"}},
			SoaMname:    "ns.example.net", SoaRname: "hostmaster.example.net",
			SoaRefreshSeconds: 1800, SoaRetrySeconds: 900, SoaExpireSeconds: 604800, SoaMinimumSeconds: 900,
			ApexTtlSeconds: 3600, DelegationTtlSeconds: 3600,
		}}},
	}
}

// propose expects the command to be done.
func (n *testNode) propose(t *testing.T, command *fsmpb.Command) *fsmpb.Result {
	t.Helper()
	result, err := n.node.Propose(testContext(t), command)
	if err != nil {
		t.Fatalf("propose: %v", err)
	}
	if registry.Code(result.GetCode()) != registry.CodeOK {
		t.Fatalf("result %v", result)
	}
	return result
}

// register creates registrars of the given numbers on whoever leads.
func (c *cluster) register(from, to int) {
	c.t.Helper()
	leader := c.leader()
	for i := from; i < to; i++ {
		leader.propose(c.t, registrarCreate(i))
	}
}

// agree waits until the nodes named have one and the same state.
func (c *cluster) agree(ids ...string) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("nodes %v agree", ids), func() error {
		wantIndex, wantHash := c.nodes[ids[0]].stateHash(c.t)
		for _, id := range ids[1:] {
			if index, hash := c.nodes[id].stateHash(c.t); index != wantIndex || hash != wantHash {
				return fmt.Errorf("%s is at %d, %s at %d", ids[0], wantIndex, id, index)
			}
		}
		return nil
	})
}

// snapshot makes the node flush and truncate now.
func (n *testNode) snapshot(t *testing.T) {
	t.Helper()
	if err := n.node.raft.Load().Snapshot().Error(); err != nil {
		t.Fatalf("snapshot: %v", err)
	}
}

var _ raft.FSM = (*stateAdapter)(nil)
