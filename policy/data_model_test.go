package policy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"cadastre/policy"
	"cadastre/registry"
)

func TestDataModels(t *testing.T) {
	thin, thick := &registry.Registrar{ID: "thin", ThinTLDs: []registry.DomainName{"other", "example"}}, &registry.Registrar{ID: "thick", ThinTLDs: []registry.DomainName{"other"}}
	for model, want := range map[registry.DataModel]struct{ thin, thick bool }{
		registry.DataModelThick: {false, false}, registry.DataModelThin: {true, true}, registry.DataModelPerRegistrar: {true, false},
	} {
		tld := &registry.TLD{Name: "example", Policy: registry.TLDPolicy{DataModel: model}}
		for registrar, isThin := range map[*registry.Registrar]bool{thin: want.thin, thick: want.thick} {
			if got := policy.IsThin(tld, registrar); got != isThin {
				t.Errorf("%s, %s: thin %v", model, registrar.ID, got)
			}
			err := policy.CheckContactsAllowed(tld, registrar, "registrant", "c-one")
			if isThin != errors.Is(err, registry.CodeParameterPolicy) || isThin && !strings.Contains(err.Error(), "data_model") {
				t.Errorf("%s, %s: %v", model, registrar.ID, err)
			}
		}
		if parsed, err := registry.ParseDataModel(model.String()); err != nil || parsed != model {
			t.Errorf("%s reads as %v, %v", model, parsed, err)
		}
	}
	if _, err := registry.ParseDataModel("Thick"); err == nil {
		t.Error("Thick is a data model")
	}
}

func TestAuthInfoExpiry(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	tld := func(days uint32) *registry.TLD {
		return &registry.TLD{Policy: registry.TLDPolicy{AuthInfoDays: days}}
	}
	for _, c := range []struct {
		tlds []*registry.TLD
		days int
	}{{nil, 30}, {[]*registry.TLD{tld(0)}, 30}, {[]*registry.TLD{tld(5)}, 5}, {[]*registry.TLD{tld(90), tld(60)}, 60}, {[]*registry.TLD{tld(90), tld(0)}, 30}} {
		if got := policy.AuthInfoExpiry(now, c.tlds...); !got.Equal(now.AddDate(0, 0, c.days)) {
			t.Errorf("%d TLDs: %s, want %d days", len(c.tlds), got, c.days)
		}
	}
	set := registry.AuthInfo{Hash: []byte{1}, ExpiresAt: now}
	if !set.IsSet(now.Add(-1)) || set.IsSet(now) || !(registry.AuthInfo{Hash: []byte{1}}).IsSet(now) || (registry.AuthInfo{}).IsSet(now) {
		t.Error("information ends at another instant than ExpiresAt")
	}
}
