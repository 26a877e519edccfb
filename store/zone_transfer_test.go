package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"cadastre/store"
)

// TestLongViewGivesWay restores a state while a reader waits in a view of the old one.
func TestLongViewGivesWay(t *testing.T) {
	dir := t.TempDir()
	st := open(t, dir)
	checkpoint := filepath.Join(dir, "checkpoint")
	if err := st.Checkpoint(checkpoint); err != nil {
		t.Fatal(err)
	}
	entered, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- st.LongView(context.Background(), func(ctx context.Context, _ *store.ReadTx) error {
			close(entered)
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	<-entered
	restored := make(chan error, 1)
	go func() { restored <- st.Restore(checkpoint) }()
	select {
	case err := <-restored:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a restore waits for a reader")
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the reader ended with %v", err)
	}
	ok := st.LongView(t.Context(), func(ctx context.Context, _ *store.ReadTx) error { return ctx.Err() })
	if ok != nil {
		t.Errorf("a view after the restore: %v", ok)
	}
}

func TestEachPublication(t *testing.T) {
	st := open(t, t.TempDir())
	for i := range uint32(5) {
		write(t, st, uint64(i+1), func(tx *store.Tx) {
			tx.Publish("example", 100+i, "", []store.OwnerRecords{{Owner: "example", RRs: []byte{byte(i)}}})
		})
	}
	view(t, st, func(tx *store.ReadTx) {
		var serials []uint32
		collect := func(p store.Publication) bool { serials = append(serials, p.Serial); return len(serials) < 4 }
		if !tx.EachPublication("example", 3, collect) || len(serials) != 2 || serials[0] != 103 {
			t.Errorf("publications %v", serials)
		}
		if serials = nil; !tx.EachPublication("example", 0, collect) || len(serials) != 4 {
			t.Errorf("publications until told to stop: %v", serials)
		}
		if serials = nil; tx.EachPublication("example", 7, collect) || len(serials) != 0 {
			t.Errorf("publications that are not there: %v", serials)
		}
	})
}
