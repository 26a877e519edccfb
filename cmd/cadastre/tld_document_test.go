package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"cadastre/fsm"
	"cadastre/registry"
)

func TestTLDDocumentRoundTrip(t *testing.T) {
	want := devTLD("example", 3)
	want.Policy.TTLBounds = []registry.TTLBounds{{Type: registry.RecordNS, Min: 60, Max: 86400, Default: 3600}, {Type: registry.RecordAAAA}}
	want.Policy.PremiumNames = []registry.PremiumName{{Label: "gold", Class: "tier 1", CreatePriceMinor: 50000, RenewPriceMinor: 20050, RestorePriceMinor: 1}, {Label: "free", Class: "gift"}}
	want.Policy.DataModel, want.Policy.AuthInfoDays = registry.DataModelPerRegistrar, 14
	want.Policy.RDDS = registry.RDDSPolicy{Availability: true, Disclosed: []string{"org", "city"}, ContactURI: "https://nic.example/c/{name}", TermsURI: "https://nic.example/terms"}
	want.Policy.AutoRenew, want.Policy.ExpiryGraceDays, want.Policy.PurgeTimeSeconds = false, 30, 50400
	want.Policy.KeepApplicationDays, want.Policy.KeepTokenDays = 15, 16
	want.Policy.SacrificialDomain = "kept.example"
	want.Policy.MaxRemovedDelegations, want.Policy.MaxRemovedPercent = 200, 5
	want.Policy.IDNTables, want.Policy.IDNVariantsForRegistrar, want.Policy.IDNTableRequired, want.Policy.IDNOnly = []string{"de", "el"}, true, true, true
	want.Policy.IDNCustomTables = []string{"tag: da\nname: Danish\nscripts: Latin\n0061-007A\n00E6 # ash\n"}
	want.Policy.LaunchPhases = []registry.LaunchPhase{
		{Phase: registry.Phase{Type: registry.PhaseSunrise}, StartsAt: time.UnixMilli(1700000000001).UTC(), EndsAt: time.UnixMilli(1710000000000).UTC(), Applications: true},
		{Phase: registry.Phase{Type: registry.PhaseCustom, Name: "idn first"}, EndsAt: time.UnixMilli(1710000000000).UTC(), NoticeRequired: true}, {Phase: registry.Phase{Type: registry.PhaseOpen}},
	}
	text, err := documentOf(want.Name, &want.Policy).toml()
	if err != nil {
		t.Fatal(err)
	}
	got, err := readTLDDocument(strings.NewReader(text), "test")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	compareAddr := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	if diff := cmp.Diff(want, got, compareAddr, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
	again, err := documentOfProto("example", fsm.PolicyToProto(&want.Policy)).toml()
	if err != nil || again != text {
		t.Errorf("the document differs after the way through the log: %v\n%s", err, strings.Join(diffLines(text, again), "\n"))
	}
}

func TestTLDDocumentRefusals(t *testing.T) {
	good, err := documentOf("example", &devTLD("example", 1).Policy).toml()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ old, new, want string }{
		"unknown key":   {"auto_renew =", "auto_renewal =", `unknown key "auto_renewal"`},
		"price":         {"'10.00'", "'10,00'", `key "create_price"`},
		"address":       {"'192.0.2.1'", "'192.0.2'", `"192.0.2" is not an IP address`},
		"name":          {"name = 'example'", "name = 'exa mple'", `key "name"`},
		"period":        {"max_period_years = 10", "max_period_years = 11", "periods run from 1 to 10 years"},
		"data model":    {"data_model = 'thick'", "data_model = 'thicker'", `key "data_model"`},
		"mname":         {"mname = 'a.nic.example'", "mname = ''", `key "soa.mname"`},
		"time of day":   {"purge_time_seconds = 0", "purge_time_seconds = 86401", "a time of day"},
		"sacrificial":   {"sacrificial_domain = ''", "sacrificial_domain = 'kept.test'", "directly below the TLD"},
		"no such table": {"idn_tables = []", "idn_tables = ['xx']", `no IDN table "xx"`},
		"rdds field":    {"disclosed = []", "disclosed = ['shoe']", "a field that is disclosed is one of"},
		"server in TLD": {"addresses = ['192.0.2.1', '2001:db8::1']", "addresses = []", "needs an address"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, test.old, test.new, 1)
			if text == good {
				t.Fatalf("the document does not hold %q:\n%s", test.old, good)
			}
			if _, err := readTLDDocument(strings.NewReader(text), "doc.toml"); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("readTLDDocument: %v, want %q", err, test.want)
			}
		})
	}
}

func TestDiffLines(t *testing.T) {
	for _, test := range []struct {
		old, new string
		want     []string
	}{
		{"a\nb\n", "a\nb\n", nil},
		{"", "a\n", []string{"+ a"}},
		{"a\nb\nc\n", "a\nx\nc\n", []string{"- b", "+ x"}},
		{"a\nb\n", "b\na\n", []string{"- a", "+ a"}},
	} {
		if diff := cmp.Diff(test.want, diffLines(test.old, test.new)); diff != "" {
			t.Errorf("diffLines(%q, %q):\n%s", test.old, test.new, diff)
		}
	}
}
