package fsm_test

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"cadastre/fsm"
	"cadastre/registry"
)

// TestEveryPolicyFieldTravels sets every field of a policy, also those of later versions,
// and requires that it comes through the log's form unchanged.
func TestEveryPolicyFieldTravels(t *testing.T) {
	var full registry.TLDPolicy
	fields := reflect.ValueOf(&full).Elem()
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		switch f := fields.Field(i); {
		case name == "ApexServers":
			full.ApexServers = []registry.ApexServer{{Name: "a.nic.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}}
		case name == "ReservedLabels":
			full.ReservedLabels = []string{"nic"}
		case name == "TTLBounds":
			full.TTLBounds = []registry.TTLBounds{{Type: registry.RecordDS, Min: 1, Max: 3, Default: 2}}
		case name == "IDNTables", name == "IDNCustomTables":
			f.Set(reflect.ValueOf([]string{name}))
		case name == "LaunchPhases":
			full.LaunchPhases = []registry.LaunchPhase{{
				Phase: registry.Phase{Type: registry.PhaseCustom, Name: "idn first"}, StartsAt: time.UnixMilli(1).UTC(), EndsAt: time.UnixMilli(2).UTC(),
				Applications: true, NoticeRequired: true,
			}}
		case name == "PremiumNames":
			full.PremiumNames = []registry.PremiumName{{Label: "gold", Class: "tier 1", CreatePriceMinor: 1, RenewPriceMinor: 2, RestorePriceMinor: 3}}
		case name == "RDDS":
			full.RDDS = registry.RDDSPolicy{Availability: true, Disclosed: []string{"org"}, ContactURI: "https://nic.example/c/{name}", TermsURI: "https://nic.example/t"}
		case name == "Signing":
			full.Signing = registry.SigningPolicy{Denial: registry.DenialNSEC, OptOut: true, ValidityDays: 30, RefreshDays: 10}
		case f.Kind() == reflect.String:
			f.SetString(name)
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		case f.CanUint():
			f.SetUint(uint64(i) + 1)
		case f.CanInt():
			f.SetInt(int64(i) + 1)
		default:
			t.Fatalf("the test cannot fill %s", name)
		}
	}
	message := fsm.PolicyToProto(&full)
	list := message.ProtoReflect().Descriptor().Fields()
	for i := range list.Len() {
		if !message.ProtoReflect().Has(list.Get(i)) {
			t.Errorf("%s is lost on the way into the log", list.Get(i).Name())
		}
	}
	if diff := cmp.Diff(full, fsm.PolicyFromProto(message), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("a policy changes on its way through the log (-before +after):\n%s", diff)
	}
}
