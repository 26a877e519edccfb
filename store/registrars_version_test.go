package store_test

import (
	"testing"

	"cadastre/registry"
	"cadastre/store"
)

func TestRegistrarsVersion(t *testing.T) {
	dir := t.TempDir()
	st := open(t, dir)
	checkpoint := t.TempDir() + "/checkpoint"
	if err := st.Checkpoint(checkpoint); err != nil {
		t.Fatal(err)
	}
	index := uint64(0)
	changes := func(what string, want bool, fn func(tx *store.Tx)) {
		t.Helper()
		before := st.RegistrarsVersion()
		index++
		write(t, st, index, fn)
		if got := st.RegistrarsVersion() != before; got != want {
			t.Errorf("%s changes the version: %v", what, got)
		}
	}
	changes("a registrar", true, func(tx *store.Tx) { tx.PutRegistrar(&registry.Registrar{ID: "reg-a", ROID: "R1-REG"}) })
	changes("a message", true, func(tx *store.Tx) { tx.PutPollMessage(&registry.PollMessage{Registrar: "reg-a"}) })
	changes("the feature level", true, func(tx *store.Tx) { tx.SetFeatureLevel(registry.MaxFeatureLevel) })
	changes("a domain", false, func(tx *store.Tx) { tx.PutDomain(nil, domainNamed("a.example", "D1")); tx.PollQueue("reg-a") })
	changes("what is dropped", false, func(tx *store.Tx) { tx.PutRegistrar(&registry.Registrar{ID: "reg-b", ROID: "R2-REG"}); tx.Drop() })
	before := st.RegistrarsVersion()
	if err := st.Restore(checkpoint); err != nil {
		t.Fatal(err)
	}
	if st.RegistrarsVersion() == before {
		t.Error("a restored state has the same version")
	}
}
