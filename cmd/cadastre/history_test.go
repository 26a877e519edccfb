package main

import (
	"encoding/json"
	"strings"
	"testing"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/registry"
)

// operateHistory looks at what was done to a name that is gone, and at the account that paid.
func operateHistory(t *testing.T, c *devtest.Cluster) {
	c.MustCLI("epp", "create", "domain", "past.example")
	var made []versionDocument
	decode := func(out string, into any) {
		t.Helper()
		if err := json.Unmarshal([]byte(out), into); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	decode(c.MustCLI("history", "past.example", "--json"), &made)
	if len(made) != 1 || made[0].Verb != "domain_create" || made[0].ActorKind != "registrar" || len(strings.Split(made[0].SvTRID, "-")) != 3 {
		t.Fatalf("history of a new name: %+v", made)
	}
	c.MustCLI("epp", "delete", "domain", "past.example")
	c.MustCLI("epp", "create", "domain", "past.example")
	var versions []versionDocument
	decode(c.MustCLI("history", "past.example", "--json"), &versions)
	if len(versions) != 3 || !versions[1].Deleted || versions[0].ROID != versions[1].ROID || versions[2].ROID == versions[0].ROID {
		t.Errorf("history of a name that was registered twice: %+v", versions)
	}
	if out := c.MustCLI("history", "past.example"); !strings.Contains(out, "domain_delete by registrar") || !strings.Contains(out, "    deleted\n") {
		t.Errorf("history: %s", out)
	}
	if out := c.MustCLI("show", "past.example", "--at", made[0].At); !strings.Contains(out, made[0].ROID) || !strings.Contains(out, "  expires_at: ") {
		t.Errorf("show: %s", out)
	}
	if r := c.CLI("show", "past.example", "--at", "2000-01-01"); r.Code != exitError || !strings.Contains(r.Stderr, "there was no domain") {
		t.Errorf("show before it was made: %d %s", r.Code, r.Stderr)
	}
	if r := c.CLI("show", "past.example"); r.Code != exitUsage {
		t.Errorf("show without a time: %d %s", r.Code, r.Stderr)
	}
	if r := c.CLI("history", "never.example"); r.Code != exitError || !strings.Contains(r.Stderr, "ever had this name") {
		t.Errorf("history of nothing: %d %s", r.Code, r.Stderr)
	}
	var registrars []registrarDocument
	decode(c.MustCLI("registrar", "list", "--json"), &registrars)
	for _, r := range registrars {
		var statement statementDocument
		decode(c.MustCLI("registrar", "ledger", r.ID, "--json"), &statement)
		var sum int64
		for _, e := range statement.Entries {
			minor, err := registry.ParseMinorUnits(e.Amount)
			if err != nil {
				t.Fatal(err)
			}
			sum += minor
		}
		if registry.FormatMinorUnits(sum) != r.Balance || statement.Balance != r.Balance || statement.Closing != r.Balance {
			t.Errorf("%s: the rows sum to %s, the balance is %s", r.ID, registry.FormatMinorUnits(sum), r.Balance)
		}
	}
	if out := c.MustCLI("registrar", "ledger", registrars[0].ID, "--from", "2000-01-01", "--to", "2000-01-02"); !strings.Contains(out, "The statement ends at 0.00") {
		t.Errorf("an early statement: %s", out)
	}
}
