package store_test

import (
	"fmt"
	"testing"

	"cadastre/registry"
	"cadastre/store"
)

// TestMoreHostsThanMemoryKeeps names more hosts than are remembered between transactions, and
// has what else is remembered stay true.
func TestMoreHostsThanMemoryKeeps(t *testing.T) {
	const hosts = 20_000 // above maxHotRows
	st := open(t, t.TempDir())
	name := func(i int) registry.DomainName { return registry.DomainName(fmt.Sprintf("ns%d.test", i)) }
	write(t, st, 1, func(tx *store.Tx) {
		tx.PutRegistrar(&registry.Registrar{ID: "reg-a", ROID: "R1", Currency: "EUR"})
		for i := range hosts {
			tx.PutHost(nil, &registry.Host{Provenance: registry.Provenance{ROID: registry.ROID(fmt.Sprint("H", i))}, Name: name(i)})
		}
	})
	limit := func(tx *store.Tx) int64 {
		r, found := tx.Registrar("reg-a")
		if !found {
			t.Fatal("the registrar is gone")
		}
		return r.CreditLimit
	}
	for round := range int64(3) {
		write(t, st, uint64(2+round), func(tx *store.Tx) {
			if got := limit(tx); got != round {
				t.Errorf("round %d begins with %d", round, got)
			}
			tx.PutRegistrar(&registry.Registrar{ID: "reg-a", ROID: "R1", Currency: "EUR", CreditLimit: round + 1})
			for i := range hosts {
				if host, found := tx.SharedHost(name(i)); !found || host.Name != name(i) {
					t.Fatalf("host %d is %+v", i, host)
				}
			}
			if got := limit(tx); got != round+1 {
				t.Errorf("round %d ends with %d", round, got)
			}
		})
	}
}

// TestSharedHostFollowsItsRow changes a host, once for good and once by a command that is refused.
func TestSharedHostFollowsItsRow(t *testing.T) {
	st := open(t, t.TempDir())
	host := func(sponsor registry.RegistrarID) *registry.Host {
		return &registry.Host{Provenance: registry.Provenance{ROID: "H1-EX", Sponsor: sponsor}, Name: "ns.test"}
	}
	write(t, st, 1, func(tx *store.Tx) { tx.PutHost(nil, host("reg-a")) })
	write(t, st, 2, func(tx *store.Tx) {
		check := func(want registry.RegistrarID) {
			t.Helper()
			for range 2 {
				if got, found := tx.SharedHost("ns.test"); !found || got.Sponsor != want {
					t.Errorf("the host is %+v, want one of %s", got, want)
				}
			}
		}
		check("reg-a")
		tx.PutHost(host("reg-a"), host("reg-b"))
		check("reg-b")
		tx.Drop()
		check("reg-a")
		tx.BeginCommand(1)
		tx.PutHost(host("reg-a"), host("reg-c"))
		tx.Keep()
		check("reg-c")
		tx.BeginCommand(2)
		tx.DeleteHost(host("reg-c"))
		if got, found := tx.SharedHost("ns.test"); found {
			t.Errorf("a deleted host is %+v", got)
		}
	})
}
