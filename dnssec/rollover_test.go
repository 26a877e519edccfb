package dnssec

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"cadastre/policy"
	"cadastre/registry"
)

// snapshot is what the world can see at a time: the key tags of the DNSKEY set, those that sign it, those that sign the
// zone, and those of the parent's DS set, each with its algorithm.
type snapshot struct {
	at                    time.Time
	keySet, signers, zone []string
	ds                    []string
}

// history follows a zone through a rollover.
type history struct {
	*Situation
	ds        []string
	snapshots []snapshot
}

func (h *history) name(k *registry.ZoneKey) string { return fmt.Sprintf("%d/%d", k.Algorithm, k.Tag) }

func (h *history) record() {
	s := snapshot{at: h.Now, ds: slices.Clone(h.ds)}
	for i := range h.Keys {
		k := &h.Keys[i]
		if k.InDNSKEYSet() {
			s.keySet = append(s.keySet, h.name(k))
		}
		if signsKeySet(k) {
			s.signers = append(s.signers, h.name(k))
		}
		if signsZone(h.Keys, k) {
			s.zone = append(s.zone, h.name(k))
		}
	}
	h.snapshots = append(h.snapshots, s)
}

// run carries the plan out and looks at the world whenever something changes and every few hours in between.
func (h *history) run(t *testing.T) {
	t.Helper()
	for range 1000 {
		h.Shown = simulated(h.Situation)
		plan := PlanKeys(h.Situation)
		for _, m := range plan.Moves {
			apply(h.Situation, m)
		}
		h.record()
		if len(plan.Moves) > 0 {
			continue
		}
		if k := wanting(h.Situation); k != nil { // the parent takes a day to follow
			h.ds = []string{h.name(k)}
			for range 4 {
				h.Now = h.Now.Add(6 * time.Hour)
				h.record()
			}
			k.DSSeenAt = h.Now
			continue
		}
		if len(plan.Waits) == 0 {
			break
		}
		h.Now = h.Now.Add(5 * time.Hour)
	}
	for range 24 {
		h.Now = h.Now.Add(5 * time.Hour)
		h.record()
	}
}

// check looks at every time at all that caches may hold together: a resolver must find a way from the DS set over the
// DNSKEY set to every signature, and where the DS and DNSKEY sets name an algorithm, the zone must be signed with it.
func (h *history) check(t *testing.T) {
	t.Helper()
	within := func(at time.Time, ttl time.Duration) (seen []snapshot) {
		for i, s := range h.snapshots {
			ends := at.Add(time.Second)
			if i+1 < len(h.snapshots) {
				ends = h.snapshots[i+1].at
			}
			if !s.at.After(at) && ends.After(at.Add(-ttl)) {
				seen = append(seen, s)
			}
		}
		return seen
	}
	algorithm := func(name string) string {
		var a, tag int
		_, _ = fmt.Sscanf(name, "%d/%d", &a, &tag)
		return fmt.Sprint(a)
	}
	prop := policy.Propagation(h.TLD) - time.Second
	for _, now := range h.snapshots {
		keySets := within(now.at, time.Duration(policy.DNSKEYTTLSeconds(h.TLD))*time.Second+prop)
		for _, parent := range within(now.at, policy.DSTTL(h.TLD)-time.Second) {
			for _, keys := range keySets {
				trusted := slices.ContainsFunc(parent.ds, func(k string) bool { return slices.Contains(keys.keySet, k) && slices.Contains(keys.signers, k) })
				if !trusted {
					t.Fatalf("at %s: DS set %v of %s, DNSKEY set %v signed by %v of %s: no way", now.at, parent.ds, parent.at, keys.keySet, keys.signers, keys.at)
				}
			}
		}
		for _, keys := range keySets {
			for _, data := range within(now.at, policy.MaxZoneTTL(h.TLD)+prop) {
				if !slices.ContainsFunc(data.zone, func(k string) bool { return slices.Contains(keys.keySet, k) }) {
					t.Fatalf("at %s: DNSKEY set %v of %s, signatures by %v of %s: no way", now.at, keys.keySet, keys.at, data.zone, data.at)
				}
				for _, k := range keys.keySet { // RFC 6840 section 5.11 asks it of signers
					if !slices.ContainsFunc(data.zone, func(z string) bool { return algorithm(z) == algorithm(k) }) {
						t.Fatalf("at %s: the DNSKEY set of %s has %s, but the signatures of %s are by %v", now.at, keys.at, k, data.at, data.zone)
					}
				}
			}
		}
	}
}

