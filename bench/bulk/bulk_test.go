package bulk_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"cadastre/bench/bulk"
	"cadastre/registry"
	"cadastre/store"
)

// view runs fn over the state in dir.
func view(t *testing.T, dir string, fn func(tx *store.ReadTx)) {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := st.View(func(tx *store.ReadTx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestFillMakesAWholeRegistry(t *testing.T) {
	const domains = 3000
	cfg := bulk.Config{StoreDir: t.TempDir(), Domains: domains, Seed: 7, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	filled, err := bulk.Fill(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var hash []byte
	view(t, cfg.StoreDir, func(tx *store.ReadTx) {
		hash = tx.StateHash()
		if !bytes.Equal(hash, tx.VerifyStateHash()) {
			t.Error("the state hash is not that of the rows")
		}
		if tx.HasDirty() {
			t.Error("names await publication")
		}
		if index, term := tx.Applied(); index != filled.Index || term != filled.Term {
			t.Errorf("the state is at %d of term %d, not %d of term %d", index, term, filled.Index, filled.Term)
		}
		for _, i := range []int{0, 1, domains / 2, domains - 1} {
			name := registry.DomainName(bulk.Name(i)) + "." + filled.TLD
			if d, ok := tx.Domain(name); !ok || d.Sponsor != filled.Registrar || len(d.NameServers) != 2 {
				t.Errorf("domain %s is %+v", name, d)
			}
			if _, ok := tx.Published(filled.TLD, name); !ok {
				t.Errorf("domain %s is not published", name)
			}
		}
	})
	// Once more into another folder; the first is shared with a third.
	second, third := cfg, t.TempDir()
	second.StoreDir = t.TempDir()
	if _, err := bulk.Fill(context.Background(), second); err != nil {
		t.Fatal(err)
	}
	if err := bulk.Share(cfg.StoreDir, third); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{second.StoreDir, third} {
		view(t, dir, func(tx *store.ReadTx) {
			if !bytes.Equal(hash, tx.StateHash()) {
				t.Errorf("the state in %s differs", dir)
			}
		})
	}
}

func TestFillEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cfg := bulk.Config{StoreDir: t.TempDir(), Domains: 1_000_000, Progress: func(int) { cancel() }}
	if _, err := bulk.Fill(ctx, cfg); err == nil {
		t.Error("it went on")
	}
}
