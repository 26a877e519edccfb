package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/raftnode"
	"cadastre/registry"
	"cadastre/store"
)

// childEnv makes the test binary run one node; its value is a childSettings in JSON.
const childEnv = "CADASTRE_CLUSTER_TEST_NODE"

// exitRemoved is how a child ends that was told of its removal.
const exitRemoved = 7

type childSettings struct {
	ID, Dir, Certificates, Raft, GRPC string
	Bootstrap                         bool
	RetainBytes                       uint64
}

func (c childSettings) storeDir() string { return filepath.Join(c.Dir, "store") }
func (c childSettings) raftDir() string  { return filepath.Join(c.Dir, "raft") }

// errRemoved is the cause with which a removed child stops.
var errRemoved = errors.New("this node was removed")

func runChild(settings string) int {
	var cfg childSettings
	err := json.Unmarshal([]byte(settings), &cfg)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		err = runNode(ctx, cfg)
	}
	switch {
	case errors.Is(err, errRemoved):
		fmt.Fprintln(os.Stderr, err)
		return exitRemoved
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// runNode wires a node as cmd/cadastre does, without the edges.
func runNode(ctx context.Context, cfg childSettings) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	creds, err := LoadCredentials(PathsIn(cfg.Certificates, cfg.ID), log)
	if err != nil {
		return err
	}
	st, err := store.Open(cfg.storeDir())
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	if err := os.MkdirAll(cfg.raftDir(), 0o700); err != nil {
		return err
	}
	peers := NewPeers(creds, StateAddresses(st, nil))
	fetcher := NewFetcher(FetcherConfig{NodeID: cfg.ID, ClusterID: creds.ClusterID(), Peers: peers, Store: st, Log: log})
	node, err := raftnode.Open(raftnode.Config{
		NodeID: cfg.ID, Dir: cfg.raftDir(), BindAddress: cfg.Raft,
		ServerTLS: creds.PeerServerTLS(AdmitKinds(KindNode)), ClientTLS: creds.PeerClientTLS,
		ConfirmTerm: func(ctx context.Context, nodeID string, term uint64) error {
			return peers.ConfirmTerm(ctx, nodeID, cfg.ID, term)
		},
		Fetch: fetcher.Fetch, RetainBytes: cfg.RetainBytes,
		Store: st, Machine: fsm.New(st), Logger: log, Fatal: func(err error) { cancel(err) },
		Timeouts: raftnode.Timeouts{Heartbeat: 300 * time.Millisecond, Election: 300 * time.Millisecond, LeaderLease: 150 * time.Millisecond},
	})
	if err != nil {
		return err
	}
	has, err := node.HasState()
	if err != nil {
		return err
	}
	isNew := cfg.Bootstrap && !has
	if isNew {
		if err := node.Bootstrap(); err != nil {
			return err
		}
	}
	forwarder := NewForwarder(ForwarderConfig{NodeID: cfg.ID, BootEpoch: uint64(time.Now().UnixNano()), Raft: node, Peers: peers})
	server := NewServer(ServerConfig{
		NodeID: cfg.ID, Credentials: creds, Raft: node, Store: st, Forwarder: forwarder, Peers: peers, Log: log,
		Removed: func(string) { cancel(errRemoved) }, Seed: SeedConfig{Holder: node},
	})
	autopilot := NewAutopilot(AutopilotConfig{NodeID: cfg.ID, Raft: node, Store: st, Peers: peers, Log: log,
		StableFor: 500 * time.Millisecond, Interval: 100 * time.Millisecond})
	listener, err := net.Listen("tcp", cfg.GRPC)
	if err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return node.Run(groupCtx) })
	group.Go(func() error { return forwarder.Run(groupCtx) })
	group.Go(func() error { return server.Serve(groupCtx, listener) })
	group.Go(func() error { return autopilot.Run(groupCtx) })
	group.Go(func() error { return tellFirstIndex(groupCtx, cfg, node) })
	if isNew {
		group.Go(func() error { return initCluster(groupCtx, cfg, creds.ClusterID(), forwarder) })
	}
	err = errors.Join(group.Wait(), peers.Close())
	if cause := context.Cause(ctx); errors.Is(cause, errRemoved) {
		return cause
	}
	return err
}

