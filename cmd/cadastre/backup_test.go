package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cadastre/cluster"
	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/epp/eppxml"
	"cadastre/internal/devcluster"
	"cadastre/registry"
)

// offlineCluster is what is left of a dev cluster whose processes are gone: its folders and
// addresses. Its nodes are run as an operator would, with `cadastre server`.
type offlineCluster struct {
	t       *testing.T
	c       *devtest.Cluster
	info    *devcluster.Info
	servers map[string]*exec.Cmd
}

func killAll(t *testing.T, c *devtest.Cluster) *offlineCluster {
	t.Helper()
	info := c.Info()
	c.KillAll()
	return newOffline(t, c, info)
}

// newOffline takes over a cluster none of whose processes run any more.
func newOffline(t *testing.T, c *devtest.Cluster, info *devcluster.Info) *offlineCluster {
	t.Helper()
	o := &offlineCluster{t: t, c: c, info: info, servers: map[string]*exec.Cmd{}}
	t.Cleanup(func() {
		for id := range o.servers {
			o.stop(id)
		}
	})
	return o
}

func (o *offlineCluster) node(id string) devcluster.Node {
	o.t.Helper()
	n, err := o.info.Node(id)
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

func (o *offlineCluster) start(id string) {
	o.t.Helper()
	o.startWith(program(o.t), id)
}

// startWith starts a node with the program given.
func (o *offlineCluster) startWith(binary, id string) {
	o.t.Helper()
	n := o.node(id)
	log, err := os.OpenFile(n.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	command := exec.Command(binary, "server", "--config", n.Config)
	command.Stderr = log
	if err := command.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.servers[id] = command
}

func (o *offlineCluster) stop(id string) {
	o.t.Helper()
	command := o.servers[id]
	delete(o.servers, id)
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		o.t.Error(err)
	}
	if err := command.Wait(); err != nil {
		o.t.Errorf("%s ended with %v\n%s", id, err, o.c.Logs())
	}
}

func (o *offlineCluster) loseData(ids ...string) {
	o.t.Helper()
	for _, id := range ids {
		if err := os.RemoveAll(o.node(id).Data); err != nil {
			o.t.Fatal(err)
		}
	}
}

func (o *offlineCluster) must(args ...string) string {
	o.t.Helper()
	r := devtest.Run(o.t, program(o.t), args...)
	if r.Code != exitOK {
		o.t.Fatalf("cadastre %q: %d %s%s\n%s", args, r.Code, r.Stdout, r.Stderr, o.c.Logs())
	}
	return r.Stdout
}

// operate runs an operator's command against the node.
func (o *offlineCluster) operate(id string, args ...string) string {
	o.t.Helper()
	return o.must(append(args, "--addr", o.node(id).Admin, "--ca", o.info.CA, "--cert", o.info.Operator.Cert, "--key", o.info.Operator.Key)...)
}

func (o *offlineCluster) members(id string) (membersAnswer, error) {
	var answer membersAnswer
	r := devtest.Run(o.t, program(o.t), "cluster", "members", "--json", "--addr", o.node(id).Admin,
		"--ca", o.info.CA, "--cert", o.info.Operator.Cert, "--key", o.info.Operator.Key)
	if r.Code != exitOK {
		return answer, errors.New(r.Stderr)
	}
	return answer, json.Unmarshal([]byte(r.Stdout), &answer)
}

// waitVoters waits until so many nodes vote, there are no others, and all have one state.
func (o *offlineCluster) waitVoters(asked string, count int) {
	o.t.Helper()
	o.c.Eventually(30*time.Second, fmt.Sprintf("%d voters of one state", count), func() error {
		answer, err := o.members(asked)
		if err != nil {
			return err
		}
		if len(answer.Members) != count || answer.Leader == "" {
			return fmt.Errorf("members: %+v", answer)
		}
		for _, m := range answer.Members {
			if !m.Votes || m.AppliedIndex != answer.Members[0].AppliedIndex || m.StateHash != answer.Members[0].StateHash {
				return fmt.Errorf("members: %+v", answer)
			}
		}
		return nil
	})
}

// rejoin fills the empty data folder of a node from the cluster and starts it.
func (o *offlineCluster) rejoin(id, peer string) {
	o.t.Helper()
	token := strings.TrimSpace(o.operate(peer, "cluster", "token", "--role", "voter"))
	o.must("cluster", "join", "--config", o.node(id).Config, "--peer", o.node(peer).Admin, "--token", token)
	o.start(id)
}

// requireDomains asks the node for every name over EPP.
func (o *offlineCluster) requireDomains(id string, names []string) {
	o.t.Helper()
	client := faultSession(o.t, o.info, o.node(id).EPP)
	for _, name := range names {
		response, err := client.Do(context.Background(), domainInfo(name), "check-1")
		if err != nil {
			o.t.Fatal(err)
		}
		if response.Code() != 1000 {
			o.t.Errorf("%s on %s: %d, want it as it was acknowledged", name, id, response.Code())
		}
	}
	_ = client.Close() // nothing depends on it
}

// writer registers domains in the background and notes what was acknowledged.
type writer struct {
	stop context.CancelFunc
	done chan error

	mu    sync.Mutex
	names []string
}

func startWriter(t *testing.T, info *devcluster.Info, node string) *writer {
	t.Helper()
	n, err := info.Node(node)
	if err != nil {
		t.Fatal(err)
	}
	client := faultSession(t, info, n.EPP)
	ctx, stop := context.WithCancel(context.Background())
	w := &writer{stop: stop, done: make(chan error, 1)}
	go func() {
		for i := 0; ctx.Err() == nil; i++ {
			name := fmt.Sprintf("load-%d.example", i)
			response, err := client.Do(context.Background(), domainCreate(name), "load-1")
			if err == nil && response.Code() != 1000 {
				err = fmt.Errorf("create %s: %d", name, response.Code())
			}
			if err != nil {
				w.done <- err
				return
			}
			w.mu.Lock()
			w.names = append(w.names, name)
			w.mu.Unlock()
		}
		w.done <- nil
	}()
	t.Cleanup(stop)
	return w
}

func (w *writer) acknowledged() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.names...)
}

