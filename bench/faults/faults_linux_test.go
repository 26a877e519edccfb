package faults

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"cadastre/internal/devcluster"
)

// settleTimeout bounds what must happen once the faults are over.
const settleTimeout = 2 * time.Minute

var build = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(os.TempDir(), "cadastre-faults-test")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return devcluster.Build(context.Background(), dir)
})

func startCluster(t *testing.T, cfg Config) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a cluster of processes; not with -short")
	}
	if err := requireTools("ip", "nsenter"); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	var err error
	if cfg.Binary, err = build(); err != nil {
		t.Fatal(err)
	}
	cfg.Dir = filepath.Join(t.TempDir(), "c")
	if err := os.Mkdir(cfg.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := Start(t.Context(), cfg)
	if errors.Is(err, ErrNoMeans) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.Logs())
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// work runs a registrar, one stream of creates beginning at each node and one of reads, until
// the returned function is called.
func work(t *testing.T, c *Cluster) (*Registrar, func()) {
	t.Helper()
	r := NewRegistrar(c.Info())
	ctx, cancel := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	for i, n := range c.Info().Nodes {
		workers.Go(func() { r.Create(ctx, "load-"+n.ID, i) })
	}
	workers.Go(func() { r.Read(ctx, 1) })
	stop := sync.OnceFunc(func() {
		cancel()
		workers.Wait()
	})
	t.Cleanup(stop)
	must(t, eventually(t.Context(), settleTimeout, "the first registrations", func(context.Context) error {
		if r.Count() < 5 {
			return errors.New("too few")
		}
		return nil
	}))
	return r, stop
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// more waits for that many more registrations.
func more(t *testing.T, r *Registrar, count int, within time.Duration) {
	t.Helper()
	want := r.Count() + count
	must(t, eventually(t.Context(), within, "more registrations", func(context.Context) error {
		if r.Count() < want {
			return errors.New("too few")
		}
		return nil
	}))
}

func verify(t *testing.T, c *Cluster, r *Registrar) {
	t.Helper()
	v, err := c.Verify(t.Context(), r, settleTimeout)
	must(t, err)
	t.Logf("proved: %d acknowledged registrations on all %d nodes, %d charges, none twice, account exact; state hash %.12s equal at index %d; %d attempts without an answer, %d of them done; %d linearizable reads, none stale; slowest answer %s",
		v.Acknowledged, len(c.Info().Nodes), v.Charged, v.StateHash, v.AppliedIndex, r.Unknown.Load(), r.DoneInSilence.Load(), r.Reads.Load(), r.Slowest().Round(time.Millisecond))
}
