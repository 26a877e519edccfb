// Package gcpace keeps the garbage collector from running many times a second in a process
// whose heap is small: Go's default starts a collection when the heap has doubled, and a node
// under load doubles some dozen MiB in no time. Here a fixed room may fill before each.
package gcpace

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// RoomBytes is what may be allocated between two collections however small the heap is.
	RoomBytes = 256 << 20
	// minPercent is Go's default, for heaps that are larger than the room; maxPercent keeps a
	// nearly empty heap from being taken for the measure of things.
	minPercent = 100
	maxPercent = 800
	// interval is how often the live heap is looked at; it grows by a room in seconds at most.
	interval = 2 * time.Second
	// liveMetric is the heap that the last collection found in use.
	liveMetric = "/gc/heap/live:bytes"
)

// Run paces the collector until ctx ends. Whoever sets GOGC knows better: Run does nothing
// then, which the caller decides by looking at the environment.
func Run(ctx context.Context) error {
	timer := time.NewTicker(interval)
	defer timer.Stop()
	sample := []metrics.Sample{{Name: liveMetric}}
	current := 0
	for {
		metrics.Read(sample)
		if sample[0].Value.Kind() == metrics.KindUint64 {
			if wanted := Percent(sample[0].Value.Uint64()); wanted != current {
				debug.SetGCPercent(wanted)
				current = wanted
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
	}
}

// Percent returns the growth in percent of the live heap that is about RoomBytes, at least
// Go's default.
func Percent(liveBytes uint64) int {
	if liveBytes == 0 {
		return maxPercent
	}
	return int(min(maxPercent, max(minPercent, 100*RoomBytes/liveBytes)))
}
