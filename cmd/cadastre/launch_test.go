package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cadastre/cmd/cadastre/internal/devtest"
)

// decodeJSON decodes what a verb printed for machines.
func decodeJSON(t *testing.T, out string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestLaunchByCommandLine takes a TLD through a launch, opens a reserved name with a token and
// restores a deleted name, all with the program's own verbs.
func TestLaunchByCommandLine(t *testing.T) {
	c := devtest.Start(t, program(t), "--nodes", "1", "--clock", "2027-01-01T00:00:00Z")
	launchTokens(t, c)
	launchPhases(t, c)
	launchRestore(t, c)
}

func launchTokens(t *testing.T, c *devtest.Cluster) {
	policy := c.MustCLI("tld", "show", "example")
	if !strings.Contains(policy, "reserved_labels = [") {
		t.Fatalf("the policy has no reserved labels: %s", policy)
	}
	applyPolicy(t, c, strings.Replace(policy, "reserved_labels = [", "reserved_labels = ['closed', ", 1))
	var made struct{ Token, ID string }
	decodeJSON(t, c.MustCLI("token", "create", "--name", "closed.example", "--registrar", "registrar-a", "--unlocks-reserved", "--price", "1.00", "--json"), &made)
	if out := c.MustCLI("epp", "check", "domain", "closed.example", "--token", made.Token, "--fees", "create"); !strings.Contains(out, "avail=1") || !strings.Contains(out, "1.00") {
		t.Errorf("check with a token: %s", out)
	}
	if r := c.CLI("epp", "create", "domain", "closed.example"); r.Code != exitError || !strings.Contains(r.Stdout, "2306") {
		t.Errorf("create without a token: %d %s", r.Code, r.Stdout)
	}
	if r := c.CLI("epp", "create", "domain", "closed.example", "--token", "guessed"); r.Code != exitError || !strings.Contains(r.Stdout, "2201") {
		t.Errorf("create with a wrong token: %d %s", r.Code, r.Stdout)
	}
	if out := c.MustCLI("epp", "-r", "registrar-a", "create", "domain", "closed.example", "--token", made.Token, "--fee", "1.00", "--currency", "EUR",
		"--ds", "12345 13 2 49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD"); !strings.Contains(out, "Registration fee]: 1.00") {
		t.Errorf("create with a token: %s", out)
	}
	if out := c.MustCLI("epp", "info", "domain", "closed.example"); !strings.Contains(out, "keyTag: 12345") {
		t.Errorf("info: %s", out)
	}
	c.MustCLI("epp", "update", "domain", "closed.example", "--rem-all-ds")
	if out := c.MustCLI("epp", "info", "domain", "closed.example"); strings.Contains(out, "keyTag") {
		t.Errorf("info after the DS record was removed: %s", out)
	}
	var tokens []tokenDocument
	decodeJSON(t, c.MustCLI("token", "list", "--json"), &tokens)
	if len(tokens) != 1 || tokens[0].ID != made.ID || tokens[0].State != "used" || tokens[0].LastUsedFor != "closed.example" || tokens[0].Price != "1.00" {
		t.Errorf("token list: %+v", tokens)
	}
	c.MustCLI("token", "create", "--tld", "example", "--unlimited", "--discount", "50", "--until", "2028-01-01")
	c.MustCLI("token", "revoke", made.ID)
	if out := c.MustCLI("token", "list"); !strings.Contains(out, "revoked") || strings.Contains(out, made.Token) {
		t.Errorf("token list: %s", out)
	}
	if r := c.CLI("token", "revoke", "0123456789abcdef"); r.Code != exitError || !strings.Contains(r.Stderr, "no such token") {
		t.Errorf("revoke of nothing: %d %s", r.Code, r.Stderr)
	}
}

// applyPolicy puts a policy document into force.
func applyPolicy(t *testing.T, c *devtest.Cluster, document string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.toml")
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	c.MustCLI("tld", "apply", "-f", file, "--yes")
}

func launchPhases(t *testing.T, c *devtest.Cluster) {
	c.MustCLI("epp", "create", "domain", "before.example")
	policy := c.MustCLI("tld", "show", "example")
	if !strings.Contains(policy, "launch_phases = []") {
		t.Fatalf("the policy has no launch phases to fill: %s", policy)
	}
	open := strings.Replace(policy, "launch_phases = []", `launch_phases = [
  {type = "landrush", ends_at = "2027-02-01T00:00:00Z", applications = true},
  {type = "open", starts_at = "2027-02-01T00:00:00Z"}]`, 1)
	applyPolicy(t, c, open)
	if out := c.MustCLI("tld", "show", "example"); !strings.Contains(out, "2027-02-01T00:00:00Z") {
		t.Errorf("the phases are lost: %s", out)
	}
	if r := c.CLI("epp", "create", "domain", "wish.example"); r.Code != exitError || !strings.Contains(r.Stdout, "running now: landrush") {
		t.Errorf("create in the landrush: %d %s", r.Code, r.Stdout)
	}
	if out := c.MustCLI("epp", "check", "domain", "wish.example", "--phase", "landrush"); !strings.Contains(out, "avail=1") {
		t.Errorf("check in the phase: %s", out)
	}
	for _, registrar := range []string{"registrar-a", "registrar-b"} {
		c.MustCLI("epp", "-r", registrar, "create", "domain", "wish.example", "--phase", "landrush", "--apply")
	}
	var applications []applicationDocument
	decodeJSON(t, c.MustCLI("launch", "applications", "--name", "wish.example", "--status", "validated", "--json"), &applications)
	if len(applications) != 2 || applications[0].Phase != "landrush" || applications[0].Reserved == "0.00" {
		t.Fatalf("applications: %+v", applications)
	}
	if out := c.MustCLI("epp", "-r", applications[0].Registrar, "info", "domain", "wish.example", "--phase", "landrush", "--application", applications[0].ID); !strings.Contains(out, "pendingCreate") {
		t.Errorf("info of an application: %s", out)
	}
	c.MustCLI("launch", "pend", applications[0].ID)
	c.MustCLI("launch", "allocate", applications[0].ID, "--reason", "first by lot")
	c.MustCLI("launch", "reject", applications[1].ID)
	if r := c.CLI("launch", "allocate", applications[1].ID); r.Code != exitError || !strings.Contains(r.Stderr, "which is final") {
		t.Errorf("allocate what was rejected: %d %s", r.Code, r.Stderr)
	}
	if out := c.MustCLI("epp", "-r", applications[0].Registrar, "info", "domain", "wish.example"); !strings.Contains(out, "clID: "+applications[0].Registrar) {
		t.Errorf("info of what was allocated: %s", out)
	}
	if out := c.MustCLI("epp", "-r", applications[1].Registrar, "poll"); !strings.Contains(out, "rejected") || !strings.Contains(out, "paResult=0") {
		t.Errorf("poll of who was rejected: %s", out)
	}
	c.MustCLI("clock", "set", "2027-02-01T00:00:00Z")
	c.MustCLI("epp", "create", "domain", "after.example")
	if r := c.CLI("launch", "applications", "--status", "none"); r.Code != exitUsage {
		t.Errorf("a status that there is none of: %d %s", r.Code, r.Stderr)
	}
}

func launchRestore(t *testing.T, c *devtest.Cluster) {
	c.MustCLI("epp", "delete", "domain", "before.example")
	if out := c.MustCLI("epp", "restore", "request", "domain", "before.example", "--fee", "40.00"); !strings.Contains(out, "pendingRestore") {
		t.Errorf("restore request: %s", out)
	}
	c.MustCLI("epp", "restore", "report", "domain", "before.example", "--deleted", "2027-02-01", "--restored", "2027-02-01",
		"--reason", "a mistake", "--pre", "before", "--post", "after", "--statement", "It was a mistake.")
	c.MustCLI("epp", "renew", "domain", "before.example", "--expires", "2028-01-01", "--fee", "10.00")
}
