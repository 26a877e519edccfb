package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/epp/eppxml"
	"cadastre/internal/nameserver"
)

const (
	secondaryKey    = "secondaries.example"
	secondarySecret = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	// catchUpTime is what a secondary gets to follow on a busy machine.
	catchUpTime = 60 * time.Second
)

const nsdConfig = `server:
  ip-address: 127.0.0.1@PORT
  zonesdir: "DIR"
  database: ""
  pidfile: "DIR/nsd.pid"
  xfrdfile: "DIR/xfrd.state"
  xfrdir: "DIR"
  zonelistfile: "DIR/zone.list"
  username: ""
  chroot: ""
  server-count: 1
  hide-version: yes
  identity: "IDENTITY"
remote-control:
  control-enable: no
key:
  name: "%KEY%"
  algorithm: hmac-sha256
  secret: "SECRET"
zone:
  name: example
  zonefile: "example.zone"
  request-xfr: PRIMARY %KEY%
  allow-notify: 127.0.0.1 %KEY%
  provide-xfr: 127.0.0.1 NOKEY
`

const knotConfig = `server:
  listen: 127.0.0.1@PORT
  identity: IDENTITY
  rundir: DIR
  background-workers: 1
  udp-workers: 1
  tcp-workers: 1
database:
  storage: DIR
  journal-db-max-size: 64M
  timer-db-max-size: 8M
  kasp-db-max-size: 16M
key:
  - id: %KEY%
    algorithm: hmac-sha256
    secret: SECRET
remote:
  - id: primary
    address: PRIMARY
    key: %KEY%
acl:
  - id: notify
    address: 127.0.0.1
    key: %KEY%
    action: notify
  - id: copy
    address: 127.0.0.1
    action: transfer
zone:
  - domain: example
    storage: DIR
    master: primary
    acl: [notify, copy]
    zonefile-sync: -1
    journal-content: all
log:
  - target: stderr
    any: info
`

// secondary is a real name server that follows the cluster.
type secondary struct {
	t       *testing.T
	name    string
	address string
	config  nameserver.Config
	process *nameserver.Process
}

// newSecondary prepares a name server on a port that is held for it; command takes the configuration's file last.
func newSecondary(t *testing.T, name, config, primary string, command ...string) *secondary {
	t.Helper()
	ports, err := nameserver.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	command[0] = nameserver.Find(command[0])
	s := &secondary{t: t, name: name, address: ports.Address(), config: nameserver.Config{
		Name: name, Command: command, Dir: t.TempDir(), Ports: ports,
		Text: strings.NewReplacer("%KEY%", secondaryKey, "SECRET", secondarySecret, "PRIMARY", primary).Replace(config),
	}}
	t.Cleanup(func() {
		if s.process != nil && t.Failed() {
			t.Logf("%s: running but for %v\n%s", name, s.process.Failure(), s.process.Log())
		}
		s.kill()
		_ = ports.Release() // it is not needed any more
	})
	return s
}

// start returns when the server answers, whatever it has of the zone.
func (s *secondary) start() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), catchUpTime)
	defer cancel()
	var err error
	if s.process, err = nameserver.Start(ctx, s.config); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends the server and its children at once; its port is held until the next start.
func (s *secondary) kill() {
	if s.process == nil {
		return
	}
	s.process.Kill()
	s.process = nil
	if err := s.config.Ports.Hold(); err != nil {
		s.t.Logf("the port of %s is not held: %v", s.name, err)
	}
}

// serialAt asks a name server for the serial of the zone; 0 without an answer.
func serialAt(address string) uint32 {
	r, err := queryDNS(context.Background(), address, "example", dns.TypeSOA)
	if err != nil || len(r.Answer) == 0 {
		return 0
	}
	soa, ok := r.Answer[0].(*dns.SOA)
	if !ok {
		return 0
	}
	return soa.Serial
}

// zoneAt copies the zone from a name server, in lower case, and sorts it.
func zoneAt(t *testing.T, address string, signed bool) (out []string) {
	t.Helper()
	for _, rr := range transferFrom(t, address, signed) {
		out = append(out, strings.ToLower(strings.Join(strings.Fields(rr.String()), " ")))
	}
	slices.Sort(out)
	return out
}

