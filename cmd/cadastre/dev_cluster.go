package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"

	"cadastre/cluster"
	"cadastre/internal/devcluster"
	"cadastre/keystore"
	"cadastre/registry"
)

// devCluster runs the nodes of a dev cluster as child processes.
type devCluster struct {
	dir        string // absolute
	executable string
	progress   io.Writer
	starter    *starter
	// died tells which node's process ended without having been asked to.
	died chan string

	// infoMu is held while dev.json is written.
	infoMu sync.Mutex

	mu        sync.Mutex
	settings  *devSettings
	processes map[string]*devProcess
	stopping  map[string]bool
}

func newDevCluster(dir string, settings *devSettings, progress io.Writer) (*devCluster, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return &devCluster{
		dir: dir, executable: executable, progress: progress, starter: newStarter(), settings: settings,
		died: make(chan string, 64), processes: map[string]*devProcess{}, stopping: map[string]bool{},
	}, nil
}

func (d *devCluster) path(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

func (d *devCluster) configPath(m devMember) string { return d.path(m.id(), "node.toml") }
func (d *devCluster) logPath(m devMember) string    { return d.path(m.id(), "log") }
func (d *devCluster) pidPath(m devMember) string    { return d.path(m.id(), "pid") }
func (d *devCluster) infoPath() string              { return d.path(devcluster.InfoFile) }

// saveSettings writes what a later run needs.
func (d *devCluster) saveSettings() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return writeJSONFile(d.path(devSettingsFile), d.settings)
}

// operatorFlags are those with which the operator of this cluster calls a node.
func (d *devCluster) operatorFlags(address string) *connFlags {
	paths := cluster.PathsIn(d.path(devCertsDir), devOperator)
	return &connFlags{addr: address, ca: paths.CA, cert: paths.Certificate, key: paths.Key}
}

// Short timeouts: on one machine a silence of 0.7 s means that a process is gone.
const (
	devHeartbeat         = 700 * time.Millisecond
	devLease             = 500 * time.Millisecond
	devStableFor         = 500 * time.Millisecond
	devAutopilotInterval = 200 * time.Millisecond
)

// devSealFile is the seal key of a node's keys of zones.
const devSealFile = "seal.key"

// prepareNode issues the node's certificate and writes its configuration.
func (d *devCluster) prepareNode(ca *cluster.CA, m devMember) error {
	bundle, err := ca.Issue(cluster.KindNode, m.id(), []string{"127.0.0.1", "localhost"}, cluster.DefaultNodeLifetime)
	if err != nil {
		return err
	}
	if err := bundle.Write(d.path(m.id(), "tls")); err != nil {
		return err
	}
	if err := keystore.NewSealKey(d.path(m.id(), "tls", devSealFile)); err != nil {
		return err
	}
	var seeds []string
	for _, other := range d.members() {
		if other != m {
			seeds = append(seeds, d.settings.address(other, devcluster.PortGossip))
		}
	}
	paths := cluster.PathsIn("tls", m.id())
	cfg := Config{
		NodeID: m.id(), DataDir: "data",
		TLS: TLSConfig{CA: paths.CA, Cert: paths.Certificate, Key: paths.Key},
		Raft: RaftConfig{Listen: d.settings.address(m, devcluster.PortRaft), Advertise: d.settings.address(m, devcluster.PortRaft),
			Heartbeat: Duration(devHeartbeat), Election: Duration(devHeartbeat), Lease: Duration(devLease)},
		GRPC: GRPCConfig{Listen: d.settings.address(m, devcluster.PortAdmin), Advertise: d.settings.address(m, devcluster.PortAdmin)},
		Gossip: GossipConfig{Listen: d.settings.address(m, devcluster.PortGossip), Advertise: d.settings.address(m, devcluster.PortGossip),
			KeyFile: filepath.Join("tls", cluster.GossipKeyFile), Seeds: seeds},
		Keys:      KeysConfig{SealFile: filepath.Join("tls", devSealFile)},
		Autopilot: AutopilotConfig{StableFor: Duration(devStableFor), Interval: Duration(devAutopilotInterval)},
		EPP:       ListenConfig{Listen: d.settings.address(m, devcluster.PortEPP)},
		DNS: DNSConfig{
			Listen: []string{d.settings.address(m, devcluster.PortDNS)}, Workers: 1,
			RateLimit: RateLimitConfig{Exempt: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 32)}},
			Transfers: []TransferConfig{{From: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 32)}}},
		},
		WHOIS:   WHOISConfig{Listen: d.settings.address(m, devcluster.PortWHOIS), RateLimit: devRDDSLimit()},
		RDAP:    RDAPConfig{Listen: d.settings.address(m, devcluster.PortRDAP), RateLimit: devRDDSLimit()},
		Metrics: ListenConfig{Listen: d.settings.address(m, devcluster.PortMetrics)},
		Log:     LogConfig{Level: "info", Format: "text"},
	}
	content, err := toml.Marshal(&cfg)
	if err != nil {
		return fmt.Errorf("write the configuration of %s: %w", m.id(), err)
	}
	return os.WriteFile(d.configPath(m), content, 0o600)
}

// devRDDSLimit does not limit this machine.
func devRDDSLimit() RDDSLimitConfig {
	return RDDSLimitConfig{Exempt: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 32)}}
}