func (w *writer) waitFor(c *devtest.Cluster, count int) {
	c.Eventually(30*time.Second, fmt.Sprintf("%d domains", count), func() error {
		if n := len(w.acknowledged()); n < count {
			return fmt.Errorf("%d so far", n)
		}
		return nil
	})
}

func TestBackupUnderLoadAndRestore(t *testing.T) {
	c := devtest.Start(t, program(t))
	w := startWriter(t, c.Info(), "n1")
	w.waitFor(c, 60)
	before := w.acknowledged()
	file := filepath.Join(t.TempDir(), "monday.backup")
	// The node asked may be a moment behind the one that acknowledged: ask the leader.
	leader := members(t, c).Leader
	out := c.MustCLI("backup", "--node", leader, "--out", file)
	w.waitFor(c, len(before)+20) // writing goes on
	w.stop()
	if err := <-w.done; err != nil {
		t.Errorf("the load: %v", err)
	}
	if !strings.Contains(out, "read it back") {
		t.Errorf("backup: %s", out)
	}
	if r := c.CLI("backup", "--out", file); r.Code != exitError || !strings.Contains(r.Stderr, "file exists") {
		t.Errorf("a backup over another: %d %s", r.Code, r.Stderr)
	}
	info, err := cluster.ReadBackupInfo(file)
	if err != nil {
		t.Fatal(err)
	}
	o := killAll(t, c)
	requireLines(t, "inspect", o.must("backup", "inspect", file), "cluster "+o.info.ClusterID, "state hash "+info.StateHash)
	requireLines(t, "verify", o.must("backup", "verify", file), "The backup is whole")
	t.Run("damage", func(t *testing.T) { damagedBackups(t, file) })
	t.Run("refusals", func(t *testing.T) { refusedRestores(t, o, file) })
	t.Run("elsewhere", func(t *testing.T) { restoreElsewhere(t, o, file) })

	o.loseData("n1", "n2", "n3")
	restored := o.must("restore", "--new-cluster", "--from", file, "--config", o.node("n1").Config)
	requireLines(t, "restore", restored, "No members any more: n2, n3")
	requireLines(t, "verify", o.must("node", "verify", "--config", o.node("n1").Config), "The data is sound", "voters n1")
	o.start("n1")
	o.waitVoters("n1", 1)
	o.requireDomains("n1", before)
	o.rejoin("n2", "n1")
	o.rejoin("n3", "n1")
	o.waitVoters("n1", 3)
	o.requireDomains("n3", before)
	create := domainCreate("after-restore.example")
	response, err := faultSession(t, o.info, o.node("n2").EPP).Do(context.Background(), create, "after-1")
	if err != nil || response.Code() != 1000 {
		t.Errorf("create on a node that joined again: %v, %v", response, err)
	}
}

