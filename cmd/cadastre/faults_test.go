package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/epp/eppclient"
	"cadastre/epp/eppxml"
	"cadastre/internal/devcluster"
)

const faultTimeout = 20 * time.Second

// faultSession is a logged-in session of registrar-a on the node.
func faultSession(t *testing.T, info *devcluster.Info, address string) *eppclient.Client {
	t.Helper()
	registrar := info.Registrars[0]
	client := faultDial(t, info, address, registrar.Files)
	if err := client.Login(context.Background(), registrar.ID, registrar.Password); err != nil {
		t.Fatal(err)
	}
	return client
}

func faultDial(t *testing.T, info *devcluster.Info, address string, files devcluster.Files) *eppclient.Client {
	t.Helper()
	config, err := eppclient.LoadTLS(info.CA, files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := eppclient.Dial(context.Background(), eppclient.Config{Address: address, TLS: config, Timeout: faultTimeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// TestBadInputIsAnsweredAndTheClusterGoesOn sends what no friend would send to every port of
// a running cluster; each gets its error, and the cluster works as before.
func TestBadInputIsAnsweredAndTheClusterGoesOn(t *testing.T) {
	c := devtest.Start(t, program(t))
	info := c.Info()
	node := info.Nodes[0]
	t.Run("certificates", func(t *testing.T) { wrongCertificates(t, info, node) })
	t.Run("passwords", func(t *testing.T) { wrongPasswords(t, info, node) })
	t.Run("frames", func(t *testing.T) { badFrames(t, info, node) })
	t.Run("commands", func(t *testing.T) { badCommands(t, info, node) })
	t.Run("garbage on every port", func(t *testing.T) { garbageEverywhere(t, info) })
	c.MustCLI("epp", "-r", "registrar-a", "create", "host", "ns.elsewhere.net")
	c.MustCLI("epp", "-r", "registrar-a", "create", "domain", "after.example", "--ns", "ns.elsewhere.net")
	for _, n := range info.Nodes {
		waitReferral(t, c, n.ID, "after.example")
	}
	requireSameState(t, c, len(info.Nodes))
}

// wrongCertificates: none, an operator's, and another registrar's.
func wrongCertificates(t *testing.T, info *devcluster.Info, node devcluster.Node) {
	for name, config := range map[string]*tls.Config{
		"none":       {InsecureSkipVerify: true}, //nolint:gosec // the server's refusal is what is tested
		"operator's": mustTLS(t, info, info.Operator),
	} {
		_, err := eppclient.Dial(context.Background(), eppclient.Config{Address: node.EPP, TLS: config, Timeout: faultTimeout})
		if err == nil {
			t.Errorf("a client with certificate %q gets a greeting", name)
		}
	}
	other := faultDial(t, info, node.EPP, info.Registrars[1].Files)
	requireRefused(t, "login with another registrar's certificate", 2200, other.Login(context.Background(), info.Registrars[0].ID, info.Registrars[0].Password))
}

func mustTLS(t *testing.T, info *devcluster.Info, files devcluster.Files) *tls.Config {
	t.Helper()
	config, err := eppclient.LoadTLS(info.CA, files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func requireRefused(t *testing.T, what string, code int, err error) {
	t.Helper()
	var refused *eppclient.RefusedError
	if !errors.As(err, &refused) || refused.Response.Code() != code {
		t.Errorf("%s ends with %v, not with code %d", what, err, code)
	}
}

func wrongPasswords(t *testing.T, info *devcluster.Info, node devcluster.Node) {
	client := faultDial(t, info, node.EPP, info.Registrars[0].Files)
	requireRefused(t, "a wrong password", 2200, client.Login(context.Background(), info.Registrars[0].ID, "not-the-password"))
	requireRefused(t, "an unknown registrar", 2200, client.Login(context.Background(), "nobody", "not-the-password"))
	requireRefused(t, "the third wrong login", 2501, client.Login(context.Background(), info.Registrars[0].ID, "not-the-password"))
	if _, err := client.Exchange(context.Background(), eppxml.AppendHello(nil)); err == nil {
		t.Error("the session goes on after three wrong logins")
	}
}

// badFrames: malformed XML, entities, and lengths that lie.
func badFrames(t *testing.T, info *devcluster.Info, node devcluster.Node) {
	client := faultSession(t, info, node.EPP)
	for name, frame := range map[string]string{
		"not XML":       "hello there",
		"cut off":       `<?xml version="1.0"?><epp xmlns="urn:ietf:params:xml:ns:epp-1.0"><command>`,
		"a DTD":         `<!DOCTYPE epp [<!ENTITY x SYSTEM "file:///etc/passwd">]><epp xmlns="urn:ietf:params:xml:ns:epp-1.0"><hello>&x;</hello></epp>`,
		"other grammar": `<epp xmlns="urn:ietf:params:xml:ns:epp-1.0"><command><check><surprise xmlns="x"/></check><clTRID>abc-1</clTRID></command></epp>`,
	} {
		answer, err := client.Exchange(context.Background(), []byte(frame))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		response, err := eppxml.ParseResponse(answer)
		if err != nil || response.Code() != 2001 && response.Code() != 2307 {
			t.Errorf("%s is answered %v with %s", name, err, answer)
		}
	}
	for name, length := range map[string]uint32{"4 GiB": 0xffffffff, "above the cap": 10 << 20, "below the header": 3} {
		conn, err := tls.Dial("tcp", node.EPP, mustTLS(t, info, info.Registrars[0].Files))
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(faultTimeout)); err != nil {
			t.Fatal(err)
		}
		if _, err := eppxml.ReadFrame(conn, 1<<20); err != nil { // the greeting
			t.Fatal(err)
		}
		if err := binary.Write(conn, binary.BigEndian, length); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(conn)
		if err != nil || !bytes.Contains(rest, []byte(`code="2500"`)) {
			t.Errorf("a frame of length %s: %v, %q", name, err, rest)
		}
		_ = conn.Close() // the server has closed it
	}
}

func badCommands(t *testing.T, info *devcluster.Info, node devcluster.Node) {
	client := faultSession(t, info, node.EPP)
	auth := &eppxml.AuthInfo{}
	for name, test := range map[string]struct {
		body eppxml.Body
		code int
	}{
		"a name outside the TLD":         {&eppxml.DomainCreate{Name: "one.other", AuthInfo: auth}, 2306},
		"a label of 64 octets":           {&eppxml.DomainCreate{Name: strings.Repeat("a", 64) + ".example", AuthInfo: auth}, 2005},
		"an empty label":                 {&eppxml.DomainCreate{Name: "one..example", AuthInfo: auth}, 2005},
		"a host that does not exist":     {&eppxml.DomainCreate{Name: "one.example", NS: &eppxml.NameServers{HostObjs: []string{"ns.absent.net"}}, AuthInfo: auth}, 2303},
		"information on an absent name":  {&eppxml.DomainInfo{Name: "absent.example"}, 2303},
		"a host below an absent domain":  {&eppxml.HostCreate{Name: "ns1.absent.example"}, 2303},
		"deleting what is not there":     {&eppxml.ContactDelete{ID: "absent-1"}, 2303},
		"a second login in one session":  {&eppxml.Login{ClID: "registrar-a", Password: "whatever", Version: "1.0", Lang: "en", ObjURIs: []string{eppxml.NSDomain}}, 2002},
		"a loopback address as glue":     {&eppxml.HostCreate{Name: "ns1.elsewhere.net", Addrs: []eppxml.HostAddr{{Addr: "127.0.0.1"}}}, 2306},
		"an address that is none at all": {&eppxml.HostCreate{Name: "ns1.elsewhere.net", Addrs: []eppxml.HostAddr{{Addr: "256.1.1.1"}}}, 2005},
	} {
		response, err := client.Do(context.Background(), test.body, "bad-1")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if response.Code() != test.code {
			t.Errorf("%s is answered %d %v, not %d", name, response.Code(), response.Results[0].Reasons, test.code)
		}
		if len(response.Results[0].Reasons) == 0 && test.code != 2002 {
			t.Errorf("%s: the refusal %d gives no reason", name, response.Code())
		}
	}
}

// garbageEverywhere sends random octets to every port of every node over TCP and UDP, and
// leaves connections half open meanwhile.
func garbageEverywhere(t *testing.T, info *devcluster.Info) {
	garbage := make([]byte, 4096)
	if _, err := rand.Read(garbage); err != nil {
		t.Fatal(err)
	}
	for _, n := range info.Nodes {
		metrics := strings.TrimSuffix(strings.TrimPrefix(n.Metrics, "http://"), "/metrics")
		for _, address := range []string{n.EPP, n.DNS, n.WHOIS, n.Admin, metrics, n.Raft, n.Gossip} {
			halfOpen, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatalf("dial %s: %v", address, err)
			}
			defer func() { _ = halfOpen.Close() }()
			for _, network := range []string{"tcp", "udp"} {
				conn, err := net.Dial(network, address)
				if err != nil {
					t.Fatalf("dial %s: %v", address, err)
				}
				_, _ = conn.Write(garbage[:1200]) // the server may close first
				_ = conn.Close()                  // nothing is expected back
			}
		}
	}
}
