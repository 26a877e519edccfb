package archtest_test

import (
	"slices"
	"strings"
	"testing"
)

// rule says what a package may import from this module and why the line is drawn there.
type rule struct {
	pkg    string // a package, with its sub-packages
	allows []string
	why    string
}

// rules lists the packages by level; what is not listed for a package is forbidden to it.
func rules() []rule {
	level1 := []string{"registry", "idn", "internal", "policy", "store"}
	level2 := slices.Concat(level1, []string{"fsm", "zone", "dnssec", "disclose"})
	level3 := slices.Concat(level2, []string{"raftnode"})
	return []rule{
		{"registry", []string{"idn"}, "nouns know no storage, protocol or rule"},
		{"idn", nil, "label rules stand alone"},
		{"internal", nil, "a leaf has one idea and no friends"},
		{"policy", []string{"registry", "idn", "internal"}, "rules are pure functions of the TLD record"},
		{"store", []string{"registry", "idn", "internal"}, "the state knows no commands"},
		{"fsm", level1, "the state machine knows neither Raft nor any protocol"},
		{"zone", []string{"registry", "idn", "internal", "policy", "store"}, "zone content is a pure function of objects"},
		{"disclose", []string{"registry", "idn", "internal", "policy", "store", "zone"}, "who sees what is decided once, below the protocols that show it"},
		{"dnssec", []string{"registry", "idn", "internal", "policy", "store", "zone"}, "signing knows zones, not how they are agreed on"},
		{"keystore", []string{"registry", "idn", "internal", "policy", "store", "zone", "dnssec"}, "what keeps private keys knows no network and no log"},
		{"raftnode", level2, "replication knows no edge"},
		{"epp", level2, "edges never import each other, raftnode or cluster"},
		{"whois", level2, "edges never import each other, raftnode or cluster"},
		{"rdap", level2, "edges never import each other, raftnode or cluster"},
		{"escrow", level2, "edges never import each other, raftnode or cluster"},
		{"console", level2, "edges never import each other, raftnode or cluster"},
		{"dnsedge", level2, "edges never import each other, raftnode or cluster"},
		{"publisher", level2, "the publisher proposes through an interface of its own"},
		{"cluster", level3, "the cluster knows no edge"},
	}
}

func within(pkg, parent string) bool { return pkg == parent || strings.HasPrefix(pkg, parent+"/") }

func TestImportsGoDownwards(t *testing.T) {
	for _, s := range sources(t) {
		at := slices.IndexFunc(rules(), func(r rule) bool { return within(s.pkg, r.pkg) })
		if at < 0 {
			if !within(s.pkg, "cmd") && !within(s.pkg, "sim") && !within(s.pkg, "bench") {
				t.Errorf("%s: package %s has no rule; give it a level in this test", s.path, s.pkg)
			}
			continue
		}
		r := rules()[at]
		for _, name := range s.imports {
			imported, ours := strings.CutPrefix(name, module+"/")
			if !ours || within(imported, r.pkg) || s.test && within(imported, "internal") {
				continue
			}
			allowed := slices.ContainsFunc(r.allows, func(a string) bool { return within(imported, a) })
			if !allowed && !s.test {
				t.Errorf("%s imports %s: %s", s.path, name, r.why)
			}
			if within(imported, "cmd") || within(imported, "sim") || within(imported, "bench") {
				t.Errorf("%s imports %s: nothing imports programs", s.path, name)
			}
		}
	}
}

func TestOnlyOwnersImportLibraries(t *testing.T) {
	owners := []struct {
		library string
		owners  []string
		why     string
	}{
		{"github.com/hashicorp/raft", []string{"raftnode"}, "raftnode alone speaks to Raft, so that its defects are wrapped in one place"},
		{"github.com/cockroachdb/pebble", []string{"store"}, "the engine stays behind the store"},
		{"go.etcd.io/bbolt", []string{"raftnode"}, "only the Raft log is kept in bbolt"},
		{"github.com/hashicorp/memberlist", []string{"cluster"}, "gossip carries hints for the cluster package alone"},
		{"google.golang.org/grpc", []string{"cluster", "cmd"}, "edges are reached by their own protocols"},
		{"github.com/spf13/cobra", []string{"cmd"}, "the command line is built in cmd"},
		{"github.com/miekg/dns", []string{"zone", "dnssec", "dnsedge", "cmd", "bench"}, "DNS records are made in zone and dnssec"},
	}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, o := range owners {
			for _, name := range s.imports {
				owned := slices.ContainsFunc(o.owners, func(owner string) bool { return within(s.pkg, owner) })
				if within(name, o.library) && !owned {
					t.Errorf("%s imports %s: %s", s.path, name, o.why)
				}
			}
		}
	}
}
