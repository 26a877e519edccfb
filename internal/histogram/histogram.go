// Package histogram counts observations in buckets, for packages that export their numbers
// without knowing who collects them.
package histogram

import (
	"sync"
	"time"
)

// Histogram counts observations in buckets with fixed upper bounds.
type Histogram struct {
	bounds []float64

	mu      sync.Mutex
	buckets []uint64 // one for each bound, without what is above the last
	count   uint64
	sum     float64
}

// Snapshot is what a Histogram has counted: for each upper bound how many
// observations do not exceed it, and the count and sum of all.
type Snapshot struct {
	Cumulative map[float64]uint64
	Count      uint64
	Sum        float64
}

// New returns one with the upper bounds, which must ascend.
func New(bounds ...float64) *Histogram {
	return &Histogram{bounds: bounds, buckets: make([]uint64, len(bounds))}
}

// Observe counts a value.
func (h *Histogram) Observe(value float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count++
	h.sum += value
	for i, bound := range h.bounds {
		if value <= bound {
			h.buckets[i]++
			return
		}
	}
}

// Snapshot returns what was counted so far.
func (h *Histogram) Snapshot() Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := Snapshot{Cumulative: make(map[float64]uint64, len(h.bounds)), Count: h.count, Sum: h.sum}
	var total uint64
	for i, bound := range h.bounds {
		total += h.buckets[i]
		v.Cumulative[bound] = total
	}
	return v
}

// Since counts the seconds that have passed.
func (h *Histogram) Since(began time.Time) { h.Observe(time.Since(began).Seconds()) }

// NewSeconds returns a histogram of seconds, from what a fast disk takes to what makes a
// watchdog end the node.
func NewSeconds() *Histogram {
	return New(.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30)
}

// NewSizes returns a histogram of counts, up to the 1024 entries that raft puts into a message.
func NewSizes() *Histogram { return New(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024) }