// tellFirstIndex writes the first index of the log into a file whenever it changes. Asking for
// it over the network holds the log, so that it would not be cut.
func tellFirstIndex(ctx context.Context, cfg childSettings, node *raftnode.Node) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	var told uint64
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		status, err := node.Log()
		if err != nil || status.FirstIndex == told {
			continue // it does not run yet, or not any more
		}
		told = status.FirstIndex
		path := filepath.Join(cfg.Dir, firstIndexFile)
		if err := errors.Join(os.WriteFile(path+".new", []byte(strconv.FormatUint(told, 10)), 0o600), os.Rename(path+".new", path)); err != nil {
			return err
		}
	}
}

// firstIndexFile is what tellFirstIndex writes.
const firstIndexFile = "first-index"

// firstIndex is the first index of the log, as the process last told.
func (c *child) firstIndex(t *testing.T) uint64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.Dir, firstIndexFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	index, parseErr := strconv.ParseUint(string(text), 10, 64)
	if err := errors.Join(err, parseErr); err != nil {
		t.Fatal(err)
	}
	return index
}

func initCluster(ctx context.Context, cfg childSettings, clusterID string, f *Forwarder) error {
	result, err := f.Propose(ctx, &fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: systemCluster},
		Body: &fsmpb.Command_ClusterInit{ClusterInit: &fsmpb.ClusterInit{
			ClusterId: clusterID, ClockMode: uint32(registry.ClockSystem),
			FirstNode: &fsmpb.Node{Id: cfg.ID, Role: uint32(registry.RoleVoter), RaftAddress: cfg.Raft, GrpcAddress: cfg.GRPC},
		}},
	})
	if err != nil && ctx.Err() == nil {
		return err
	}
	if err := ResultError(result); err != nil && !errors.Is(err, registry.CodeObjectExists) {
		return err
	}
	return nil
}

// child is a node in a process of its own.
type child struct {
	childSettings
	creds *Credentials
	cmd   *exec.Cmd
	ended chan error // its exit; written once for each start
}

// prepareChild makes certificates and addresses but starts nothing.
func prepareChild(t *testing.T, ca *CA, id string) *child {
	t.Helper()
	certificates := t.TempDir()
	if err := issue(t, ca, KindNode, id).Write(certificates); err != nil {
		t.Fatal(err)
	}
	creds, err := LoadCredentials(PathsIn(certificates, id), testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	raftL, grpcL := listen(t), listen(t)
	c := &child{creds: creds, childSettings: childSettings{
		ID: id, Dir: t.TempDir(), Certificates: certificates, Raft: raftL.Addr().String(), GRPC: grpcL.Addr().String(),
	}}
	if err := errors.Join(raftL.Close(), grpcL.Close()); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *child) start(t *testing.T) {
	t.Helper()
	settings, err := json.Marshal(c.childSettings)
	if err != nil {
		t.Fatal(err)
	}
	output, err := os.OpenFile(filepath.Join(c.Dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = output.Close() }()
	c.cmd = exec.Command(os.Args[0])
	c.cmd.Env = append(os.Environ(), childEnv+"="+string(settings))
	c.cmd.Stdout, c.cmd.Stderr = output, output
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd, ended := c.cmd, make(chan error, 1)
	c.ended = ended
	joined := make(chan struct{})
	go func() {
		defer close(joined)
		ended <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-joined
		if t.Failed() {
			text, _ := os.ReadFile(filepath.Join(c.Dir, "log"))
			t.Logf("---- log of %s ----\n%s", c.ID, text[max(0, len(text)-6000):])
		}
	})
}

// kill ends the process as a power cut would.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-c.ended; err == nil {
		t.Errorf("%s ended by itself before it was killed", c.ID)
	}
}

// awaitRemovedExit waits until the node ends because it was removed.
func (c *child) awaitRemovedExit(t *testing.T) {
	t.Helper()
	var exit *exec.ExitError
	select {
	case err := <-c.ended:
		if !errors.As(err, &exit) || exit.ExitCode() != exitRemoved {
			t.Errorf("%s ended with %v, want exit code %d", c.ID, err, exitRemoved)
		}
	case <-time.After(testWait):
		t.Errorf("%s still runs after its removal", c.ID)
	}
}
