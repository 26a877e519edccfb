package policy_test

import (
	"testing"
	"time"

	"cadastre/policy"
	"cadastre/registry"
)

func TestForgetsApplication(t *testing.T) {
	decided := time.Date(2000, 2, 29, 12, 0, 0, 0, time.UTC)
	own := &registry.TLD{Policy: registry.TLDPolicy{KeepApplicationDays: 2}}
	for name, tt := range map[string]struct {
		tld    *registry.TLD
		status registry.ApplicationStatus
		after  time.Duration
		want   bool
	}{
		"by default, before":  {&registry.TLD{}, registry.ApplicationAllocated, 90*24*time.Hour - 1, false},
		"by default":          {&registry.TLD{}, registry.ApplicationAllocated, 90 * 24 * time.Hour, true},
		"by policy, before":   {own, registry.ApplicationRejected, 48*time.Hour - 1, false},
		"by policy":           {own, registry.ApplicationInvalid, 48 * time.Hour, true},
		"waits":               {own, registry.ApplicationPendingAllocation, 1e5 * time.Hour, false},
		"validated only":      {own, registry.ApplicationValidated, 1e5 * time.Hour, false},
		"a status of its own": {own, registry.ApplicationCustom, 1e5 * time.Hour, false},
	} {
		a := &registry.Application{Status: tt.status, StatusAt: decided}
		if got := policy.ForgetsApplication(tt.tld, a, decided.Add(tt.after)); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestForgetsToken(t *testing.T) {
	end := time.Date(2000, 2, 29, 12, 0, 0, 0, time.UTC)
	later := end.Add(1000 * 24 * time.Hour)
	tld := &registry.TLD{Policy: registry.TLDPolicy{KeepTokenDays: 2}}
	for name, tt := range map[string]struct {
		token registry.AllocationToken
		ends  bool
	}{
		"without an end":              {registry.AllocationToken{}, false},
		"used, but unlimited":         {registry.AllocationToken{Unlimited: true, Uses: 9, LastUsedAt: end}, false},
		"used":                        {registry.AllocationToken{Uses: 1, LastUsedAt: end}, true},
		"expired":                     {registry.AllocationToken{ValidUntil: end}, true},
		"revoked":                     {registry.AllocationToken{RevokedAt: end}, true},
		"revoked before it expired":   {registry.AllocationToken{RevokedAt: end, ValidUntil: later}, true},
		"used before it was revoked":  {registry.AllocationToken{Uses: 1, LastUsedAt: end, RevokedAt: later}, true},
		"expired, unlimited, revoked": {registry.AllocationToken{Unlimited: true, ValidUntil: end, RevokedAt: later}, true},
	} {
		if policy.ForgetsToken(tld, &tt.token, end.Add(48*time.Hour-1)) {
			t.Errorf("%s: forgotten too early", name)
		}
		if got := policy.ForgetsToken(tld, &tt.token, end.Add(48*time.Hour)); got != tt.ends {
			t.Errorf("%s: %v after two days, want %v", name, got, tt.ends)
		}
	}
	if spent := (&registry.AllocationToken{Uses: 1, LastUsedAt: end}); policy.ForgetsToken(&registry.TLD{}, spent, end.Add(90*24*time.Hour-1)) ||
		!policy.ForgetsToken(&registry.TLD{}, spent, end.Add(90*24*time.Hour)) {
		t.Error("by default a token is not kept for 90 days")
	}
}
