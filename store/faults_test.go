package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"cadastre/registry"
	"cadastre/store"
)

// A flipped bit anywhere in a table file is found by the checksum of its block: the store
// does not open, or the reader gets a fault that is also reported. No row is ever read
// that was not written, and what is missing is never taken for absent.
func TestFlippedBitOfATableIsDetected(t *testing.T) {
	const rows = 400
	base := t.TempDir()
	st := open(t, base)
	name := func(i int) registry.DomainName { return registry.DomainName(fmt.Sprintf("d%04d.example", i)) }
	for i := range rows {
		write(t, st, uint64(i+1), func(tx *store.Tx) {
			d := fullDomain()
			d.Name, d.ROID = name(i), registry.ROID(fmt.Sprintf("D%04d-EX", i))
			tx.PutDomain(nil, d)
		})
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, base).Close(); err != nil { // replaying the write-ahead log makes tables of it
		t.Fatal(err)
	}
	table := largestTable(t, filepath.Join(base, "state"))
	whole, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	flips, found := 0, 0
	for at := 0; at < len(whole); at += len(whole)/25 + 1 {
		flips++
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
			t.Fatal(err)
		}
		data := append([]byte(nil), whole...)
		data[at] ^= 0x10
		if err := os.WriteFile(filepath.Join(dir, "state", filepath.Base(table)), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if damagedStoreIsRefused(t, dir, rows, name) {
			found++
		}
	}
	t.Logf("%d of %d flips detected in %s of %d octets", found, flips, filepath.Base(table), len(whole))
	if found < flips*3/4 {
		t.Errorf("only %d of %d flips were detected", found, flips)
	}
}

// damagedStoreIsRefused reads everything and says whether the damage was met.
func damagedStoreIsRefused(t *testing.T, dir string, rows int, name func(int) registry.DomainName) bool {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		return true
	}
	defer func() { _ = st.Close() }()
	reported := make(chan error, 1000)
	st.OnFault(func(err error) {
		select {
		case reported <- err:
		default:
		}
	})
	met := false
	for i := range rows {
		var d *registry.Domain
		var ok bool
		err := st.View(func(tx *store.ReadTx) error { d, ok = tx.Domain(name(i)); return nil })
		var f *store.Fault
		switch {
		case errors.As(err, &f):
			met = true
		case err != nil:
			t.Errorf("%s: %v", name(i), err)
		case !ok || d.Name != name(i) || d.ROID != registry.ROID(fmt.Sprintf("D%04d-EX", i)):
			t.Errorf("%s was read as %+v", name(i), d)
		}
	}
	var sum, stored []byte
	err = st.View(func(tx *store.ReadTx) error { sum, stored = tx.VerifyStateHash(), tx.StateHash(); return nil })
	if err == nil && string(sum) != string(stored) {
		t.Error("the whole state was read without a fault and is another one")
	}
	met = met || err != nil
	if met && len(reported) == 0 {
		t.Error("a fault was not reported")
	}
	return met
}

func largestTable(t *testing.T, dir string) (path string) {
	t.Helper()
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	var largest int64
	for _, table := range tables {
		info, err := os.Stat(table)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > largest {
			path, largest = table, info.Size()
		}
	}
	if path == "" {
		t.Fatalf("no tables in %s", dir)
	}
	return path
}
