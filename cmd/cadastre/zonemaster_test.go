package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cadastre/cmd/cadastre/internal/devtest"
)

//nolint:gochecknoglobals // a flag of the test binary
var withZonemaster = flag.Bool("zonemaster", false, "run TestZonemaster, which listens on port 53 of 127.0.0.11 and 127.0.0.12")

// zonemasterProfile leaves out what needs the Internet: addresses, routing, and IPv6.
const zonemasterProfile = `{"net": {"ipv4": true, "ipv6": false}, "resolver": {"defaults": {"timeout": 5, "retry": 2, "retrans": 2}}, "test_cases": [
"consistency01", "consistency02", "consistency03", "consistency04", "consistency05", "consistency06", "connectivity01", "connectivity02",
"delegation01", "delegation02", "delegation03", "delegation04", "delegation05", "delegation06", "delegation07",
"dnssec01", "dnssec02", "dnssec03", "dnssec04", "dnssec05", "dnssec06", "dnssec07", "dnssec08", "dnssec09", "dnssec10", "dnssec11", "dnssec13",
"dnssec14", "dnssec15", "dnssec16", "dnssec17", "dnssec18",
"nameserver01", "nameserver02", "nameserver04", "nameserver05", "nameserver06", "nameserver07", "nameserver08", "nameserver09", "nameserver10",
"nameserver11", "nameserver12", "nameserver13", "nameserver15",
"syntax01", "syntax02", "syntax03", "syntax04", "syntax05", "syntax06", "syntax07", "syntax08",
"zone01", "zone02", "zone03", "zone04", "zone05", "zone06", "zone07", "zone08", "zone09", "zone10", "zone11"]}`

// zonemasterHints are root servers that nobody is: nothing leaves the machine.
const zonemasterHints = ". 3600000 NS a.root-servers.invalid.\na.root-servers.invalid. 3600000 A 127.0.0.13\n"

// zonemasterServers are the apex' servers while Zonemaster asks, at the end of the policy.
const zonemasterServers = "[[apex_servers]]\nname = 'a.nic.example'\naddresses = ['127.0.0.11']\n\n[[apex_servers]]\nname = 'b.nic.example'\naddresses = ['127.0.0.12']\n"

// TestZonemaster has Zonemaster (Debian: zonemaster-cli) look at a dev cluster's zone as one that is to be delegated, with its DS.
// It must find nothing of level WARNING or above. `make zonemaster` runs it; it needs port 53, so it is no part of `make test`.
func TestZonemaster(t *testing.T) {
	if !*withZonemaster {
		t.Skip("SKIPPED: run by `make zonemaster`")
	}
	requireTool(t, "zonemaster-cli", "zonemaster-cli")
	c := devtest.Start(t, program(t))
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	policy, _, found := strings.Cut(c.MustCLI("tld", "show", "example"), "[[apex_servers]]")
	if !found {
		t.Fatal("the policy names no apex servers")
	}
	policy = strings.NewReplacer("refresh_seconds = 1800", "refresh_seconds = 14400", "retry_seconds = 900", "retry_seconds = 3600").Replace(policy)
	c.MustCLI("tld", "apply", "-f", write("example.toml", policy+zonemasterServers), "--yes")

	file := filepath.Join(c.Dir, "n1", "node.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	listen := regexp.MustCompile(`(?m)^listen = \['(` + regexp.QuoteMeta(c.Node("n1").DNS) + `)'\]`)
	changed := listen.ReplaceAllString(string(text), "listen = ['$1', '127.0.0.11:53', '127.0.0.12:53']")
	if changed == string(text) {
		t.Fatalf("no DNS address in %s", text)
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	c.KillNode("n1")
	if r := devtest.Run(t, program(t), "dev", "--dir", c.Dir, "--start", "n1"); r.Code != exitOK {
		t.Fatal(r.Stderr)
	}
	c.Eventually(catchUpTime, "both servers of the zone", func() error {
		reply, err := queryDNS(context.Background(), "127.0.0.12:53", "example", dns.TypeNS)
		if err == nil && len(reply.Answer) != 2 {
			err = errors.New("not yet two servers")
		}
		return err
	})
	fields := strings.Fields(c.MustCLI("key", "ds", "example")) // owner TTL IN DS tag algorithm digest-type digest
	ds := strings.Join(fields[slices.Index(fields, "DS")+1:][:4], ",")
	ctx, cancel := context.WithTimeout(t.Context(), clientTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "zonemaster-cli", "--profile", write("profile.json", zonemasterProfile), "--hints", write("hints", zonemasterHints),
		"--ns", "a.nic.example/127.0.0.11", "--ns", "b.nic.example/127.0.0.12", "--ds", ds, "--level", "INFO", "--no-progress", "--raw", "example").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if bad := regexp.MustCompile(`(?m)^.*\b(WARNING|ERROR|CRITICAL)\b.*$`).FindAllString(string(out), -1); len(bad) > 0 {
		t.Errorf("Zonemaster finds fault:\n%s", strings.Join(bad, "\n"))
	}
	if findings := strings.Count(string(out), "\n"); findings < 20 || !strings.Contains(string(out), "DNSKEY") {
		t.Errorf("only %d lines:\n%s", findings, out)
	}
	t.Logf("%s", out)
}
