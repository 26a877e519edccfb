package main

import (
	"strings"
	"testing"

	"cadastre/cmd/cadastre/internal/devtest"
)

func TestStatusFlags(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"nothing":           {[]string{"domain", "status", "a.example", "--reason", "x"}, "give --add or --remove"},
		"no reason":         {[]string{"domain", "status", "a.example", "--add", "serverHold"}, "--reason is missing"},
		"client status":     {[]string{"domain", "status", "a.example", "--add", "clientHold", "--reason", "x"}, "clientHold: want one of serverHold"},
		"hold of a host":    {[]string{"host", "status", "ns.a.example", "--add", "serverHold", "--reason", "x"}, "serverHold: want one of serverUpdateProhibited"},
		"renewal":           {[]string{"contact", "status", "c-1", "--remove", "serverRenewProhibited", "--reason", "x"}, "want one of serverUpdateProhibited"},
		"client of an org":  {[]string{"org", "status", "res1523", "--add", "clientLinkProhibited", "--reason", "x"}, "want one of serverUpdateProhibited, serverDeleteProhibited, serverLinkProhibited, hold, terminated"},
		"case without type": {[]string{"domain", "status", "a.example", "--add", "serverHold", "--reason", "x", "--case-id", "1"}, "go together"},
		"unknown case":      {[]string{"domain", "status", "a.example", "--add", "serverHold", "--reason", "x", "--case-id", "1", "--case-type", "court"}, "want urs, udrp or custom"},
		"named URS":         {[]string{"domain", "status", "a.example", "--add", "serverHold", "--reason", "x", "--case-id", "1", "--case-type", "urs", "--case-name", "y"}, "--case-name is for"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs strings.Builder
			if code := run(t.Context(), test.args, strings.NewReader(""), &out, &errs); code != exitUsage || !strings.Contains(errs.String(), test.want) {
				t.Errorf("%d %s, want %q", code, errs.String(), test.want)
			}
		})
	}
}

// operateStatus locks a domain and takes it out of the zone, and its registrar learns of it.
func operateStatus(t *testing.T, c *devtest.Cluster) {
	c.MustCLI("epp", "create", "domain", "locked.example")
	if out := c.MustCLI("domain", "status", "locked.example", "--add", "serverHold,serverDeleteProhibited", "--reason", "URS lock",
		"--case-id", "urs-17", "--case-type", "urs"); !strings.Contains(out, "Changed domain locked.example.") {
		t.Errorf("status: %s", out)
	}
	if r := c.CLI("epp", "delete", "domain", "locked.example"); r.Code != exitError || !strings.HasPrefix(r.Stdout, "2304 ") {
		t.Errorf("delete while locked: %d %s%s", r.Code, r.Stdout, r.Stderr)
	}
	if out := c.MustCLI("epp", "poll", "--xml"); !strings.Contains(out, "in urs case urs-17") {
		t.Errorf("poll: %s", out)
	}
	if r := c.CLI("domain", "status", "locked.example", "--add", "serverHold", "--reason", "again"); r.Code != exitError || !strings.Contains(r.Stderr, "is set already") {
		t.Errorf("setting a status twice: %d %s", r.Code, r.Stderr)
	}
	c.MustCLI("epp", "create", "org", "locked-org", "--role", "reseller", "--name", "Locked Resale")
	if out := c.MustCLI("org", "status", "locked-org", "--add", "hold", "--reason", "unpaid"); !strings.Contains(out, "Changed org locked-org.") {
		t.Errorf("status of an organisation: %s", out)
	}
	if r := c.CLI("epp", "delete", "org", "locked-org"); r.Code != exitError || !strings.HasPrefix(r.Stdout, "2304 ") {
		t.Errorf("delete on hold: %d %s%s", r.Code, r.Stdout, r.Stderr)
	}
	if out := c.MustCLI("history", "LOCKED-ORG"); !strings.Contains(out, "+ statuses: hold") || !strings.Contains(out, "because: unpaid") {
		t.Errorf("history of an organisation: %s", out)
	}
	c.MustCLI("org", "status", "locked-org", "--remove", "hold", "--reason", "paid")
	c.MustCLI("epp", "delete", "org", "locked-org")
	c.MustCLI("domain", "status", "locked.example", "--remove", "serverHold,serverDeleteProhibited", "--reason", "URS decided")
	c.MustCLI("epp", "delete", "domain", "locked.example")
}
