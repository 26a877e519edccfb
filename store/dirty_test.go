package store_test

import (
	"slices"
	"testing"

	"cadastre/registry"
	"cadastre/store"
)

func TestDirtyNames(t *testing.T) {
	dir := t.TempDir()
	st := open(t, dir)
	want := func(limit int, names ...registry.DomainName) {
		t.Helper()
		view(t, st, func(tx *store.ReadTx) {
			if got := tx.Dirty("example", limit); !slices.Equal(got, names) {
				t.Errorf("dirty %v, want %v", got, names)
			}
			if tx.HasDirty() != (len(names) > 0) {
				t.Errorf("HasDirty %v with %v", tx.HasDirty(), names)
			}
		})
	}
	want(10)
	write(t, st, 1, func(tx *store.Tx) { tx.MarkDirty("example", "z.example"); tx.MarkDirty("other", "x.other") })
	write(t, st, 2, func(tx *store.Tx) { tx.MarkDirty("example", "a.example") })
	want(10, "a.example", "z.example")
	want(1, "z.example") // it has waited longer
	write(t, st, 3, func(tx *store.Tx) {
		tx.Clean("example", "z.example", 2)
		tx.Clean("other", "x.other", 2)
		tx.Clean("example", "a.example", 1) // dirty again since
	})
	want(10, "a.example")
	write(t, st, 4, func(tx *store.Tx) { tx.MarkDirty("example", "b.example"); tx.Drop() })
	want(10, "a.example")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	st = open(t, dir)
	want(10, "a.example")
	write(t, st, 5, func(tx *store.Tx) { tx.Clean("example", "a.example", 4) })
	want(10)
}

// TestEntriesOfOneTransaction applies the same entries together and one by one: nodes group
// them differently.
func TestEntriesOfOneTransaction(t *testing.T) {
	entries := []func(tx *store.Tx){
		func(tx *store.Tx) {
			tx.PutDomain(nil, domainNamed("a.example", "D1"))
			tx.MarkDirty("example", "a.example")
		},
		func(tx *store.Tx) {
			tx.PutDomain(nil, domainNamed("b.example", "D2"))
			tx.MarkDirty("example", "b.example")
		},
		func(tx *store.Tx) { tx.PutDomain(nil, domainNamed("c.example", "D3")); tx.Drop() },
		func(tx *store.Tx) {
			tx.Clean("example", "a.example", 2)
			tx.DeleteDomain(domainNamed("a.example", "D1"))
		},
		func(tx *store.Tx) {
			var users []registry.DomainName
			tx.EachHostUser("ns.test", func(name registry.DomainName) bool { users = append(users, name); return true })
			if !slices.Equal(users, []registry.DomainName{"b.example"}) {
				t.Errorf("a scan sees %v", users)
			}
			tx.PutDomain(nil, domainNamed("a.example", "D4"))
		},
	}
	apply := func(tx *store.Tx, i int) {
		tx.BeginEntry(uint64(i+1), 1)
		tx.BeginCommand(0)
		entries[i](tx)
		tx.EndEntry()
	}
	together, apart := open(t, t.TempDir()), open(t, t.TempDir())
	err := together.Update(func(tx *store.Tx) error {
		for i := range entries {
			apply(tx, i)
		}
		return nil
	})
	for i := range entries {
		if err == nil {
			err = apart.Update(func(tx *store.Tx) error { apply(tx, i); return nil })
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	view(t, together, func(a *store.ReadTx) {
		view(t, apart, func(b *store.ReadTx) {
			for i := range entries {
				one, _ := a.StateHashAt(uint64(i + 1))
				other, known := b.StateHashAt(uint64(i + 1))
				if !known || !slices.Equal(one, other) {
					t.Errorf("after entry %d the state hashes are %x and %x", i+1, one, other)
				}
			}
			if !slices.Equal(a.VerifyStateHash(), a.StateHash()) || !slices.Equal(a.StateHash(), b.StateHash()) {
				t.Errorf("state hashes %x and %x, of the rows %x", a.StateHash(), b.StateHash(), a.VerifyStateHash())
			}
		})
	})
}

func domainNamed(name registry.DomainName, roid registry.ROID) *registry.Domain {
	return &registry.Domain{Name: name, TLD: "example", Provenance: provenance(roid), NameServers: []registry.DomainName{"ns.test"}}
}
