package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cadastre/internal/devcluster"
)

// registrarID and its password are those of the one registrar.
const (
	registrarID       = "registrar-a"
	registrarPassword = "correct-horse"
	// openingDeposit is what it may spend.
	openingDeposit = "9000000.00"
	createPrice    = 10_00
)

// policy is that of the one TLD.
const policy = `name = "example"
roid_suffix = "EXAMPLE"
currency = "EUR"
create_price = "10.00"
renew_price = "10.00"
transfer_price = "10.00"
restore_price = "40.00"
min_period_years = 1
max_period_years = 10
auto_renew = true
add_grace_days = 5
redemption_days = 30
pending_delete_days = 5
max_name_servers = 13
max_contacts = 10
apex_ttl_seconds = 86400
delegation_ttl_seconds = 3600
[soa]
mname = "a.nic.example"
rname = "hostmaster.nic.example"
refresh_seconds = 14400
retry_seconds = 3600
expire_seconds = 1209600
minimum_seconds = 3600
[[apex_servers]]
name = "a.nic.example"
addresses = ["192.0.2.1"]
`

func (c *Cluster) path(elements ...string) string {
	return filepath.Join(append([]string{c.cfg.Dir}, elements...)...)
}

// makeFiles makes certificates, namespaces, disks and configurations.
func (c *Cluster) makeFiles(ctx context.Context) error {
	steps := [][]string{
		{"ca", "init", "--dir", c.path("ca")},
		{"ca", "operator", "alice", "--dir", c.path("ca"), "--out", c.path("certs")},
		{"ca", "registrar", registrarID, "--dir", c.path("ca"), "--out", c.path("registrar")},
	}
	c.info = &devcluster.Info{
		TLDs: []string{"example"}, CA: c.path("certs", "ca.crt"), Clock: "system",
		Registrars: []devcluster.Registrar{{
			ID: registrarID, Password: registrarPassword,
			Files: devcluster.Files{Cert: c.path("registrar", registrarID+".crt"), Key: c.path("registrar", registrarID+".key")},
		}},
		Operator: devcluster.Files{Cert: c.path("certs", "alice.crt"), Key: c.path("certs", "alice.key")},
	}
	for i := range c.cfg.Voters + c.cfg.Replicas {
		id, role := fmt.Sprintf("n%d", i+1), "voter"
		if i >= c.cfg.Voters {
			role = "replica"
		}
		if err := c.addNode(id, role); err != nil {
			return err
		}
		steps = append(steps, []string{"ca", "node", id, "--dir", c.path("ca"), "--host", c.net.address(id), "--out", c.path(id)})
	}
	for _, step := range steps {
		if _, err := c.Run(ctx, step...); err != nil {
			return err
		}
	}
	return errors.Join(
		os.WriteFile(c.path("example.toml"), []byte(policy), 0o600),
		os.WriteFile(c.path("password"), []byte(registrarPassword), 0o600))
}

func (c *Cluster) addNode(id, role string) error {
	if err := c.net.add(id); err != nil {
		return err
	}
	if err := os.MkdirAll(c.path(id, "data"), 0o700); err != nil {
		return err
	}
	p := &process{log: c.path(id, "log"), start: c.net.within(id, c.cfg.Binary, "server", "--config", c.path(id, "node.toml"))}
	c.nodes[id] = p
	if c.cfg.DiskBytes > 0 {
		var err error
		if p.disk, err = newDisk(c.path(id, "data"), c.cfg.DiskBytes); err != nil {
			return err
		}
	}
	ip := c.net.address(id)
	c.info.Nodes = append(c.info.Nodes, devcluster.Node{
		ID: id, Role: role, Data: c.path(id, "data", "node"), Log: p.log, Config: c.path(id, "node.toml"),
		EPP: ip + ":700", DNS: ip + ":53", WHOIS: ip + ":43", Admin: ip + ":7947", Metrics: "http://" + ip + ":9153/metrics",
		Raft: ip + ":7946", Gossip: ip + ":7948",
	})
	config := fmt.Sprintf(`node_id = "ID"
data_dir = "data/node"
[tls]
ca = "ca.crt"
cert = "ID.crt"
key = "ID.key"
[raft]
listen = "IP:7946"
[grpc]
listen = "IP:7947"
[gossip]
listen = "IP:7948"
key_file = "gossip.key"
seeds = ["%s.1:7948"]
[epp]
listen = "IP:700"
[dns]
listen = ["IP:53"]
workers = 1
[whois]
listen = "IP:43"
[metrics]
listen = "IP:9153"
[autopilot]
stable_for = "500ms"
interval = "200ms"
[disk]
low_water_mb = 16
`, c.net.subnet)
	config = strings.NewReplacer("ID", id, "IP", ip).Replace(config)
	return os.WriteFile(c.path(id, "node.toml"), []byte(config), 0o600)
}

// makeCluster starts the first node, fills the registry and has the others join.
func (c *Cluster) makeCluster(ctx context.Context) error {
	if err := c.writeInfo(); err != nil {
		return err
	}
	first := c.info.Nodes[0]
	if err := tool(c.net.within(first.ID, c.cfg.Binary, "cluster", "init", "--config", first.Config)...); err != nil {
		return err
	}
	if err := errors.Join(c.StartNode(first.ID), c.WaitReady(ctx, first.ID)); err != nil {
		return err
	}
	op := []string{"--dev", c.cfg.Dir, "--node", first.ID}
	for _, step := range [][]string{
		{"tld", "apply", "-f", c.path("example.toml"), "--yes"},
		{"registrar", "create", registrarID, "--name", "Registrar A", "--email", "a@registrar.invalid", "--epp-cert", c.info.Registrars[0].Cert,
			"--password-file", c.path("password"), "--tld", "example", "--deposit", openingDeposit},
	} {
		if _, err := c.Run(ctx, append(step, op...)...); err != nil {
			return err
		}
	}
	for _, n := range c.info.Nodes[1:] {
		if err := c.Join(ctx, n.ID, first.ID); err != nil {
			return err
		}
	}
	return nil
}

// Join has an empty node join through a peer, and starts it.
func (c *Cluster) Join(ctx context.Context, id, peer string) error {
	node, err := c.info.Node(id)
	if err != nil {
		return err
	}
	from, err := c.info.Node(peer)
	if err != nil {
		return err
	}
	out, err := c.Run(ctx, "cluster", "token", "--role", node.Role, "--json", "--dev", c.cfg.Dir, "--node", peer)
	if err != nil {
		return err
	}
	var answer struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		return fmt.Errorf("read the token: %w", err)
	}
	join := c.net.within(id, c.cfg.Binary, "cluster", "join", "--config", node.Config, "--peer", from.Admin, "--token", answer.Token)
	if err := tool(join...); err != nil {
		return err
	}
	return c.StartNode(id)
}
