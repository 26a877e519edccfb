package raftnode

import (
	"fmt"
	"sync"
	"time"
)

const (
	// maxLogHolds bounds how many nodes may keep the log from being cut at a time.
	maxLogHolds = 64
	// maxLogHoldFor bounds a hold; it is renewed while its reason lasts.
	maxLogHoldFor = 5 * time.Minute
	// holdSlackEntries are kept beyond what a hold wants: the log grows between two looks at
	// it, and raft needs the entry before the first one that it sends.
	holdSlackEntries = 65536
)

// logHolds are the places from which the log must be kept, because a node fetches a
// checkpoint that ends there.
type logHolds struct {
	mu   sync.Mutex
	held map[string]logHold
}

type logHold struct {
	from  uint64
	until time.Time
}

// put sets or renews a hold. A later place in the log replaces an earlier one.
func (h *logHolds) put(name string, from uint64, until, now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(now)
	if _, known := h.held[name]; !known && len(h.held) >= maxLogHolds {
		return fmt.Errorf("the log is held for %d nodes already", len(h.held))
	}
	if h.held == nil {
		h.held = map[string]logHold{}
	}
	h.held[name] = logHold{from: from, until: until}
	return nil
}

func (h *logHolds) drop(now time.Time) {
	for name, hold := range h.held {
		if now.After(hold.until) {
			delete(h.held, name)
		}
	}
}

// from returns the first index that must be kept; ok is false if none must.
func (h *logHolds) from(now time.Time) (index uint64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(now)
	for _, hold := range h.held {
		if !ok || hold.from < index {
			index, ok = hold.from, true
		}
	}
	return index, ok
}

// HoldLog keeps the log after index, as far as it is still there and the disk has room, for
// the time given, which may be renewed under the same name. It returns the first index that
// is in the log.
func (n *Node) HoldLog(name string, index uint64, duration time.Duration) (first uint64, err error) {
	r, err := n.running()
	if err != nil {
		return 0, err
	}
	now := time.Now()
	if err := n.holds.put(name, index+1, now.Add(min(duration, maxLogHoldFor)), now); err != nil {
		return 0, unavailable("the log cannot be held", err)
	}
	n.setTrailing(r, n.cfg.TrailingEntries)
	if first, err = n.log.FirstIndex(); err != nil {
		return 0, fmt.Errorf("read the log's first index: %w", err)
	}
	return first, nil
}

// trailing returns how many entries must trail: those wished for, or more while the log is
// held and the disk has room.
func (n *Node) trailing(entries uint64) uint64 {
	from, ok := n.holds.from(time.Now())
	if !ok || n.Disk().IsLow {
		return entries
	}
	last, err := n.log.LastIndex()
	if err != nil {
		return entries
	}
	// A hold may begin right behind the last entry: then it is for those that are yet to come.
	return max(entries, last-min(from, last)+holdSlackEntries)
}
