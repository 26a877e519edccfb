package main

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cadastre/dnsedge"
	"cadastre/registry"
	"cadastre/store"
	"cadastre/zone"
)

// publish makes the store publish the serials, one after the other, in a zone.
func publish(t *testing.T, st *store.Store, serials ...uint32) {
	t.Helper()
	for i, serial := range serials {
		err := st.Update(func(tx *store.Tx) error {
			tx.BeginEntry(uint64(i+1), 1)
			tx.BeginCommand(0)
			if i == 0 {
				tx.PutTLD(&registry.TLD{Name: "example", ROID: "T1-EX"})
			}
			tx.Publish("example", serial, "", []store.OwnerRecords{{Owner: registry.DomainName(fmt.Sprintf("n%d.example", i)), RRs: []byte{byte(i), 1}}})
			tx.EndEntry()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestZoneSource(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	source := &zoneSource{store: st}
	ctx := context.Background()
	if zones, err := source.Zones(ctx); err != nil || len(zones) != 0 {
		t.Errorf("Zones of an empty state: %v, %v", zones, err)
	}
	// The serial wraps round (RFC 1982).
	publish(t, st, math.MaxUint32-1, math.MaxUint32, 0, 1)

	zones, err := source.Zones(ctx)
	if diff := cmp.Diff([]dnsedge.ZoneState{{TLD: "example", Serial: 1}}, zones); err != nil || diff != "" {
		t.Errorf("Zones: %v\n%s", err, diff)
	}
	var owners []string
	serial, err := source.Load(ctx, "example", func(o dnsedge.Owner) error {
		owners = append(owners, o.Name)
		return nil
	})
	if diff := cmp.Diff([]string{"n0.example", "n1.example", "n2.example", "n3.example"}, owners); err != nil || serial != 1 || diff != "" {
		t.Errorf("Load: serial %d, %v\n%s", serial, err, diff)
	}
	for _, test := range []struct {
		from uint32
		ok   bool
		want []uint32
	}{
		{from: 1, ok: true},
		{from: 0, ok: true, want: []uint32{1}},
		{from: math.MaxUint32 - 1, ok: true, want: []uint32{math.MaxUint32, 0, 1}},
		{from: math.MaxUint32 - 2, ok: false}, // before the first publication
		{from: 2, ok: false},                  // not published yet
		{from: 1 << 31, ok: false},
	} {
		changes, ok, err := source.Changes(ctx, "example", test.from)
		if err != nil {
			t.Fatal(err)
		}
		var serials []uint32
		for _, c := range changes {
			serials = append(serials, c.Serial)
		}
		if diff := cmp.Diff(test.want, serials); ok != test.ok || diff != "" {
			t.Errorf("Changes from %d: ok %v, want %v\n%s", test.from, ok, test.ok, diff)
		}
	}
}

// NSEC3 records come along, apart from names that look like them; rows of an NSEC chain are none of them.
func TestZoneSourceChain(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	hash := zone.NSEC3Hash("example")
	name := zone.NSEC3Owner("example", hash)
	publish(t, st, 1)
	err = st.Update(func(tx *store.Tx) error {
		tx.BeginEntry(2, 1)
		tx.BeginCommand(0)
		tx.Publish("example", 2, "", []store.OwnerRecords{
			{Owner: name, RRs: []byte{1}},
			{Owner: name, RRs: []byte{2}, NSEC3: true, ChainKey: append([]byte{byte(registry.DenialNSEC3)}, hash...)},
			{Owner: "x.example", RRs: []byte{3}, ChainKey: append([]byte{byte(registry.DenialNSEC)}, "x"...)},
		})
		tx.EndEntry()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	source := &zoneSource{store: st}
	want := map[string]byte{"n0.example": 0, string(name): 1, string(name) + " NSEC3": 2, "x.example": 3}
	got := map[string]byte{}
	note := func(o dnsedge.Owner) error {
		key := o.Name
		if o.NSEC3 {
			key += " NSEC3"
		}
		got[key] = o.RRs[0]
		return nil
	}
	if _, err := source.Load(context.Background(), "example", note); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Load:\n%s", diff)
	}
	changes, ok, err := source.Changes(context.Background(), "example", 1)
	if err != nil || !ok || len(changes) != 1 {
		t.Fatal(changes, ok, err)
	}
	got = map[string]byte{}
	for _, o := range changes[0].Owners {
		_ = note(o)
	}
	delete(want, "n0.example")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Changes:\n%s", diff)
	}
}