// damagedBackups flips bits and cuts pieces off; every damage is found.
func damagedBackups(t *testing.T, file string) {
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	check := func(what string, content []byte) {
		t.Helper()
		path := filepath.Join(dir, "damaged")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := cluster.UnpackBackup(path, filepath.Join(dir, "state")); !errors.Is(err, cluster.ErrBadBackup) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "state")); err == nil {
			t.Fatalf("%s: a state is left", what)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	places := []int{0, 9, len(whole) - 1, len(whole) - 9, len(whole) - 13, len(whole) - 60}
	for range 40 {
		places = append(places, random.IntN(len(whole)))
	}
	for _, at := range places {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1 << random.IntN(8)
		check(fmt.Sprintf("a bit flipped in octet %d of %d", at, len(whole)), flipped)
	}
	for _, length := range []int{0, 1, 43, len(whole) / 2, len(whole) - 1} {
		check(fmt.Sprintf("cut to %d octets", length), whole[:length])
	}
	check("an octet too many in the middle", append(bytes.Clone(whole[:len(whole)/2]), whole[len(whole)/2-1:]...))
	path := filepath.Join(dir, "damaged")
	if r := devtest.Run(t, program(t), "backup", "verify", path); r.Code != exitError || !strings.Contains(r.Stderr, "bad backup file") {
		t.Errorf("verify of a damaged backup: %d %s", r.Code, r.Stderr)
	}
}

// refusedRestores: a data folder in use, another cluster's certificate, no confirmation.
func refusedRestores(t *testing.T, o *offlineCluster, file string) {
	config := o.node("n1").Config
	if r := devtest.Run(t, program(t), "restore", "--from", file, "--config", config); r.Code != exitUsage || !strings.Contains(r.Stderr, "--new-cluster is required") {
		t.Errorf("without --new-cluster: %d %s", r.Code, r.Stderr)
	}
	if r := devtest.Run(t, program(t), "restore", "--new-cluster", "--from", file, "--config", config); r.Code != exitError || !strings.Contains(r.Stderr, "is in use") {
		t.Errorf("into a data folder in use: %d %s", r.Code, r.Stderr)
	}
	dir := t.TempDir()
	o.must("ca", "init", "--dir", filepath.Join(dir, "ca"))
	o.must("ca", "node", "n1", "--dir", filepath.Join(dir, "ca"), "--host", "127.0.0.1", "--out", dir)
	foreign := tempFile(t, "n1.toml", fmt.Sprintf(`node_id = "n1"
data_dir = %q
tls = {ca = "%[2]s/ca.crt", cert = "%[2]s/n1.crt", key = "%[2]s/n1.key"}
raft = {listen = "127.0.0.1:1"}
grpc = {listen = "127.0.0.1:2"}
gossip = {listen = ""}
`, filepath.Join(dir, "data"), dir))
	if r := devtest.Run(t, program(t), "restore", "--new-cluster", "--from", file, "--config", foreign); r.Code != exitError || !strings.Contains(r.Stderr, "is a backup of cluster "+o.info.ClusterID) {
		t.Errorf("with another cluster's certificate: %d %s", r.Code, r.Stderr)
	}
}

