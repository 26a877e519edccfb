package gcpace_test

import (
	"context"
	"runtime/debug"
	"testing"

	"cadastre/internal/gcpace"
)

func TestPercent(t *testing.T) {
	for live, want := range map[uint64]int{
		0: 800, 1 << 20: 800, 32 << 20: 800, 64 << 20: 400, 256 << 20: 100, 8 << 30: 100,
	} {
		if got := gcpace.Percent(live); got != want {
			t.Errorf("with %d MiB in use the heap may grow by %d %%, want %d", live>>20, got, want)
		}
	}
}

func TestRunSetsThePace(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // it looks once before it waits
	if err := gcpace.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if got := debug.SetGCPercent(100); got <= 100 {
		t.Errorf("the heap of a small process may grow by %d %%", got)
	}
}
