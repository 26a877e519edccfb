package policy_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"cadastre/policy"
	"cadastre/registry"
)

func TestAddYearsKeepsTheDate(t *testing.T) {
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 12, 0, 0, 0, time.UTC) }
	tests := []struct {
		from  time.Time
		years uint32
		want  time.Time
	}{
		{day(2026, 1, 31), 1, day(2027, 1, 31)},
		{day(2024, 2, 29), 1, day(2025, 2, 28)},
		{day(2024, 2, 29), 4, day(2028, 2, 29)},
		{day(2024, 12, 31), 10, day(2034, 12, 31)},
	}
	for _, test := range tests {
		if got := policy.AddYears(test.from, test.years); !got.Equal(test.want) {
			t.Errorf("%v and %d years: %v, want %v", test.from, test.years, got, test.want)
		}
	}
}

func TestCheckAddress(t *testing.T) {
	strict := &registry.TLD{Name: "example"}
	lenient := &registry.TLD{Name: "example", Policy: registry.TLDPolicy{AllowPrivateAddresses: true}}
	tests := []struct {
		addr            string
		strict, lenient bool
	}{
		{"8.8.8.8", true, true}, {"2a00::1", true, true},
		{"192.0.2.1", false, true}, {"10.1.2.3", false, true}, {"2001:db8::1", false, true}, {"fd00::1", false, true}, {"100.64.0.1", false, true},
		{"127.0.0.1", false, false}, {"0.0.0.0", false, false}, {"0.1.2.3", false, false}, {"255.255.255.255", false, false}, {"224.0.0.1", false, false},
		{"169.254.1.1", false, false}, {"::", false, false}, {"::1", false, false}, {"fe80::1", false, false}, {"ff02::1", false, false}, {"::ffff:8.8.8.8", false, false},
	}
	for _, test := range tests {
		addr := netip.MustParseAddr(test.addr)
		if got := policy.CheckAddress(strict, addr) == nil; got != test.strict {
			t.Errorf("%s under a strict policy: %v", test.addr, got)
		}
		if got := policy.CheckAddress(lenient, addr) == nil; got != test.lenient {
			t.Errorf("%s under a lenient policy: %v", test.addr, got)
		}
	}
}

func TestPeriodYears(t *testing.T) {
	tld := &registry.TLD{Policy: registry.TLDPolicy{MinPeriodYears: 2, MaxPeriodYears: 5}}
	for in, want := range map[uint32]uint32{0: 2, 2: 2, 5: 5, 1: 0, 6: 0} {
		if got, err := policy.PeriodYears(tld, in); got != want || (err == nil) != (want != 0) {
			t.Errorf("%d: %d, %v", in, got, err)
		}
	}
}

func TestCheckPolicyNamesTheField(t *testing.T) {
	good := func() *registry.TLDPolicy {
		return &registry.TLDPolicy{
			ROIDSuffix: "EX", Currency: "EUR", MinPeriodYears: 1, MaxPeriodYears: 10, MaxNameServers: 13,
			ApexServers: []registry.ApexServer{{Name: "a.nic.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}},
			SOAMName:    "a.nic.example", SOARName: "h.nic.example", SOARefreshSeconds: 1, SOARetrySeconds: 1, SOAExpireSeconds: 1, SOAMinimumSeconds: 1,
			ApexTTLSeconds: 1, DelegationTTLSeconds: 1,
		}
	}
	if err := policy.CheckPolicy("example", good()); err != nil {
		t.Fatalf("a good policy is refused: %v", err)
	}
	for field, spoil := range map[string]func(*registry.TLDPolicy){
		"roid_suffix":            func(p *registry.TLDPolicy) { p.ROIDSuffix = "toolongsuffix" },
		"currency":               func(p *registry.TLDPolicy) { p.Currency = "" },
		"prices":                 func(p *registry.TLDPolicy) { p.RestorePriceMinor = -1 },
		"min_period_years":       func(p *registry.TLDPolicy) { p.MaxPeriodYears = 11 },
		"max_name_servers":       func(p *registry.TLDPolicy) { p.MaxNameServers = 14 },
		"apex_servers":           func(p *registry.TLDPolicy) { p.ApexServers[0].Addresses = nil },
		"soa_mname":              func(p *registry.TLDPolicy) { p.SOARName = "" },
		"soa_refresh_seconds":    func(p *registry.TLDPolicy) { p.SOARetrySeconds = 0 },
		"max_delegation_signers": func(p *registry.TLDPolicy) { p.MaxDelegationSigners = 17 },
		"premium_names": func(p *registry.TLDPolicy) {
			p.PremiumNames = []registry.PremiumName{{Label: "a", Class: "x"}, {Label: "a", Class: "x"}}
		},
		"keep_application_days": func(p *registry.TLDPolicy) { p.KeepApplicationDays = 3661 },
		"keep_token_days":       func(p *registry.TLDPolicy) { p.KeepTokenDays = 3661 },
		"auth_info_days":        func(p *registry.TLDPolicy) { p.AuthInfoDays = 3661 },
		"data_model":            func(p *registry.TLDPolicy) { p.DataModel = 3 },
		"registrant_required":   func(p *registry.TLDPolicy) { p.DataModel, p.RegistrantRequired = registry.DataModelThin, true },
		"apex_ttl_seconds":      func(p *registry.TLDPolicy) { p.DelegationTTLSeconds = 0 },
	} {
		p := good()
		spoil(p)
		err, _ := errors.AsType[*registry.Error](policy.CheckPolicy("example", p))
		if err == nil || err.Field != field {
			t.Errorf("a policy with a bad %s: %v", field, err)
		}
	}
}
