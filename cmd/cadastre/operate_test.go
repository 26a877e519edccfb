package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/internal/devcluster"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// TestOperate goes through what an operator does to a running cluster.
func TestOperate(t *testing.T) {
	c := devtest.Start(t, program(t), "--nodes", "1")
	for _, part := range []struct {
		name string
		test func(t *testing.T, c *devtest.Cluster)
	}{
		{"tld", operateTLD}, {"registrar", operateRegistrar}, {"history", operateHistory}, {"status", operateStatus}, {"maintenance", operateMaintenance}, {"idn", operateIDN}, {"metrics", operateMetrics}, {"clock", operateClock}, {"members", operateMembers},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, c) })
	}
}

// tempFile writes a file and returns its path.
func tempFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func operateTLD(t *testing.T, c *devtest.Cluster) {
	policy := c.MustCLI("tld", "show", "example")
	same := tempFile(t, "same.toml", policy)
	if out := c.MustCLI("tld", "apply", "-f", same, "--yes"); !strings.Contains(out, "0 lines differ; nothing was changed") {
		t.Errorf("apply of the same policy: %s", out)
	}
	dearer := tempFile(t, "dearer.toml", strings.Replace(policy, "create_price = '10.00'", "create_price = '12.50'", 1))
	difference := "- create_price = '10.00'\n+ create_price = '12.50'\n"
	if out := c.MustCLI("tld", "apply", "-f", dearer, "--dry-run"); !strings.Contains(out, difference) {
		t.Errorf("dry run: %s", out)
	}
	if r := c.CLI("tld", "apply", "-f", dearer); r.Code != exitError || !strings.Contains(r.Stderr, "nothing was changed") {
		t.Errorf("apply without an answer: %d %s", r.Code, r.Stderr)
	}
	if again := c.MustCLI("tld", "show", "example"); again != policy {
		t.Errorf("the policy changed:\n%s", again)
	}
	if out := c.MustCLI("tld", "apply", "-f", dearer, "--yes"); !strings.Contains(out, difference) || !strings.Contains(out, "Applied to .example.") {
		t.Errorf("apply: %s", out)
	}
	if list := c.MustCLI("tld", "list"); !regexp.MustCompile(`(?m)^example +12\.50 +10\.00 +40\.00`).MatchString(list) {
		t.Errorf("list: %s", list)
	}
	broken := tempFile(t, "broken.toml", strings.Replace(policy, "auto_renew =", "auto_renewal =", 1))
	if r := c.CLI("tld", "apply", "-f", broken, "--yes"); r.Code != exitError || !strings.Contains(r.Stderr, `unknown key "auto_renewal"`) {
		t.Errorf("apply of an unknown key: %d %s", r.Code, r.Stderr)
	}
}

