package policy_test

import (
	"testing"

	"cadastre/policy"
	"cadastre/registry"
)

func TestTTLBounds(t *testing.T) {
	tests := []struct {
		name       string
		delegation uint32
		bounds     []registry.TTLBounds
		of         registry.RecordType
		want       registry.TTLBounds
	}{
		{"nothing said", 3600, nil, registry.RecordNS, registry.TTLBounds{Type: "NS", Min: 300, Default: 3600, Max: 172800}},
		{"a default below all", 60, nil, registry.RecordA, registry.TTLBounds{Type: "A", Min: 60, Default: 60, Max: 172800}},
		{"a default above all", 600000, nil, registry.RecordA, registry.TTLBounds{Type: "A", Min: 300, Default: 600000, Max: 600000}},
		{"said of another type", 3600, []registry.TTLBounds{{Type: "DS", Min: 1, Max: 9, Default: 5}}, registry.RecordNS, registry.TTLBounds{Type: "NS", Min: 300, Default: 3600, Max: 172800}},
		{"said", 3600, []registry.TTLBounds{{Type: "DS", Min: 1, Max: 9, Default: 5}}, registry.RecordDS, registry.TTLBounds{Type: "DS", Min: 1, Default: 5, Max: 9}},
		{"said without a default", 3600, []registry.TTLBounds{{Type: "DS", Min: 1, Max: 9000}}, registry.RecordDS, registry.TTLBounds{Type: "DS", Min: 1, Default: 3600, Max: 9000}},
	}
	for _, test := range tests {
		tld := &registry.TLD{Policy: registry.TLDPolicy{DelegationTTLSeconds: test.delegation, TTLBounds: test.bounds}}
		if got := policy.TTLBounds(tld, test.of); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestCheckPolicyOfTTLs(t *testing.T) {
	tests := []struct {
		name   string
		bounds []registry.TTLBounds
		ok     bool
	}{
		{"good", []registry.TTLBounds{{Type: "NS", Min: 60, Max: 7200}, {Type: "DS", Min: 60, Max: 600, Default: 60}}, true},
		{"closed", []registry.TTLBounds{{Type: "NS"}}, true},
		{"unknown type", []registry.TTLBounds{{Type: "TXT", Min: 60, Max: 7200}}, false},
		{"twice", []registry.TTLBounds{{Type: "NS"}, {Type: "NS"}}, false},
		{"no room", []registry.TTLBounds{{Type: "NS", Min: 3600, Max: 3600}}, false},
		{"default below", []registry.TTLBounds{{Type: "NS", Min: 60, Max: 600, Default: 59}}, false},
		{"usual default above", []registry.TTLBounds{{Type: "NS", Min: 60, Max: 600}}, false},
		{"too great", []registry.TTLBounds{{Type: "NS", Min: 60, Max: 1 << 31, Default: 60}}, false},
	}
	for _, test := range tests {
		p := registry.TLDPolicy{
			ROIDSuffix: "EX", Currency: "EUR", MinPeriodYears: 1, MaxPeriodYears: 10, MaxNameServers: 13,
			ApexServers: []registry.ApexServer{{Name: "ns.elsewhere.test"}}, SOAMName: "a.test", SOARName: "b.test",
			SOARefreshSeconds: 1, SOARetrySeconds: 1, SOAExpireSeconds: 1, SOAMinimumSeconds: 1, ApexTTLSeconds: 1, DelegationTTLSeconds: 3600,
			TTLBounds: test.bounds,
		}
		if err := policy.CheckPolicy("example", &p); (err == nil) != test.ok {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}