// transferFrom copies the zone from a name server.
func transferFrom(t *testing.T, address string, signed bool) (out []dns.RR) {
	t.Helper()
	m := new(dns.Msg).SetAxfr("example.")
	tr := &dns.Transfer{DialTimeout: catchUpTime, ReadTimeout: catchUpTime}
	if signed {
		m.SetTsig(dns.Fqdn(secondaryKey), dns.HmacSHA256, 300, time.Now().Unix())
		tr.TsigSecret = map[string]string{dns.Fqdn(secondaryKey): secondarySecret}
	}
	envelopes, err := tr.In(m, address)
	if err != nil {
		t.Fatal(err)
	}
	for e := range envelopes {
		if e.Error != nil {
			t.Fatalf("copy the zone from %s: %v", address, e.Error)
		}
		out = append(out, e.RR...)
	}
	return out
}

// configureSecondaries makes a node feed the secondaries, by key only.
func configureSecondaries(t *testing.T, c *devtest.Cluster, node string, secondaries ...*secondary) {
	t.Helper()
	file := filepath.Join(c.Dir, node, "node.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(secondarySecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := strings.ReplaceAll(string(text), "127.0.0.1/32", "192.0.2.1/32")
	config += fmt.Sprintf("\n[[dns.tsig]]\nname = %q\nsecret_file = %q\n[[dns.transfer]]\nkey = %q\n", secondaryKey, secret, secondaryKey)
	for _, s := range secondaries {
		config += fmt.Sprintf("[[dns.secondary]]\nname = %q\naddress = %q\nkey = %q\n", s.name, s.address, secondaryKey)
	}
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c.KillNode(node)
	if r := devtest.Run(t, program(t), "dev", "--dir", c.Dir, "--start", node); r.Code != exitOK {
		t.Fatal(r.Stderr)
	}
}

// TestSecondariesFollow lets NSD and Knot DNS follow a cluster in which domains are registered, through a kill of one of
// them, and compares what all three serve.
func TestSecondariesFollow(t *testing.T) {
	binary := program(t)
	requireTool(t, "nsd", "NSD")
	requireTool(t, "knotd", "Knot DNS")
	c := devtest.Start(t, binary)
	primary := c.Node("n1").DNS
	at := strings.Replace(primary, ":", "@", 1)
	nsd := newSecondary(t, "nsd", nsdConfig, at, "nsd", "-d", "-c")
	knot := newSecondary(t, "knot", knotConfig, at, "knotd", "-c")
	configureSecondaries(t, c, "n1", nsd, knot)
	nsd.start()
	knot.start()
	caughtUp := func(what string, servers ...*secondary) {
		t.Helper()
		c.Eventually(catchUpTime, what, func() error {
			for _, s := range servers {
				if want, got := serialAt(primary), serialAt(s.address); got != want || got == 0 {
					return fmt.Errorf("%s serves serial %d, the node %d", s.name, got, want)
				}
			}
			return nil
		})
	}
	caughtUp("the first transfer", nsd, knot)

	c.MustCLI("epp", "create", "host", "ns1.hoster.invalid")
	c.MustCLI("epp", "create", "host", "ns2.hoster.invalid")
	delegated := func(name string) eppxml.Body {
		return &eppxml.DomainCreate{Name: name, AuthInfo: &eppxml.AuthInfo{}, NS: &eppxml.NameServers{HostObjs: []string{"ns1.hoster.invalid", "ns2.hoster.invalid"}}}
	}
	load := startLoadOf(t, c.Info(), delegated, "n1", "n2", "n3")
	registered := func(n int) {
		t.Helper()
		c.Eventually(catchUpTime, fmt.Sprint(n, " registrations"), func() error {
			if load.count() < n {
				return fmt.Errorf("%d so far", load.count())
			}
			return nil
		})
	}
	registered(100)
	nsd.kill()
	registered(load.count() + 200)
	c.Eventually(catchUpTime, "a secondary that does not answer", func() error {
		for _, s := range secondariesOf(t, c) {
			if s.Name == "nsd" && s.Error != "" && !s.Current {
				return nil
			}
		}
		return errors.New("nothing is wrong with nsd, it seems")
	})
	nsd.start()
	registered(load.count() + 200)
	load.stop()
	load.settle(t)
	caughtUp("the last serial", nsd, knot)
	for i := range 4 { // each is a difference of its own for both, however fast the load was over
		create := []string{"epp", "create", "domain", fmt.Sprintf("late-%d.example", i), "--ns", "ns1.hoster.invalid", "--ns", "ns2.hoster.invalid"}
		if i%2 == 1 { // its hash enters the chain of proofs
			create = append(create, "--ds", "12345 13 2 "+strings.Repeat("ab", 32))
		}
		c.MustCLI(create...)
		if i == 3 { // and leaves it
			c.MustCLI("epp", "delete", "domain", "late-1.example")
		}
		c.Eventually(catchUpTime, "the late registration is published", func() error {
			r, err := queryDNS(context.Background(), primary, fmt.Sprintf("late-%d.example", i), dns.TypeNS)
			if err == nil && len(r.Ns) == 0 {
				err = errors.New("no delegation yet")
			}
			return err
		})
		caughtUp("the late registration", nsd, knot)
	}
	c.Eventually(catchUpTime, "secondaries known to be current", func() error {
		list := secondariesOf(t, c)
		for _, s := range list {
			if !s.Current {
				return fmt.Errorf("%s is at %d of %d: %s", s.Name, s.Held, s.Serial, s.Error)
			}
		}
		if len(list) != 2 {
			return fmt.Errorf("%d secondaries", len(list))
		}
		return nil
	})
	want := zoneAt(t, primary, true)
	for _, s := range []*secondary{nsd, knot} {
		if diff := cmp.Diff(want, zoneAt(t, s.address, false)); diff != "" {
			t.Errorf("%s holds another zone (-node +%s):\n%s", s.name, s.name, diff)
		}
		requireValidZone(t, s.name, transferFrom(t, s.address, false))
	}
	requireValidZone(t, "the export", parseZone(t, c.MustCLI("zone", "export", "example")))
	if len(want) < 2*load.count() {
		t.Errorf("%d records for %d registrations", len(want), load.count())
	}
	requireTransfers(t, c, want)
}

func secondariesOf(t *testing.T, c *devtest.Cluster) []secondaryDocument {
	t.Helper()
	var list []secondaryDocument
	if err := json.Unmarshal([]byte(c.MustCLI("zone", "secondaries", "--node", "n1", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// requireTransfers sees that the secondaries followed by differences, that a serial beyond the journal gives the whole
// zone, and that nobody else may copy it.
func requireTransfers(t *testing.T, c *devtest.Cluster, whole []string) {
	t.Helper()
	response, err := http.Get(c.Node("n1").Metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	metrics, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	count := func(kind string) (n int) {
		_, rest, _ := strings.Cut(string(metrics), fmt.Sprintf("cadastre_dns_transfers_total{kind=%q} ", kind))
		_, _ = fmt.Sscan(rest, &n) // 0 if it is not there
		return n
	}
	if ixfr, axfr := count("ixfr"), count("axfr"); ixfr < 4 || axfr < 2 || axfr > 8 {
		t.Errorf("%d differences and %d whole zones were sent", ixfr, axfr)
	}
	primary := c.Node("n1").DNS
	m := new(dns.Msg).SetIxfr("example.", serialAt(primary)-100_000, ".", ".")
	m.SetTsig(dns.Fqdn(secondaryKey), dns.HmacSHA256, 300, time.Now().Unix())
	tr := &dns.Transfer{TsigSecret: map[string]string{dns.Fqdn(secondaryKey): secondarySecret}, ReadTimeout: catchUpTime}
	envelopes, err := tr.In(m, primary)
	if err != nil {
		t.Fatal(err)
	}
	records := 0
	for e := range envelopes {
		if e.Error != nil {
			t.Fatal(e.Error)
		}
		records += len(e.RR)
	}
	if records != len(whole) {
		t.Errorf("a serial beyond the journal gives %d records, the zone has %d", records, len(whole))
	}
	unsigned := new(dns.Msg).SetAxfr("example.")
	client := dns.Client{Net: "tcp", Timeout: catchUpTime}
	if r, _, err := client.Exchange(unsigned, primary); err != nil || r.Rcode != dns.RcodeRefused {
		t.Errorf("without the key: %v, %v", r, err)
	}
}
