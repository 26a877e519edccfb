package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cadastre/cluster"
	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/internal/devcluster"
	"cadastre/registry"
	"cadastre/store"
)

const (
	upgradeDir = "../../testdata/upgrade"
	// maxUpgradeDataBytes keeps the folders of all releases small beside the sources.
	maxUpgradeDataBytes = 1 << 20
	// makeUpgradeVariable and upgradeProgramVariable are set by `make upgrade-data`.
	makeUpgradeVariable    = "CADASTRE_UPGRADE_DATA"
	upgradeProgramVariable = "CADASTRE_UPGRADE_PROGRAM"
)

// upgradeManifest says what a kept data folder holds, in the words of the release that made it.
type upgradeManifest struct {
	Program      string   `json:"program"`
	ClusterID    string   `json:"cluster_id"`
	AppliedIndex uint64   `json:"applied_index"`
	StateHash    string   `json:"state_hash"`
	Level        uint32   `json:"feature_level"`
	Domains      []string `json:"domains"`
	Hosts        []string `json:"hosts"`
	BalanceMinor int64    `json:"registrar_a_balance_minor"`
}

// TestMakeUpgradeData makes the data folder of a release; `make upgrade-data` runs it.
func TestMakeUpgradeData(t *testing.T) {
	out := os.Getenv(makeUpgradeVariable)
	if out == "" {
		t.Skipf("only for `make upgrade-data` (%s is not set)", makeUpgradeVariable)
	}
	binary := firstNonEmpty(os.Getenv(upgradeProgramVariable), program(t))
	c := devtest.Start(t, binary, "--nodes", "1")
	m := upgradeManifest{}
	for i := range 3 {
		host := fmt.Sprintf("ns%d.host.invalid", i+1)
		c.MustCLI("epp", "create", "host", host)
		m.Hosts = append(m.Hosts, host)
	}
	for i := range 8 {
		name := fmt.Sprintf("kept-%d.example", i)
		c.MustCLI("epp", "create", "domain", name, "--ns", "ns1.host.invalid,ns2.host.invalid")
		m.Domains = append(m.Domains, name)
	}
	c.MustCLI("epp", "delete", "domain", m.Domains[1])
	config := c.Node("n1").Config
	if code := c.Stop(); code != exitOK {
		t.Fatalf("stopping ended with %d", code)
	}
	held := verifyNode(t, binary, config)
	m.ClusterID, m.AppliedIndex, m.StateHash = held.ClusterID, held.AppliedIndex, held.StateHash
	version := devtest.Run(t, binary, "--version")
	m.Program = strings.TrimSpace(version.Stdout)
	m.Level, m.BalanceMinor = readKept(t, filepath.Join(filepath.Dir(config), "data", "store"), &m)
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "manifest.json"), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	tar := exec.Command("tar", "-cJf", filepath.Join(out, "data.tar.xz"), "--owner=0", "--group=0", "-C", filepath.Dir(config), "data")
	if message, err := tar.CombinedOutput(); err != nil {
		t.Fatalf("tar: %s", message)
	}
}

type heldAnswer struct {
	ClusterID    string `json:"cluster_id"`
	AppliedIndex uint64 `json:"applied_index"`
	StateHash    string `json:"state_hash"`
	LogFirst     uint64 `json:"log_first_index"`
	LogLast      uint64 `json:"log_last_index"`
}

func verifyNode(t *testing.T, binary, config string) (held heldAnswer) {
	t.Helper()
	r := devtest.Run(t, binary, "node", "verify", "--json", "--config", config)
	if r.Code != exitOK {
		t.Fatalf("node verify: %s", r.Stderr)
	}
	if err := json.Unmarshal([]byte(r.Stdout), &held); err != nil {
		t.Fatal(err)
	}
	return held
}

// readKept reads every object of the manifest from the state and returns its level and the
// registrar's balance.
func readKept(t *testing.T, dir string, m *upgradeManifest) (level uint32, balanceMinor int64) {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = st.View(func(tx *store.ReadTx) error {
		level = tx.FeatureLevel()
		for _, name := range m.Domains {
			d, found := tx.Domain(registry.DomainName(name))
			if !found && name == m.Domains[1] { // deleted in its add grace period
				continue
			}
			if !found || d.Sponsor != "registrar-a" || len(d.NameServers) != 2 || d.CreatedAt.IsZero() || d.ExpiresAt.Before(d.CreatedAt) {
				t.Errorf("%s: %v %+v", name, found, d)
			}
		}
		for _, name := range m.Hosts {
			if h, found := tx.Host(registry.DomainName(name)); !found || h.Sponsor != "registrar-a" {
				t.Errorf("%s: %v %+v", name, found, h)
			}
		}
		if _, found := tx.TLD("example"); !found {
			t.Error("the TLD is not there")
		}
		balanceMinor = tx.Balance("registrar-a")
		return nil
	})
	if err = errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
	return level, balanceMinor
}

