package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cadastre/cmd/cadastre/internal/devtest"
)

// unboundConfig is a validating resolver that knows the zone's key and where its server is.
const unboundConfig = `server:
  interface: 127.0.0.1@PORT
  identity: "IDENTITY"
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "DIR"
  pidfile: "DIR/unbound.pid"
  use-syslog: no
  logfile: ""
  val-log-level: 2
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor-file: "ANCHOR"
  local-zone: "example." nodefault
  local-zone: "invalid." nodefault
stub-zone:
  name: "example."
  stub-addr: PRIMARY
`

// TestUnboundValidates has a validating resolver ask a real node for secure, insecure and absent names of the signed zone.
func TestUnboundValidates(t *testing.T) {
	requireTool(t, "unbound", "unbound")
	c := devtest.Start(t, program(t))
	for _, host := range []string{"ns1.host.invalid", "ns2.host.invalid"} {
		c.MustCLI("epp", "--dev", c.Dir, "-r", "registrar-a", "create", "host", host)
	}
	servers := []string{"--ns", "ns1.host.invalid", "--ns", "ns2.host.invalid"}
	create := []string{"epp", "--dev", c.Dir, "-r", "registrar-a", "create", "domain"}
	c.MustCLI(append(append(create, "secure.example"), append(servers, "--ds", "12345 13 2 "+strings.Repeat("ab", 32))...)...)
	c.MustCLI(append(append(create, "insecure.example"), servers...)...)

	anchor := filepath.Join(t.TempDir(), "anchor")
	if err := os.WriteFile(anchor, []byte(c.MustCLI("key", "ds", "example", "--dev", c.Dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	at := strings.Replace(c.Node("n2").DNS, ":", "@", 1)
	resolver := newSecondary(t, "unbound", strings.Replace(unboundConfig, "ANCHOR", anchor, 1), at, "unbound", "-d", "-c")
	resolver.start()
	ask := func(name string, rrtype uint16) (*dns.Msg, error) {
		m := new(dns.Msg).SetQuestion(name, rrtype).SetEdns0(1232, true)
		client := &dns.Client{Timeout: clientTimeout}
		reply, _, err := client.ExchangeContext(context.Background(), m, resolver.address)
		return reply, err
	}
	c.Eventually(catchUpTime, "the resolver sees the new names", func() error {
		reply, err := ask("secure.example.", dns.TypeDS)
		if err == nil && len(reply.Answer) == 0 {
			err = errors.New("no DS record yet")
		}
		return err
	})
	tests := []struct {
		name   string
		rrtype uint16
		rcode  int
		secure bool
	}{
		{"example.", dns.TypeSOA, dns.RcodeSuccess, true},
		{"example.", dns.TypeDNSKEY, dns.RcodeSuccess, true},
		{"secure.example.", dns.TypeDS, dns.RcodeSuccess, true},
		{"a.nic.example.", dns.TypeA, dns.RcodeSuccess, true},
		{"nic.example.", dns.TypeA, dns.RcodeSuccess, true}, // an empty non-terminal
		// Opt-out proves that nothing secure is there, no more (RFC 5155 section 9.2).
		{"insecure.example.", dns.TypeDS, dns.RcodeSuccess, false},
		{"absent.example.", dns.TypeA, dns.RcodeNameError, false},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s %s", test.name, dns.TypeToString[test.rrtype]), func(t *testing.T) {
			reply, err := ask(test.name, test.rrtype)
			if err != nil {
				t.Fatal(err)
			}
			if reply.Rcode != test.rcode || reply.AuthenticatedData != test.secure {
				t.Errorf("%s, secure: %v, want %s and %v\n%s", dns.RcodeToString[reply.Rcode], reply.AuthenticatedData, dns.RcodeToString[test.rcode], test.secure, reply)
			}
		})
	}
}
