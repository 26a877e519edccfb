package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cadastre/cluster"
	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/epp/eppclient"
)

// operatorOf issues an operator's certificate and returns the flags that use it on a node.
func operatorOf(t *testing.T, c *devtest.Cluster, name, dir, node string) []string {
	t.Helper()
	if r := devtest.Run(t, program(t), "ca", "operator", name, "--dir", filepath.Join(c.Dir, "ca"), "--out", dir); r.Code != exitOK {
		t.Fatal(r.Stderr)
	}
	p := cluster.PathsIn(dir, name)
	return []string{"--addr", c.Node(node).Admin, "--ca", p.CA, "--cert", p.Certificate, "--key", p.Key}
}

// TestAuthorityRotation replaces the authority of a cluster under load: what the old one
// issued works until the end, and nothing of it afterwards.
func TestAuthorityRotation(t *testing.T) {
	c := devtest.Start(t, program(t))
	info, ca, dir := c.Info(), filepath.Join(c.Dir, "ca"), t.TempDir()
	old, err := cluster.LoadCA(ca)
	if err != nil {
		t.Fatal(err)
	}
	oldOperator := operatorOf(t, c, "olga", filepath.Join(dir, "old"), "n2")
	load := startLoad(t, info, "n1", "n2", "n3")
	do := func(flags []string, args ...string) (int, string) {
		t.Helper()
		r := devtest.Run(t, program(t), append(args, flags...)...)
		return r.Code, r.Stdout + r.Stderr
	}
	if code, out := do(oldOperator, "ca", "rotate", "--dir", ca); code != exitOK {
		t.Fatalf("rotate: %s\n%s", out, c.Logs())
	} else {
		requireLines(t, "rotate", out, "every node trusts 2 of 2 authorities", "node n1 has a certificate", "node n2 has a certificate", "node n3 has a certificate", "the new authority issues")
	}
	if code, out := do(oldOperator, "ca", "rotate", "--dir", ca); code != exitError || !strings.Contains(out, "run this with --finish") {
		t.Errorf("rotate again: %d %s", code, out)
	}
	// The nodes' certificates are new now, and a client who knows only the old authority
	// must be given the new one; the dev cluster's clients take it from the folder.
	if code, out := do(oldOperator, "ca", "rotate", "--dir", ca, "--finish"); code != exitError {
		t.Errorf("finish by an operator of the old authority: %d %s", code, out)
	}
	newOperator := operatorOf(t, c, "olga", filepath.Join(dir, "new"), "n3")
	if code, out := do(newOperator, "cluster", "members"); code != exitOK {
		t.Errorf("an operator of the new authority: %s", out)
	}
	names := load.settle(t)
	registrar := info.Registrars[0]
	if r := devtest.Run(t, program(t), "ca", "registrar", registrar.ID, "--dir", ca, "--out", filepath.Join(dir, "registrar")); r.Code != exitOK {
		t.Fatal(r.Stderr)
	}
	renewed := cluster.PathsIn(filepath.Join(dir, "registrar"), registrar.ID)
	if code, out := do(newOperator, "registrar", "set", registrar.ID, "--add-epp-cert", renewed.Certificate); code != exitOK {
		t.Fatalf("registrar set: %s", out)
	}
	if code, out := do(newOperator, "ca", "rotate", "--dir", ca, "--finish"); code != exitOK || !strings.Contains(out, "every node trusts 1 of 2") {
		t.Fatalf("finish: %d %s", code, out)
	}
	// The old certificate with the new ca.crt, so that only the server can refuse.
	oldPaths := cluster.PathsIn(filepath.Join(dir, "old"), "olga")
	mixed := []string{"--addr", c.Node("n1").Admin, "--ca", filepath.Join(dir, "new", "ca.crt"), "--cert", oldPaths.Certificate, "--key", oldPaths.Key}
	if code, out := do(mixed, "cluster", "members"); code != exitError {
		t.Errorf("an operator of the old authority after the end: %s", out)
	}
	config, err := eppclient.LoadTLS(renewed.CA, renewed.Certificate, renewed.Key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := eppclient.Dial(context.Background(), eppclient.Config{Address: c.Node("n1").EPP, TLS: config, Timeout: faultTimeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Login(context.Background(), registrar.ID, registrar.Password); err != nil {
		t.Fatal(err)
	}
	if response, err := client.Do(context.Background(), domainInfo(names[len(names)-1]), "rot-1"); err != nil || response.Code() != 1000 {
		t.Errorf("info after the rotation: %v, %v", response, err)
	}
	trusted, err := cluster.LoadCA(ca)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := trusted.Trusted(); err != nil || len(list) != 1 || list[0].Equal(old.Certificate()) {
		t.Errorf("the folder trusts %d authorities, %v", len(list), err)
	}
	// The nodes go on among themselves: leadership moves and commands commit.
	c.Eventually(30*time.Second, "n2 leads", func() error {
		if code, out := do(newOperator, "cluster", "transfer-leader", "n2"); code != exitOK {
			return &usageError{out}
		}
		return nil
	})
	if code, out := do(newOperator, "registrar", "set", registrar.ID, "--name", "After the rotation"); code != exitOK {
		t.Errorf("a command after the rotation: %s", out)
	}
}

func TestRevokedOperator(t *testing.T) {
	c := devtest.Start(t, program(t))
	dir := t.TempDir()
	bob := operatorOf(t, c, "bob", filepath.Join(dir, "bob"), "n2")
	do := func(flags []string, args ...string) (int, string) {
		t.Helper()
		r := devtest.Run(t, program(t), append(args, flags...)...)
		return r.Code, r.Stdout + r.Stderr
	}
	if code, out := do(bob, "cluster", "members"); code != exitOK {
		t.Fatal(out)
	}
	if code, out := do(bob, "operator", "revoke", "bob"); code != exitError || !strings.Contains(out, "would revoke the certificate that asks") {
		t.Errorf("bob locks himself out: %d %s", code, out)
	}
	c.MustCLI("operator", "revoke", "bob", "--reason", "left the company")
	c.Eventually(10*time.Second, "bob is refused by the node that he asks", func() error {
		if code, out := do(bob, "cluster", "members"); code != exitError || !strings.Contains(out, "the certificate was revoked") {
			return &usageError{out}
		}
		return nil
	})
	requireLines(t, "revoked", c.MustCLI("operator", "revoked"), "bob", "all up to then")
	// Certificates tell seconds only: one of the second of the revocation is taken for older.
	var again []string
	c.Eventually(10*time.Second, "a certificate that bob gets afterwards admits", func() error {
		again = operatorOf(t, c, "bob", filepath.Join(dir, "again"), "n2")
		if code, out := do(again, "cluster", "members"); code != exitOK {
			return &usageError{out}
		}
		return nil
	})
	sum := fingerprintOf(t, filepath.Join(dir, "again", "bob.crt"))
	c.MustCLI("operator", "revoke", "bob", "--sha256", sum)
	c.Eventually(10*time.Second, "that one is refused too", func() error {
		if code, out := do(again, "cluster", "members"); code != exitError || !strings.Contains(out, "the certificate was revoked") {
			return &usageError{out}
		}
		return nil
	})
}

func fingerprintOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", cluster.Fingerprint(cert))
}