// TestUpgradeData opens the data folder of every release with the present program: the
// state hash and the objects are as they were, the log is readable, and the node starts and
// works on, also after the feature level was raised.
func TestUpgradeData(t *testing.T) {
	releases, err := filepath.Glob(filepath.Join(upgradeDir, "*", "manifest.json"))
	if err != nil || len(releases) == 0 {
		t.Fatalf("no data folders in %s: %v", upgradeDir, err)
	}
	for _, path := range releases {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) { upgradeFrom(t, filepath.Dir(path)) })
	}
}

func upgradeFrom(t *testing.T, release string) {
	requireTool(t, "xz", "xz-utils")
	text, err := os.ReadFile(filepath.Join(release, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m upgradeManifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(release, "data.tar.xz")
	if info, err := os.Stat(archive); err != nil || info.Size() > maxUpgradeDataBytes {
		t.Fatalf("%s: %v, at most %d octets", archive, err, maxUpgradeDataBytes)
	}
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-xJf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("tar: %s", out)
	}
	config, operator := keptNode(t, dir, m.ClusterID)
	held := verifyNode(t, program(t), config)
	if held.ClusterID != m.ClusterID || held.AppliedIndex != m.AppliedIndex || held.StateHash != m.StateHash || held.LogLast < m.AppliedIndex {
		t.Errorf("the folder holds %+v, the manifest says %+v", held, m)
	}
	if level, balance := readKept(t, filepath.Join(dir, "data", "store"), &m); level != m.Level || balance != m.BalanceMinor {
		t.Errorf("level %d, balance %d, want %d, %d", level, balance, m.Level, m.BalanceMinor)
	}
	server := exec.Command(program(t), "server", "--config", config)
	var log strings.Builder
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Signal(os.Interrupt) // Wait tells how it ended
		if err := server.Wait(); err != nil {
			t.Errorf("the server: %v\n%s", err, log.String())
		}
	}()
	operate := func(args ...string) devcluster.Result {
		return devtest.Run(t, program(t), append(args, operator...)...)
	}
	deadline := time.Now().Add(30 * time.Second)
	for r := operate("cluster", "raise-level"); r.Code != exitOK; r = operate("cluster", "raise-level") {
		if time.Now().After(deadline) {
			t.Fatalf("raise-level: %s", r.Stderr)
		}
	}
	for _, args := range [][]string{{"history", m.Domains[0]}, {"registrar", "set", "registrar-a", "--name", "Kept and renamed"}, {"registrar", "list"}} {
		if r := operate(args...); r.Code != exitOK {
			t.Errorf("%q: %s", args, r.Stderr)
		}
	}
}

// keptNode writes a configuration for the data folder, with certificates of a new authority
// of the same cluster: no key is kept with the data.
func keptNode(t *testing.T, dir, clusterID string) (config string, operator []string) {
	t.Helper()
	ca, err := cluster.InitCA(filepath.Join(dir, "ca"), clusterID)
	if err != nil {
		t.Fatal(err)
	}
	for _, holder := range []struct {
		kind  cluster.Kind
		name  string
		hosts []string
	}{{cluster.KindNode, "n1", []string{"127.0.0.1"}}, {cluster.KindOperator, "op", nil}} {
		bundle, err := ca.Issue(holder.kind, holder.name, holder.hosts, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if err := bundle.Write(filepath.Join(dir, "tls")); err != nil {
			t.Fatal(err)
		}
	}
	base := devtest.FreeBasePort(t)
	address := func(service int) string { return devcluster.Address(base, 1, service) }
	config = filepath.Join(dir, "node.toml")
	text := fmt.Sprintf(`node_id = "n1"
data_dir = "data"
tls = {ca = "tls/ca.crt", cert = "tls/n1.crt", key = "tls/n1.key"}
raft = {listen = %q}
grpc = {listen = %q}
gossip = {listen = ""}
epp = {listen = ""}
dns = {listen = []}
whois = {listen = ""}
metrics = {listen = ""}
`, address(devcluster.PortRaft), address(devcluster.PortAdmin))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tls := filepath.Join(dir, "tls")
	return config, []string{"--addr", address(devcluster.PortAdmin), "--ca", filepath.Join(tls, "ca.crt"),
		"--cert", filepath.Join(tls, "op.crt"), "--key", filepath.Join(tls, "op.key")}
}
