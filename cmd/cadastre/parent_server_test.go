package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/internal/nameserver"
	"cadastre/registry"
)

// startParent runs NSD with a root zone that holds the DS records.
func startParent(t *testing.T, ds ...string) *nameserver.Process {
	t.Helper()
	program := nameserver.Find("nsd")
	if program == "" {
		t.Skip("SKIPPED: nsd is not installed (apt-get install nsd)")
	}
	dir := t.TempDir()
	root := ". 60 in soa a.root. h.root. 1 60 60 60 60\n. 60 in ns a.root.\na.root. 60 in a 192.0.2.1\nexample. 60 in ns a.nic.example.\na.nic.example. 60 in a 192.0.2.2\n" +
		"other. 60 in ns a.root.\nbare. 60 in ns a.root.\n" + strings.Join(ds, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(dir, "root.zone"), []byte(root), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := nameserver.Start(ctx, nameserver.Config{
		Name: "nsd", Dir: dir, Command: []string{program, "-d", "-c"},
		Text: "server:\n  ip-address: 127.0.0.1@PORT\n  identity: \"IDENTITY\"\n  username: \"\"\n  zonesdir: \"DIR\"\n  pidfile: \"DIR/pid\"\n" +
			"  xfrdfile: \"DIR/x\"\n  zonelistfile: \"DIR/z\"\n  database: \"\"\nremote-control:\n  control-enable: no\nzone:\n  name: \".\"\n  zonefile: \"root.zone\"\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

// TestParentServer asks a real name server of the parent for DS records: one that is there lets the zone stop telling
// its parent of the key; others do not count.
func TestParentServer(t *testing.T) {
	c := devtest.Start(t, program(t), "--nodes", "1")
	var ds []string
	c.Eventually(time.Minute, "the first key", func() error {
		r := c.CLI("key", "ds", "example", "--json")
		if err := json.Unmarshal([]byte(r.Stdout), &ds); err != nil || len(ds) != 1 {
			return fmt.Errorf("%s%s", r.Stdout, r.Stderr)
		}
		return nil
	})
	fields := strings.Fields(ds[0])
	digest := fields[len(fields)-1]
	wrong := strings.Replace(ds[0], digest, strings.Repeat("ab", len(digest)/2), 1)
	parent := startParent(t, ds[0], strings.Replace(wrong, "example.", "other.", 1))

	keys := func() (list []keyDocument) {
		var answer struct{ Keys []keyDocument }
		if err := json.Unmarshal([]byte(c.MustCLI("key", "list", "example", "--json")), &answer); err != nil {
			t.Fatal(err)
		}
		return answer.Keys
	}
	if seen := keys()[0].DSSeenAt; seen != "" {
		t.Fatalf("the parent was not asked yet, but points to the key since %s", seen)
	}
	file := filepath.Join(t.TempDir(), "example.toml")
	policy := strings.Replace(c.MustCLI("tld", "show", "example"), "parent_server = ''", fmt.Sprintf("parent_server = '%s'", parent.Address()), 1)
	if !strings.Contains(policy, parent.Address()) {
		t.Fatalf("the document has no parent_server:\n%s", policy)
	}
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	c.MustCLI("tld", "apply", "-f", file, "--yes")
	c.Eventually(time.Minute, "the parent's DS record seen", func() error {
		if keys()[0].DSSeenAt == "" {
			return fmt.Errorf("not yet: %+v", keys())
		}
		return nil
	})

	key := registry.ZoneKey{TLD: "other", ID: "1", Role: registry.KeyCSK, Algorithm: 13, PublicKey: []byte(strings.Repeat("k", 64))}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, tld := range []registry.DomainName{"other", "bare"} {
		seen, err := parentKeys(ctx, parent.Address(), &registry.TLD{Name: tld}, []registry.ZoneKey{key})
		if err != nil || len(seen) > 0 {
			t.Errorf("the DS record of %s that is another key's, or none: %v, %v", tld, seen, err)
		}
	}
	if _, err := parentKeys(ctx, parent.Address(), &registry.TLD{Name: "absent"}, []registry.ZoneKey{key}); err == nil || !strings.Contains(err.Error(), "NXDOMAIN") {
		t.Errorf("a zone that the parent does not have: %v", err)
	}
	parent.Stop()
	if _, err := parentKeys(ctx, parent.Address(), &registry.TLD{Name: "other"}, []registry.ZoneKey{key}); err == nil {
		t.Error("a parent that is down answered")
	}
}
