package main

import (
	"context"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"cadastre/cmd/cadastre/internal/devtest"
)

// clientTimeout bounds one run of a foreign client.
const clientTimeout = 2 * time.Minute

// requireTool skips the test, aloud, when a program that is not ours is missing.
func requireTool(t *testing.T, name, debianPackage string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("SKIPPED: %s is not installed (Debian: apt-get install %s)", name, debianPackage)
	}
}

// runTool runs a program that is not ours and returns what it printed.
func runTool(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clientTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func hostPort(t *testing.T, address string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

func requireLines(t *testing.T, what, out string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), line) {
			t.Errorf("%s does not say %q:\n%s", what, line, out)
		}
	}
}

// TestForeignClients drives a cluster with the software that registrars, resolvers and the
// public have: what Net::EPP does on one node, dig, kdig and whois see on every node.
func TestForeignClients(t *testing.T) {
	binary := program(t)
	c := devtest.Start(t, binary)
	info := c.Info()
	t.Run("Net::EPP", func(t *testing.T) {
		requireTool(t, "perl", "perl")
		if err := exec.Command("perl", "-MNet::EPP::Simple", "-e", "1").Run(); err != nil {
			t.Skip("SKIPPED: Net::EPP is not installed (Debian: apt-get install libnet-epp-perl)")
		}
		registrar, other := info.Registrars[0], info.Registrars[1]
		host, port := hostPort(t, c.Node("n2").EPP)
		out := runTool(t, "perl", "testdata/clients/netepp.pl", host, port, registrar.ID, registrar.Password, registrar.Cert, registrar.Key, info.CA, "real-1",
			other.ID, other.Password, other.Cert, other.Key)
		requireLines(t, "Net::EPP", out, "the sponsor after the transfer is registrar-b", "done real-1.example")
	})
	t.Run("transfer", func(t *testing.T) { transferByCommands(t, c) })
	if t.Failed() {
		return
	}
	if out := c.CLI("epp", "-r", "registrar-a", "info", "domain", "real-1.example"); out.Code != 0 { // Net::EPP was skipped
		for _, command := range []string{
			"create domain real-1.example", "create host ns1.real-1.example --addr 192.0.2.1", "create host ns2.real-1.example --addr 192.0.2.2",
			"update domain real-1.example --add-ns ns1.real-1.example,ns2.real-1.example",
		} {
			c.MustCLI(append([]string{"epp", "-r", "registrar-a"}, strings.Fields(command)...)...)
		}
	}
	for _, node := range info.Nodes {
		waitReferral(t, c, node.ID, "real-1.example")
		host, port := hostPort(t, node.DNS)
		t.Run("dig on "+node.ID, func(t *testing.T) {
			requireTool(t, "dig", "dnsutils")
			requireLines(t, "dig", runTool(t, "dig", "@"+host, "-p", port, "+norecurse", "real-1.example", "NS"),
				"status: NOERROR", "flags: qr;", "real-1.example. 3600 IN NS ns1.real-1.example.", "ns1.real-1.example. 3600 IN A 192.0.2.1", "udp: 1232")
			requireLines(t, "dig", runTool(t, "dig", "@"+host, "-p", port, "+norecurse", "absent.example", "A"), "status: NXDOMAIN", "flags: qr aa;", "IN SOA a.nic.example.")
			requireLines(t, "dig", runTool(t, "dig", "@"+host, "-p", port, "+norecurse", "nic.example", "A"), "status: NOERROR", "ANSWER: 0, AUTHORITY: 1", "IN SOA")
			requireLines(t, "dig", runTool(t, "dig", "@"+host, "-p", port, "+norecurse", "example.net", "A"), "status: REFUSED")
		})
		t.Run("kdig on "+node.ID, func(t *testing.T) {
			requireTool(t, "kdig", "knot-dnsutils")
			requireLines(t, "kdig", runTool(t, "kdig", "@"+host, "-p", port, "+tcp", "example", "SOA"), "status: NOERROR", "Flags: qr aa", "IN SOA a.nic.example.")
		})
		t.Run("whois on "+node.ID, func(t *testing.T) {
			requireTool(t, "whois", "whois")
			host, port := hostPort(t, node.WHOIS)
			requireLines(t, "whois", runTool(t, "whois", "-h", host, "-p", port, "real-1.example"),
				"Domain Name: real-1.example", "Name Server: ns1.real-1.example", "Domain Status: ok")
			requireLines(t, "whois", runTool(t, "whois", "-h", host, "-p", port, "nameserver ns1.real-1.example"), "IP Address: 192.0.2.1")
			requireLines(t, "whois", runTool(t, "whois", "-h", host, "-p", port, "registrar registrar-a"), "Registrar ID: registrar-a")
		})
	}
}

// transferByCommands moves a domain between registrars with the program's own client.
func transferByCommands(t *testing.T, c *devtest.Cluster) {
	const name, secret = "moved-2.example", "Moved-6Zr!tG3wKq8LxV5nBcP2"
	as := func(registrar, command string) string {
		t.Helper()
		return c.MustCLI(append([]string{"epp", "-r", registrar}, strings.Fields(command)...)...)
	}
	as("registrar-a", "create domain "+name+" --auth "+secret)
	requireLines(t, "the request", as("registrar-b", "transfer request domain "+name+" --auth "+secret+" --period 2y"),
		"1001 Command completed successfully; action pending", "trStatus: pending", "acID: registrar-a")
	message := as("registrar-a", "poll")
	requireLines(t, "the message", message, "1301 Command completed successfully; ack to dequeue", "registrar-b asks for the transfer of the domain "+name, "trStatus: pending")
	id := regexp.MustCompile(`messages waiting: 1, first (\d+)`).FindStringSubmatch(message)
	if id == nil {
		t.Fatalf("the message has no number:\n%s", message)
	}
	as("registrar-a", "poll ack "+id[1])
	requireLines(t, "the empty queue", as("registrar-a", "poll"), "1300 Command completed successfully; no messages")
	requireLines(t, "the approval", as("registrar-a", "transfer approve domain "+name), "trStatus: clientApproved")
	requireLines(t, "the query", as("registrar-b", "transfer query domain "+name), "trStatus: clientApproved", "messages waiting: 1")
	requireLines(t, "the domain", as("registrar-b", "info domain "+name), "clID: registrar-b", "crID: registrar-a")
}
