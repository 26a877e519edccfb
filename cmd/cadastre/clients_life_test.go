package main

import (
	"os/exec"
	"testing"

	"cadastre/cmd/cadastre/internal/devtest"
)

// TestForeignClientRestoresADomain drives a cluster with a manual clock through Net::EPP: DS
// records and a renamed host, and past the add grace period a deletion and a restore.
func TestForeignClientRestoresADomain(t *testing.T) {
	requireTool(t, "perl", "perl")
	if err := exec.Command("perl", "-MNet::EPP::Simple", "-e", "1").Run(); err != nil {
		t.Skip("SKIPPED: Net::EPP is not installed (Debian: apt-get install libnet-epp-perl)")
	}
	c := devtest.Start(t, program(t), "--clock", "2026-02-01T00:00:00Z")
	info := c.Info()
	registrar := info.Registrars[0]
	stage := func(node, name, now string) string {
		host, port := hostPort(t, c.Node(node).EPP)
		return runTool(t, "perl", "testdata/clients/netepp_life.pl", host, port, registrar.ID, registrar.Password, registrar.Cert, registrar.Key, info.CA, "life-1", name, now)
	}
	requireLines(t, "Net::EPP", stage("n3", "begin", ""), "rename the host 1000", "done begin life-1.example")
	c.MustCLI("clock", "advance", "6d")
	requireLines(t, "Net::EPP", stage("n2", "end", "2026-02-07T00:00:00Z"), "request the restore 1000", "report the restore 1000", "done end life-1.example")
}
