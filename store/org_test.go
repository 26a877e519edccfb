package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cadastre/registry"
)

func TestOrgRows(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123).UTC()
	full := &registry.Org{
		Provenance: registry.Provenance{ROID: "O1-EX", Sponsor: "reg-a", Creator: "reg-b", CreatedAt: at, Updater: "reg-a", UpdatedAt: at},
		ID:         "Res-1", Parent: "par-1", Statuses: registry.Statuses{registry.StatusClientLinkProhibited, registry.StatusHold},
		Roles: []registry.OrgRole{{Type: "dns-operator"}, {Type: "reseller", ID: "77", Statuses: registry.Statuses{registry.StatusClientLinkProhibited}}},
		Postal: []registry.PostalInfo{{Type: "int", Name: "A"}, {Type: "loc", Name: "Ä", Street: []string{"1", ""}, City: "B", StateProvince: "C",
			PostalCode: "D", CountryCode: "CH"}},
		Voice: registry.Phone{Number: "+1.2", Extension: "3"}, Fax: registry.Phone{Number: "+1.4"}, Email: "a@b", URL: "https://c",
		Contacts: []registry.OrgContact{{Type: "custom", TypeName: "legal", ID: "con-1"}, {Type: "tech", ID: "con-2"}},
	}
	for _, want := range []*registry.Org{full, {ID: "abc"}} {
		if diff := cmp.Diff(want, decodeOrg(encodeOrg(want))); diff != "" {
			t.Errorf("an organisation changes on its way to the disk (-want +got):\n%s", diff)
		}
	}
	links := []registry.OrgLink{{Role: "dns-operator", ID: "abc"}, {Role: "reseller", ID: "Res-1"}}
	d := &registry.Domain{Name: "one.example", Orgs: links, ExpiresAt: at}
	h := &registry.Host{Name: "ns.one.example", Orgs: links}
	c := &registry.Contact{ID: "con-1", Orgs: links}
	for _, got := range [][]registry.OrgLink{decodeDomain(encodeDomain(d)).Orgs, decodeHost(encodeHost(h)).Orgs, decodeContact(encodeContact(c)).Orgs} {
		if diff := cmp.Diff(links, got); diff != "" {
			t.Errorf("links change on their way to the disk (-want +got):\n%s", diff)
		}
	}
}

func TestOrgIndexes(t *testing.T) {
	st, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	index := uint64(0)
	step := func(fn func(tx *Tx)) {
		t.Helper()
		index++
		if err := st.Update(func(tx *Tx) error {
			tx.BeginEntry(index, 1)
			tx.BeginCommand(0)
			fn(tx)
			tx.Keep()
			tx.EndEntry()
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(id registry.OrgID, linked, children, reseller bool) {
		t.Helper()
		if err := st.View(func(tx *ReadTx) error {
			got := []bool{tx.OrgIsLinked(id), tx.OrgHasChildren(id), tx.OrgRoleIsLinked(id, "reseller")}
			if diff := cmp.Diff([]bool{linked, children, reseller}, got); diff != "" {
				t.Errorf("%s: linked, has children, is linked as reseller (-want +got):\n%s", id, diff)
			}
			if diff := cmp.Diff(tx.StateHash(), tx.VerifyStateHash()); diff != "" {
				t.Errorf("the kept state hash is not that of the rows:\n%s", diff)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	parent := &registry.Org{Provenance: registry.Provenance{ROID: "O1-EX"}, ID: "Par-1"}
	child := &registry.Org{Provenance: registry.Provenance{ROID: "O2-EX"}, ID: "res-1", Parent: "PAR-1", Contacts: []registry.OrgContact{{Type: "tech", ID: "Con-1"}}}
	contact := &registry.Contact{Provenance: registry.Provenance{ROID: "C1-EX"}, ID: "con-1"}
	linked := *contact
	linked.Orgs = []registry.OrgLink{{Role: "reseller", ID: "RES-1"}}
	step(func(tx *Tx) { tx.PutContact(nil, contact); tx.PutOrg(nil, parent); tx.PutOrg(nil, child) })
	check("par-1", true, true, false)
	check("res-1", false, false, false)
	check("res", false, false, false) // a prefix of another id
	step(func(tx *Tx) { tx.PutContact(contact, &linked) })
	check("res-1", true, false, true)
	step(func(tx *Tx) { tx.PutContact(&linked, contact) })
	check("res-1", false, false, false)
	step(func(tx *Tx) {
		if !tx.ContactIsLinked("CON-1") {
			t.Error("the organisation does not link its contact")
		}
		tx.DeleteOrg(child)
		if tx.ContactIsLinked("con-1") || tx.HasOrg("RES-1") {
			t.Error("the organisation is gone and left something behind")
		}
	})
	check("par-1", false, false, false)
}

func TestKeyRelayRows(t *testing.T) {
	want := &registry.PollMessage{
		At: time.UnixMilli(5).UTC(), Kind: registry.PollKeyRelay, Object: registry.KindDomain, Key: "one.example",
		KeyRelay: &registry.KeyRelay{From: "reg-b", Keys: []registry.RelayedKey{
			{Key: registry.PublicKey{Flags: 257, Protocol: 3, Algorithm: 13, Data: []byte{1, 0}}, Until: time.UnixMilli(0).UTC()},
			{Key: registry.PublicKey{Flags: 256, Protocol: 3, Algorithm: 8, Data: []byte{2}}, For: "PT0S"},
			{Key: registry.PublicKey{Flags: 256, Protocol: 3, Algorithm: 8, Data: []byte{3}}},
		}},
	}
	got := &registry.PollMessage{}
	decodeRow("poll message", encodePollMessage(want), func(d *decoder) {
		for d.next() {
			d.pollField(got)
		}
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a message changes on its way to the disk (-want +got):\n%s", diff)
	}
}
