package policy

import (
	"errors"
	"strings"
	"testing"
	"time"

	"cadastre/registry"
)

func TestLaunchPhasesAreChecked(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2027, 1, day, 0, 0, 0, 0, time.UTC) }
	phase := func(kind, name string, from, to int, applications bool) registry.LaunchPhase {
		p := registry.LaunchPhase{Phase: registry.Phase{Type: kind, Name: name}, Applications: applications}
		if from > 0 {
			p.StartsAt = at(from)
		}
		if to > 0 {
			p.EndsAt = at(to)
		}
		return p
	}
	for name, test := range map[string]struct {
		phases []registry.LaunchPhase
		want   string // part of the reason, "" for none
	}{
		"none":             {nil, ""},
		"a launch":         {[]registry.LaunchPhase{phase("sunrise", "", 0, 2, true), phase("custom", "a", 2, 3, false), phase("open", "", 3, 0, false)}, ""},
		"twice in turn":    {[]registry.LaunchPhase{phase("claims", "", 1, 2, false), phase("claims", "", 2, 3, false)}, ""},
		"twice at once":    {[]registry.LaunchPhase{phase("claims", "", 1, 3, false), phase("claims", "", 2, 4, false)}, "listed twice"},
		"open bounds":      {[]registry.LaunchPhase{phase("claims", "", 0, 0, false), phase("claims", "", 2, 4, false)}, "listed twice"},
		"unknown":          {[]registry.LaunchPhase{phase("dawn", "", 0, 0, false)}, "is not a phase"},
		"custom":           {[]registry.LaunchPhase{phase("custom", "", 0, 0, false)}, "has a name"},
		"white space":      {[]registry.LaunchPhase{phase("custom", " a", 0, 0, false)}, "white space"},
		"backwards":        {[]registry.LaunchPhase{phase("open", "", 3, 3, false)}, "ends before it starts"},
		"open by wish":     {[]registry.LaunchPhase{phase("open", "", 0, 0, true)}, "takes no applications"},
		"sunrise by speed": {[]registry.LaunchPhase{phase("sunrise", "", 0, 0, false)}, "takes applications"},
		"too many":         {make([]registry.LaunchPhase, MaxLaunchPhases+1), "at most"},
	} {
		if got := checkLaunchPhases(test.phases); (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestPhasesRunFromTheirStartToBeforeTheirEnd(t *testing.T) {
	start, end := time.UnixMilli(1000).UTC(), time.UnixMilli(2000).UTC()
	tld := &registry.TLD{Name: "example", Policy: registry.TLDPolicy{LaunchPhases: []registry.LaunchPhase{
		{Phase: registry.Phase{Type: registry.PhaseClaims}, StartsAt: start, EndsAt: end}, {Phase: registry.Phase{Type: registry.PhaseOpen}, StartsAt: end},
	}}}
	for ms, want := range map[int64]string{999: "", 1000: registry.PhaseClaims, 1999: registry.PhaseClaims, 2000: registry.PhaseOpen} {
		now := time.UnixMilli(ms).UTC()
		for _, kind := range []string{registry.PhaseClaims, registry.PhaseOpen} {
			_, err := RunningPhase(tld, registry.Phase{Type: kind}, now)
			if (err == nil) != (kind == want) || err != nil && !errors.Is(err, registry.CodeParameterPolicy) {
				t.Errorf("at %d: %s: %v", ms, kind, err)
			}
		}
		if _, err := OpenPhase(tld, now); (err == nil) != (want == registry.PhaseOpen) {
			t.Errorf("at %d: open: %v", ms, err)
		}
	}
	if _, err := OpenPhase(&registry.TLD{}, start); err != nil {
		t.Errorf("a TLD without phases is not open: %v", err)
	}
}

// TestStepsNeverGoBack tries every step there is.
func TestStepsNeverGoBack(t *testing.T) {
	for from := registry.ApplicationPendingValidation; from <= registry.ApplicationCustom; from++ {
		for to := registry.ApplicationStatus(0); to <= registry.ApplicationCustom+1; to++ {
			allowed := !from.IsFinal() && to > registry.ApplicationPendingValidation && to <= registry.ApplicationCustom
			if from == registry.ApplicationPendingValidation && (to == registry.ApplicationAllocated || to == registry.ApplicationPendingAllocation) {
				allowed = false
			}
			if from == to && to != registry.ApplicationCustom {
				allowed = false
			}
			if err := CheckStep(from, to); (err == nil) != allowed {
				t.Errorf("%s to %s: %v, want allowed=%v", from, to, err, allowed)
			}
		}
	}
}

func TestTokenPrices(t *testing.T) {
	for _, test := range []struct {
		token *registry.AllocationToken
		price int64
		years uint32
		want  int64
	}{
		{nil, 1000, 1, 1000},
		{&registry.AllocationToken{}, 1000, 1, 1000},
		{&registry.AllocationToken{DiscountPercent: 33}, 1001, 1, 670},
		{&registry.AllocationToken{DiscountPercent: 100}, 1 << 62, 10, 0},
		{&registry.AllocationToken{DiscountPercent: 1}, 1 << 62, 10, (1<<62)/100*99 + 3}, // of the rest of 4, 3.96
		{&registry.AllocationToken{HasPrice: true}, 1000, 3, 0},
		{&registry.AllocationToken{HasPrice: true, PriceMinor: 150}, 1000, 3, 450},
	} {
		if got := TokenPriceMinor(test.token, test.price, test.years); got != test.want {
			t.Errorf("%+v, %d: got %d, want %d", test.token, test.price, got, test.want)
		}
	}
}

func TestNoticeIDs(t *testing.T) {
	for id, want := range map[string]bool{
		"370d0b7c9223372036854775807": true, "00000000" + "1": true, "": false, "370d0b7c": false, "370d0b7g1": false, "370d0b7c12345678901234567890": false, "370d0b7c1a": false,
	} {
		if isNoticeID(id) != want {
			t.Errorf("%q: want %v", id, want)
		}
	}
}
