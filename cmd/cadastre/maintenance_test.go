package main

import (
	"regexp"
	"strings"
	"testing"

	"cadastre/cmd/cadastre/internal/devtest"
)

func operateMaintenance(t *testing.T, c *devtest.Cluster) {
	out := c.MustCLI("maintenance", "create", "--name", "New disks", "--start", "2099-03-01T02:00:00Z", "--end", "2099-03-01T04:00:00Z",
		"--system", "EPP@epp.registry.example=full", "--system", "DNS=none", "--tld", "example", "--reconnect", "--reason", "old disks")
	id := regexp.MustCompile(`[A-Z0-9]+-REG`).FindString(out)
	if id == "" {
		t.Fatalf("no id: %s", out)
	}
	c.MustCLI("maintenance", "update", id, "--end", "2099-03-01T05:00:00Z", "--reason", "many disks")
	if out := c.MustCLI("maintenance", "list"); !strings.Contains(out, id) || !strings.Contains(out, "2099-03-01T05:00:00.000Z") || !strings.Contains(out, "EPP@epp.registry.example=full,DNS=none") {
		t.Errorf("list: %s", out)
	}
	c.MustCLI("maintenance", "cancel", id, "--reason", "disks are out of stock")
	shown := c.MustCLI("maintenance", "show", id)
	for _, want := range []string{"state         cancelled", "maintenance_create by", "because: old disks", "because: many disks", "maintenance_cancel by", "intervention  connect anew", "courtesy      24 hours before"} {
		if !strings.Contains(shown, want) {
			t.Errorf("show lacks %q: %s", want, shown)
		}
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"cancel", id}, "over or cancelled"},
		{[]string{"show", "X-REG"}, "never was"},
		{[]string{"create", "--start", "2099-01-01", "--end", "2099-01-02"}, "--system is missing"},
		{[]string{"create", "--start", "2099-01-01", "--end", "2099-01-02", "--system", "EPP=heavy"}, "NAME=IMPACT"},
		{[]string{"create", "--start", "2099-01-02", "--end", "2099-01-01", "--system", "EPP=full"}, "ends after it starts"},
		{[]string{"create", "--start", "soon", "--end", "2099-01-01", "--system", "EPP=full"}, "--start"},
		{[]string{"update", id, "--courtesy", "90m"}, "whole hours"},
	} {
		if r := c.CLI(append([]string{"maintenance"}, test.args...)...); r.Code == 0 || !strings.Contains(r.Stderr, test.want) {
			t.Errorf("%v: %+v, want %q", test.args, r, test.want)
		}
	}
}

// operateIDN offers tables, and names domains in Unicode.
func operateIDN(t *testing.T, c *devtest.Cluster) {
	if out := c.MustCLI("tld", "tables"); !strings.Contains(out, "und-Latn") || !strings.Contains(out, "Greek") {
		t.Errorf("tables: %s", out)
	}
	policy := c.MustCLI("tld", "show", "example")
	changed := strings.Replace(policy, "idn_tables = []", "idn_tables = ['el']", 1)
	if out := c.MustCLI("tld", "apply", "-f", tempFile(t, "idn.toml", changed), "--yes"); !strings.Contains(out, "el") {
		t.Errorf("apply: %s", out)
	}
	if r := c.CLI("domain", "status", "λόγος.example", "--add", "serverHold", "--reason", "court order"); r.Code == 0 || !strings.Contains(r.Stderr, "xn--oxapnm1c.example") {
		t.Errorf("a name in Unicode is not what it is asked for: %+v", r)
	}
	if r := c.CLI("history", "λ❤.example"); r.Code == 0 || !strings.Contains(r.Stderr, "U+2764") {
		t.Errorf("a name that cannot be: %+v", r)
	}
}