func newHistory(layout registry.KeyLayout) *history {
	tld := &registry.TLD{Name: "example", Policy: registry.TLDPolicy{
		ApexTTLSeconds: 86400, DelegationTTLSeconds: 3600, SOAMinimumSeconds: 900, Signing: registry.SigningPolicy{Denial: registry.DenialNSEC3, Layout: layout},
	}}
	h := &history{Situation: &Situation{TLD: tld, Now: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)}}
	for i, role := range layout.Roles() {
		k := registry.ZoneKey{TLD: "example", ID: fmt.Sprintf("old%d", i), Role: role, Algorithm: 13, Tag: uint16(i + 1), State: registry.KeyActive, PublicKey: []byte{1, byte(i)}}
		h.add(&k)
		if role.IsEntryPoint() {
			h.Keys[i].DSSeenAt = h.Now
			h.ds = []string{h.name(&h.Keys[i])}
		}
	}
	return h
}

func (h *history) add(k *registry.ZoneKey) {
	k.Tag = registry.KeyTag(k.Flags(), k.Algorithm, k.PublicKey)
	h.Keys = append(h.Keys, *k)
}

// TestNoCacheIsLeftBehind rolls keys in every way and proves that no resolver ever holds sets that do not fit together.
func TestNoCacheIsLeftBehind(t *testing.T) {
	tests := []struct {
		name      string
		layout    registry.KeyLayout
		roles     []registry.KeyRole
		algorithm uint8
	}{
		{"ZSK", registry.LayoutSplit, []registry.KeyRole{registry.KeyZSK}, 13},
		{"KSK", registry.LayoutSplit, []registry.KeyRole{registry.KeyKSK}, 13},
		{"KSK and ZSK at once", registry.LayoutSplit, []registry.KeyRole{registry.KeyKSK, registry.KeyZSK}, 13},
		{"algorithm of KSK and ZSK", registry.LayoutSplit, []registry.KeyRole{registry.KeyKSK, registry.KeyZSK}, 15},
		{"CSK", registry.LayoutCSK, []registry.KeyRole{registry.KeyCSK}, 13},
		{"algorithm of a CSK", registry.LayoutCSK, []registry.KeyRole{registry.KeyCSK}, 15},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHistory(test.layout)
			h.record()
			h.Now = h.Now.Add(10 * 24 * time.Hour)
			for i, old := range slices.Clone(h.Keys) {
				if slices.Contains(test.roles, old.Role) {
					h.add(&registry.ZoneKey{TLD: "example", ID: fmt.Sprintf("new%d", i), Role: old.Role, Algorithm: test.algorithm, State: registry.KeyStandby,
						Rolling: true, Replaces: old.ID, PublicKey: []byte{2, byte(i)}})
				}
			}
			h.run(t)
			h.check(t)
			for i := range h.Keys {
				k := &h.Keys[i]
				replaced := slices.ContainsFunc(h.Keys, func(o registry.ZoneKey) bool { return o.Replaces == k.ID })
				if want := map[bool]registry.KeyState{true: registry.KeyRemoved, false: registry.KeyActive}[replaced]; k.State != want {
					t.Errorf("key %s ends %s, want %s", k.ID, k.State, want)
				}
			}
		})
	}
}

// TestTimeline shows that a dry run changes nothing and ends where the keys will.
func TestTimeline(t *testing.T) {
	h := newHistory(registry.LayoutCSK)
	h.add(&registry.ZoneKey{TLD: "example", ID: "new", Role: registry.KeyCSK, Algorithm: 13, State: registry.KeyStandby, Rolling: true, Replaces: "old0", PublicKey: []byte{2}})
	before := fmt.Sprint(h.Keys)
	var events []string
	for _, e := range Timeline(h.Situation) {
		events = append(events, e.At.Sub(h.Now).String()+" "+e.Text)
	}
	if fmt.Sprint(h.Keys) != before {
		t.Error("the dry run changed the keys")
	}
	oldTag, newTag := h.Keys[0].Tag, h.Keys[1].Tag
	want := []string{
		fmt.Sprintf("0s key %d: standby -> published", newTag),
		fmt.Sprintf("25h0m0s key %d: published -> ready", newTag),
		fmt.Sprintf("25h0m0s key %d: the parent points to it (until then everything waits)", newTag),
		fmt.Sprintf("50h0m0s key %d: ready -> active", newTag),
		fmt.Sprintf("50h0m0s key %d: active -> retiring", oldTag),
		fmt.Sprintf("99h0m0s key %d: retiring -> removed", oldTag), // 48 hours that a registrar may set as TTL, and one
	}
	if !slices.Equal(events, want) {
		t.Errorf("the timeline is\n%q, want\n%q", events, want)
	}
}
