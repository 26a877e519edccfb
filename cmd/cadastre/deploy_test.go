package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cadastre/cmd/cadastre/internal/devtest"
)

// TestDeployedMetricsExist proves that every metric that the alerting rules and the dashboard
// ask for is exported by the nodes of a running cluster.
func TestDeployedMetricsExist(t *testing.T) {
	c := devtest.Start(t, program(t))
	if _, err := queryDNS(t.Context(), c.Node("n1").DNS, "example", dns.TypeSOA); err != nil {
		t.Fatal(err)
	}
	exported := map[string]bool{"up": true} // Prometheus's own
	for _, n := range c.Info().Nodes {
		_, body := get(t, n.Metrics)
		for _, line := range strings.Split(body, "\n") {
			if name := regexp.MustCompile(`^[a-z_]+`).FindString(line); name != "" {
				exported[name] = true
			}
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