// restoreElsewhere restores on a machine with other addresses, after an attempt that was
// interrupted just before its end.
func restoreElsewhere(t *testing.T, o *offlineCluster, file string) {
	n := o.node("n2")
	text, err := os.ReadFile(n.Config)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	moved := strings.ReplaceAll(string(text), n.Raft, devcluster.Address(o.c.BasePort, 8, devcluster.PortRaft))
	moved = strings.ReplaceAll(moved, "'tls/", "'"+filepath.Dir(n.Config)+"/tls/")
	// Far below its low-water mark it would take no commands from registrars; that is no
	// reason not to restore.
	moved = strings.ReplaceAll(moved, "low_water_mb = 0", "low_water_mb = 4000000000")
	requireLines(t, "configuration", moved, "low_water_mb = 4000000000")
	config := filepath.Join(dir, "node.toml")
	if err := os.WriteFile(config, []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, remains := range []string{"restoring/store", "raft"} {
		if err := os.MkdirAll(filepath.Join(dir, "data", remains), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	requireLines(t, "restore elsewhere", o.must("restore", "--new-cluster", "--from", file, "--config", config), "No members any more: n1, n3")
	cfg, err := loadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	st, err := openStore(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }() // only read
	nodes, err := (&node{cfg: cfg, store: st}).members()
	if err != nil || len(nodes) != 1 || nodes[0].ID != "n2" || nodes[0].RaftAddress != cfg.Raft.Advertise {
		t.Errorf("members: %+v, %v; want n2 at %s alone", nodes, err, cfg.Raft.Advertise)
	}
	if left, err := os.ReadDir(cfg.DataDir); err != nil || len(left) != 2 {
		t.Errorf("the data folder holds %v, %v; want the store and the log", left, err)
	}
}

// TestKeeper: one node stays a member until this one has joined, and never one that is in
// its way.
func TestKeeper(t *testing.T) {
	cfg := &Config{NodeID: "n1", Raft: RaftConfig{Listen: "a:1"}, GRPC: GRPCConfig{Listen: "a:2"}}
	self := registry.Node{ID: "n1", RaftAddress: "a:1", GRPCAddress: "a:2"}
	moved := registry.Node{ID: "n1", RaftAddress: "b:1", GRPCAddress: "b:2"}
	other := registry.Node{ID: "n2", RaftAddress: "c:1", GRPCAddress: "c:2"}
	inTheWay := registry.Node{ID: "n3", RaftAddress: "a:1", GRPCAddress: "a:2"}
	for _, tt := range []struct {
		name  string
		nodes []registry.Node
		want  string
	}{
		{"itself", []registry.Node{self, other}, "n1"},
		{"itself alone", []registry.Node{self}, "n1"},
		{"moved", []registry.Node{moved, other}, "n2"},
		{"another machine's address", []registry.Node{inTheWay, other}, "n2"},
		{"moved and alone", []registry.Node{moved}, ""},
		{"another alone at its address", []registry.Node{inTheWay}, ""},
	} {
		if got, ok := (&node{cfg: cfg}).keeper(tt.nodes); got.ID != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %v, want %q", tt.name, got.ID, ok, tt.want)
		}
	}
}

func TestRecoverAfterTheLossOfTheMajority(t *testing.T) {
	c := devtest.Start(t, program(t))
	w := startWriter(t, c.Info(), "n1")
	w.waitFor(c, 40)
	w.stop()
	if err := <-w.done; err != nil {
		t.Errorf("the load: %v", err)
	}
	names := w.acknowledged()
	requireSameState(t, c, 3)
	c.KillNode("n2")
	c.KillNode("n3")
	c.Eventually(10*time.Second, "the loss of the leader", func() error {
		if out := c.MustCLI("cluster", "members", "--local", "--node", "n1"); !strings.Contains(out, "leader: none known") {
			return errors.New(out)
		}
		return nil
	})
	if r := devtest.Run(t, program(t), "node", "verify", "--config", c.Node("n1").Config); r.Code != exitError || !strings.Contains(r.Stderr, "is another server running on it?") {
		t.Errorf("verify of a running node: %d %s", r.Code, r.Stderr)
	}
	o := killAll(t, c)
	o.loseData("n2", "n3")
	config := o.node("n1").Config
	var first, second map[string]any
	for _, into := range []*map[string]any{&first, &second} { // looking changes nothing
		if err := json.Unmarshal([]byte(o.must("cluster", "recover", "--config", config, "--json")), into); err != nil {
			t.Fatal(err)
		}
	}
	if first["recovered"] != false || fmt.Sprint(first) != fmt.Sprint(second) || fmt.Sprint(first["voters"]) != "[n1 n2 n3]" {
		t.Errorf("looking twice: %v and %v", first, second)
	}
	requireLines(t, "recover", o.must("cluster", "recover", "--config", config, "--yes"), "Node n1 is the only member now", "No members any more: n2, n3")
	o.start("n1")
	o.waitVoters("n1", 1)
	o.requireDomains("n1", names)
	// Again, as after an interruption: it does no harm.
	o.stop("n1")
	requireLines(t, "a second recover", o.must("cluster", "recover", "--config", config, "--yes"), "Node n1 is the only member now")
	o.start("n1")
	o.waitVoters("n1", 1)
	o.rejoin("n2", "n1")
	o.rejoin("n3", "n1")
	o.waitVoters("n1", 3)
	o.requireDomains("n2", names)
}

func domainInfo(name string) eppxml.Body { return &eppxml.DomainInfo{Name: name} }

func domainCreate(name string) eppxml.Body {
	return &eppxml.DomainCreate{Name: name, AuthInfo: &eppxml.AuthInfo{}}
}
