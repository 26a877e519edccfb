package main

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"cadastre/registry"
)

// TestClusterInitAgain interrupts the making of a cluster at its stages and does it again.
func TestClusterInitAgain(t *testing.T) {
	for _, tt := range []struct {
		name      string
		interrupt func(t *testing.T, n *node)
	}{
		{"after the bootstrap", func(t *testing.T, n *node) {
			if err := n.raft.Close(); err != nil {
				t.Fatal(err)
			}
		}},
		{"after the election", func(t *testing.T, n *node) { runFirst(t, n, func(*testing.T, context.Context) {}) }},
		{"with the first command in the log only", func(t *testing.T, n *node) {
			runFirst(t, n, func(t *testing.T, ctx context.Context) {
				if err := proposeFirst(ctx, n, systemClock()); err != nil {
					t.Error(err)
				}
			})
			if err := n.store.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(n.cfg.storeDir()); err != nil {
				t.Fatal(err)
			}
			var err error
			if n.store, err = openStore(n.cfg); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := preparedNode(t)
			n, err := openFirst(mustLoad(t, config(map[string]string{"advertise": "127.0.0.1:2"})), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			tt.interrupt(t, n)
			if err := n.store.Close(); err != nil {
				t.Fatal(err)
			}
			cfg := mustLoad(t, config(nil))
			id, err := initCluster(t.Context(), cfg, systemClock(), io.Discard)
			if err != nil || id == "" {
				t.Fatalf("again: %q, %v", id, err)
			}
			requireFirstNode(t, cfg, id)
			if _, err := initCluster(t.Context(), cfg, systemClock(), io.Discard); err == nil ||
				!strings.Contains(err.Error(), "already holds a state of cluster "+id) {
				t.Errorf("again when it was complete: %v", err)
			}
		})
	}
}

// runFirst runs raft until this node leads and step is done.
func runFirst(t *testing.T, n *node, step func(t *testing.T, ctx context.Context)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), initTimeout)
	defer cancel()
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- n.raft.Run(running) }()
	if err := waitLeading(ctx, n); err != nil {
		t.Error(err)
	}
	step(t, ctx)
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// requireFirstNode looks at the state that a completed init leaves.
func requireFirstNode(t *testing.T, cfg *Config, clusterID string) {
	t.Helper()
	st, err := openStore(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	n := &node{cfg: cfg, store: st}
	id, mode, err := n.clusterOfState()
	if err != nil || id != clusterID || mode != registry.ClockSystem {
		t.Errorf("the state is of cluster %q with clock %v, %v", id, mode, err)
	}
}