// start starts the node's process.
func (d *devCluster) start(m devMember) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.processes[m.id()]; p != nil && p.running() {
		return fmt.Errorf("node %s runs already, as process %d", m.id(), p.pid())
	}
	p, err := d.starter.startServer(d.executable, d.configPath(m), d.logPath(m), d.pidPath(m))
	if err != nil {
		return fmt.Errorf("node %s: %w", m.id(), err)
	}
	d.processes[m.id()] = p
	d.stopping[m.id()] = false
	go func() {
		<-p.ended
		d.mu.Lock()
		expected := d.stopping[m.id()]
		d.mu.Unlock()
		if !expected {
			select {
			case d.died <- m.id():
			default: // nobody listens
			}
		}
	}()
	return nil
}

// process returns the node's process, nil if it was never started here.
func (d *devCluster) process(m devMember) *devProcess {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.processes[m.id()]
}

// stopAll stops all nodes at once, politely.
func (d *devCluster) stopAll() error {
	d.mu.Lock()
	var running []*devProcess
	for id, p := range d.processes {
		d.stopping[id] = true
		running = append(running, p)
	}
	d.mu.Unlock()
	errs := make([]error, len(running))
	var wg sync.WaitGroup
	for i, p := range running {
		wg.Go(func() { errs[i] = p.stop() })
	}
	wg.Wait()
	d.starter.close()
	return errors.Join(errs...)
}

// writeInfo writes dev.json.
func (d *devCluster) writeInfo() error {
	d.infoMu.Lock()
	defer d.infoMu.Unlock()
	return writeJSONFile(d.infoPath(), d.info())
}

// majorityRuns says whether enough voters run for a leader.
func (d *devCluster) majorityRuns() bool {
	voters, running := 0, 0
	for _, m := range d.members() {
		if m.Role != registry.RoleVoter {
			continue
		}
		voters++
		if p := d.process(m); p != nil && p.running() {
			running++
		}
	}
	return 2*running > voters
}

// info describes the cluster as it runs now.
func (d *devCluster) info() *devcluster.Info {
	d.mu.Lock()
	defer d.mu.Unlock()
	operator := cluster.PathsIn(d.path(devCertsDir), devOperator)
	info := &devcluster.Info{
		TLDs: d.settings.TLDs, CA: operator.CA, ClusterID: d.settings.ClusterID, Clock: d.settings.Clock,
		Operator: devcluster.Files{Cert: operator.Certificate, Key: operator.Key},
	}
	for _, m := range d.settings.Members {
		pid := 0
		if p := d.processes[m.id()]; p != nil {
			pid = p.pid()
		}
		info.Nodes = append(info.Nodes, devcluster.Node{
			RDAP: "https://" + d.settings.address(m, devcluster.PortRDAP) + "/",
			ID:   m.id(), Role: m.Role.String(), PID: pid, Data: d.path(m.id(), "data"), Log: d.logPath(m), Config: d.configPath(m),
			EPP: d.settings.address(m, devcluster.PortEPP), DNS: d.settings.address(m, devcluster.PortDNS), WHOIS: d.settings.address(m, devcluster.PortWHOIS),
			Admin: d.settings.address(m, devcluster.PortAdmin), Metrics: "http://" + d.settings.address(m, devcluster.PortMetrics) + "/metrics",
			Raft: d.settings.address(m, devcluster.PortRaft), Gossip: d.settings.address(m, devcluster.PortGossip),
		})
	}
	for _, id := range slices.Sorted(maps.Keys(d.settings.Registrars)) {
		paths := cluster.PathsIn(d.path(devCertsDir), id)
		info.Registrars = append(info.Registrars, devcluster.Registrar{
			ID: id, Password: d.settings.Registrars[id], Files: devcluster.Files{Cert: paths.Certificate, Key: paths.Key},
		})
	}
	return info
}

// documentationAddresses returns addresses that are nobody's (RFC 5737, RFC 3849).
func documentationAddresses(n int) []netip.Addr {
	v6 := netip.MustParseAddr("2001:db8::").As16()
	v6[15] = byte(n)
	return []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), netip.AddrFrom16(v6)}
}

// roleOf returns the role of the i-th of the nodes of a new cluster.
func roleOf(i, voters int) registry.NodeRole {
	if i < voters {
		return registry.RoleVoter
	}
	return registry.RoleReplica
}

// announce tells the user what happens; without a reader the cluster runs on.
func (d *devCluster) announce(format string, args ...any) {
	_, _ = fmt.Fprintf(d.progress, format+"\n", args...)
}

// requireAlive returns an error if the node's process has ended.
func (d *devCluster) requireAlive(ctx context.Context, m devMember) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if p := d.process(m); p == nil || !p.running() {
		return fmt.Errorf("node %s ended early: %s (log: %s)", m.id(), lastLogLine(d.logPath(m)), d.logPath(m))
	}
	return nil
}

// members returns the nodes that the cluster has now.
func (d *devCluster) members() []devMember {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.settings.Members)
}

// member returns the node with the id.
func (d *devCluster) member(id string) (devMember, error) {
	for _, m := range d.members() {
		if m.id() == id {
			return m, nil
		}
	}
	return devMember{}, fmt.Errorf("the cluster has no node %q", id)
}