func operateRegistrar(t *testing.T, c *devtest.Cluster) {
	certs := t.TempDir()
	if r := devtest.Run(t, program(t), "ca", "registrar", "acme", "--dir", filepath.Join(c.Dir, "ca"), "--out", certs); r.Code != exitOK {
		t.Fatal(r.Stderr)
	}
	password, cert, key := tempFile(t, "pw", "s3cret-pw\n"), filepath.Join(certs, "acme.crt"), filepath.Join(certs, "acme.key")
	c.MustCLI("registrar", "create", "acme", "--password-file", password, "--epp-cert", cert, "--tld", "example", "--deposit", "12.50")
	epp := func(args ...string) devcluster.Result {
		return devtest.Run(t, program(t), append([]string{"epp", "--addr", c.Node("n1").EPP, "--ca", c.Info().CA,
			"--cert", cert, "--key", key, "--id", "acme", "--password-file", password}, args...)...)
	}
	if r := epp("create", "domain", "acme.example"); r.Code != exitOK {
		t.Errorf("create: %s%s", r.Stdout, r.Stderr)
	}
	if r := epp("create", "domain", "acme-2.example"); r.Code != exitError || !strings.HasPrefix(r.Stdout, "2104 ") {
		t.Errorf("create without credit: %s%s", r.Stdout, r.Stderr)
	}
	c.MustCLI("registrar", "set", "acme", "--deposit", "100.00")
	if list := c.MustCLI("registrar", "list"); !regexp.MustCompile(`(?m)^acme .* 100\.00 `).MatchString(list) {
		t.Errorf("list: %s", list)
	}
	c.MustCLI("registrar", "set", "acme", "--state", "suspended", "--reason", "test")
	if r := epp("create", "domain", "acme-2.example"); r.Code != exitError {
		t.Errorf("create while suspended: %s%s", r.Stdout, r.Stderr)
	}
	if r := epp("info", "domain", "acme.example", "--xml"); r.Code != exitOK || !strings.Contains(r.Stdout, "<domain:name>acme.example</domain:name>") {
		t.Errorf("info while suspended: %s%s", r.Stdout, r.Stderr)
	}
	wrong := tempFile(t, "wrong", "another-pw\n")
	if r := epp("info", "domain", "acme.example", "--password-file", wrong); r.Code != exitError || !strings.Contains(r.Stderr, "login as acme: 2200") {
		t.Errorf("a wrong password: %d %s%s", r.Code, r.Stdout, r.Stderr)
	}
	raw := tempFile(t, "raw.xml", `<?xml version="1.0"?><epp xmlns="urn:ietf:params:xml:ns:epp-1.0"><hello/></epp>`)
	if r := epp("--raw", raw, "--no-login"); r.Code != exitOK || !strings.Contains(r.Stdout, "<greeting>") {
		t.Errorf("raw hello: %d %s%s", r.Code, r.Stdout, r.Stderr)
	}
}

func operateMetrics(t *testing.T, c *devtest.Cluster) {
	url := c.Node("n1").Metrics
	_, body := get(t, url)
	for _, want := range []string{
		"cadastre_raft_is_leader 1", "cadastre_raft_term ", "cadastre_applied_index ", `cadastre_dns_queries_total{transport="udp"} `,
		"cadastre_build_info{", `cadastre_dns_zone_serial{tld="example"} `,
	} {
		if !strings.Contains(body, "\n"+want) {
			t.Errorf("/metrics lacks %q", want)
		}
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if code, body := get(t, strings.TrimSuffix(url, "/metrics")+path); code != http.StatusOK || !strings.Contains(body, `"ok":true`) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

func operateClock(t *testing.T, c *devtest.Cluster) {
	if r := c.CLI("clock", "advance", "1d"); r.Code != exitError || !strings.Contains(r.Stderr, "only a cluster made with a manual clock can be moved") {
		t.Errorf("moving a system clock: %d %s", r.Code, r.Stderr)
	}
}

func operateMembers(t *testing.T, c *devtest.Cluster) {
	if r := c.CLI("cluster", "remove", "n1"); r.Code != exitError || !strings.Contains(r.Stderr, "the only voter cannot be removed") {
		t.Errorf("removing the only voter: %d %s", r.Code, r.Stderr)
	}
	if out := c.MustCLI("cluster", "members", "--local"); !regexp.MustCompile(`(?m)^n1 +voter +leader +up`).MatchString(out) {
		t.Errorf("members: %s", out)
	}
}

// TestReadyzWithoutLeader proves that a node without a leader says so and stays alive.
func TestReadyzWithoutLeader(t *testing.T) {
	c := devtest.Start(t, program(t))
	c.KillNode("n2")
	c.KillNode("n3")
	base := strings.TrimSuffix(c.Node("n1").Metrics, "/metrics")
	c.Eventually(10*time.Second, "the loss of the leader", func() error {
		code, body := get(t, base+"/readyz")
		if code != http.StatusServiceUnavailable || !strings.Contains(body, "no leader is known") {
			return io.ErrNoProgress
		}
		return nil
	})
	if code, _ := get(t, base+"/livez"); code != http.StatusOK {
		t.Errorf("/livez: %d", code)
	}
	// What needs no leader still works.
	if out := c.MustCLI("cluster", "members", "--local", "--node", "n1"); !strings.Contains(out, "leader: none known") {
		t.Errorf("members without a leader: %s", out)
	}
	if out := c.MustCLI("epp", "--node", "n1", "hello"); !strings.Contains(out, "server: cadastre n1") {
		t.Errorf("hello without a leader: %s", out)
	}
}
