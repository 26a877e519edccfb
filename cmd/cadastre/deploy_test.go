package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"cadastre/cmd/cadastre/internal/devtest"
	"cadastre/dnsedge"
)

// TestDeployedMetricsExist proves that every metric that the alerting rules and the dashboard
// ask for is exported by the nodes of a running cluster.
func TestDeployedMetricsExist(t *testing.T) {
	c := devtest.Start(t, program(t))
	if _, err := queryDNS(t.Context(), c.Node("n1").DNS, "example", dns.TypeSOA); err != nil {
		t.Fatal(err)
	}
	c.MustCLI("epp", "check", "domain", "any.example")
	c.Eventually(20*time.Second, "a comparison of state hashes", func() error {
		if _, body := get(t, c.Node("n3").Metrics); !comparedHash.MatchString(body) {
			return errors.New("no hash was compared")
		}
		return nil
	})
	requireAlertsOnce(t)
	checkWithPromtool(t)
	exported := map[string]bool{"up": true} // Prometheus's own
	for _, n := range c.Info().Nodes {
		_, body := get(t, n.Metrics)
		for _, line := range strings.Split(body, "\n") {
			if name := regexp.MustCompile(`^[a-z_]+`).FindString(line); name != "" {
				exported[name] = true
			}
		}
	}
	for _, name := range metricsOfSecondaries(t) {
		exported[name] = true
	}
	for _, name := range requiredMetrics() {
		if !exported["cadastre_"+name] {
			t.Errorf("no node exports cadastre_%s", name)
		}
	}
	expressions := append(ruleExpressions(t), dashboardExpressions(t)...)
	if len(expressions) < 30 {
		t.Fatalf("only %d expressions were found", len(expressions))
	}
	metric := regexp.MustCompile(`(?:^|[^a-z_:])((?:cadastre|process|go)_[a-z_]+|up)\b`)
	used := map[string]bool{}
	for _, expression := range expressions {
		names := metric.FindAllStringSubmatch(expression, -1)
		if names == nil {
			t.Errorf("%q asks for no metric", expression)
		}
		for _, name := range names {
			used[name[1]] = true
			if !exported[name[1]] {
				t.Errorf("%q asks for %s, which no node exports", expression, name[1])
			}
		}
	}
	for name := range exported {
		if strings.HasPrefix(name, "cadastre_") && !used[name] {
			t.Logf("%s is on no panel and in no rule", name)
		}
	}
}

// metricsOfSecondaries returns what a node with secondaries exports besides: the cluster of
// this test has none.
func metricsOfSecondaries(t *testing.T) (names []string) {
	t.Helper()
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("cadastre_"+name, help, labels, nil)
	}
	out := make(chan prometheus.Metric, 100)
	now := time.Now()
	newTransferDescs(desc).collect(out, &dnsedge.TransferStats{}, []dnsedge.SecondaryStatus{{Name: "lab", Zone: "example", HeldAt: now, AcknowledgedAt: now}})
	close(out)
	for metric := range out {
		if name := regexp.MustCompile(`cadastre_[a-z_]+`).FindString(metric.Desc().String()); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// comparedHash matches a node that has found its state equal to the leader's.
var comparedHash = regexp.MustCompile(`(?m)^cadastre_state_hash_compared_index [1-9]`)

// requiredMetrics are what an operator must be able to see of every node.
func requiredMetrics() []string {
	return []string{
		"raft_term", "raft_is_leader", "raft_commit_index", "raft_members", "applied_index", "applied_lag_entries",
		"raft_commit_seconds_bucket", "raft_apply_seconds_bucket", "raft_append_seconds_bucket", "raft_entry_commands_bucket", "raft_apply_entries_bucket",
		"raft_log_entry_bytes", "raft_log_file_bytes", "raft_log_oldest_entry_seconds",
		"raft_snapshots_total", "raft_installs_sent_total", "raft_installs_total",
		"state_hash_match", "state_hash_compared_index", "clock_step_seconds", "disk_free_bytes", "disk_low", "proposals_refused_total",
		"epp_commands_total", "epp_command_seconds_bucket", "epp_sessions", "dns_queries_total", "dns_rcodes_total", "whois_queries_total",
		"grpc_requests_total", "grpc_request_seconds_bucket", "trusted_authorities", "gossip_keys",
	}
}

// requireAlertsOnce finds alerts of one name, of which Prometheus's tool complains too.
func requireAlertsOnce(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/prometheus/cadastre.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^ +- alert: (.*)$`).FindAllSubmatch(text, -1) {
		if name := string(match[1]); seen[name] {
			t.Errorf("there are two alerts %s", name)
		} else {
			seen[name] = true
		}
	}
}

// checkWithPromtool has Prometheus's own tool read the rules, and the expressions of the
// dashboard as if they were rules, where it is installed.
func checkWithPromtool(t *testing.T) {
	t.Helper()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("SKIPPED: promtool is not installed; the rules are read by this test only")
		return
	}
	if out, err := exec.Command(promtool, "check", "rules", "../../deploy/prometheus/cadastre.rules.yml").CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
	rules := "groups:\n- name: dashboard\n  rules:\n"
	for i, expression := range dashboardExpressions(t) {
		expression = strings.NewReplacer("$__rate_interval", "5m", "$job", "cadastre").Replace(expression)
		rules += fmt.Sprintf("  - {record: \"panel%d\", expr: %q}\n", i, expression)
	}
	if out, err := exec.Command(promtool, "check", "rules", tempFile(t, "dashboard.yml", rules)).CombinedOutput(); err != nil {
		t.Errorf("promtool on the dashboard: %v\n%s", err, out)
	}
}

func ruleExpressions(t *testing.T) (list []string) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/prometheus/cadastre.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`(?m)^ +expr: (.*)$`).FindAllSubmatch(text, -1) {
		list = append(list, string(match[1]))
	}
	return list
}

func dashboardExpressions(t *testing.T) (list []string) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/grafana/cadastre.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			list = append(list, target.Expr)
		}
	}
	return list
}
