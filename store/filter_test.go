package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"cadastre/registry"
	"cadastre/store"
)

// TestFilter writes and deletes domains while the filter is filled, replaces the state
// meanwhile, and looks for what is there and what is not.
func TestFilter(t *testing.T) {
	st := open(t, t.TempDir())
	name := func(i int) registry.DomainName { return registry.DomainName(fmt.Sprintf("d%05d.example", i)) }
	put := func(index uint64, from, to int) {
		write(t, st, index, func(tx *store.Tx) {
			for i := from; i < to; i++ {
				tx.PutDomain(nil, &registry.Domain{Name: name(i), TLD: "example", Provenance: registry.Provenance{ROID: registry.ROID(fmt.Sprint("D", i, "-EX"))}})
			}
		})
	}
	wanted := func(from, to int, want bool) {
		t.Helper()
		view(t, st, func(tx *store.ReadTx) {
			for i := from; i < to; i++ {
				if tx.HasDomain(name(i)) != want {
					t.Fatalf("%s is there: %v", name(i), !want)
				}
			}
		})
		write(t, st, 1_000_000, func(tx *store.Tx) {
			for i := from; i < to; i++ {
				if tx.HasDomain(name(i)) != want {
					t.Fatalf("while entries are applied %s is there: %v", name(i), !want)
				}
			}
		})
	}
	put(1, 0, 25_000) // more than a piece
	checkpoint := t.TempDir() + "/checkpoint"
	if err := st.Checkpoint(checkpoint); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var filling sync.WaitGroup
	filling.Go(func() {
		if err := st.FillFilter(ctx); err != nil {
			t.Error(err)
		}
	})
	defer filling.Wait()
	defer cancel()
	put(2, 25_000, 26_000)
	await := func() {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); !st.IsFilterFull(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the filter is not full")
			}
		}
	}
	await()
	put(3, 26_000, 27_000)
	write(t, st, 4, func(tx *store.Tx) { tx.DeleteDomain(&registry.Domain{Name: name(7)}) })
	wanted(0, 7, true)
	wanted(7, 8, false)
	wanted(8, 27_000, true)
	wanted(27_000, 28_000, false)
	if known := st.FilterExcludes(27_000, 28_000, name); known < 950 {
		t.Errorf("the filter knows of %d of 1000 names that they are not there", known)
	}
	if err := st.Restore(checkpoint); err != nil {
		t.Fatal(err)
	}
	put(2, 30_000, 30_100)
	await()
	wanted(0, 25_000, true)
	wanted(25_000, 27_000, false)
	wanted(30_000, 30_100, true)
}
