package raftnode

import (
	"sync"

	"github.com/hashicorp/raft"
)

const (
	// cacheEntries is how many recent entries are answered from memory: four full
	// messages to each of several peers that are a second or two behind, so that
	// ordinary replication never reads bbolt.
	cacheEntries = 16384
	// cacheBytes bounds the same by size, because an entry may hold a whole publication.
	cacheBytes = 64 << 20
	// entryOverheadBytes is what an entry costs beside its data.
	entryOverheadBytes = 128
)

// entryCache keeps a contiguous run of the newest entries. raft's own LogCache has no bound
// in bytes and forgets everything at each truncation.
type entryCache struct {
	mu    sync.RWMutex
	ring  []*raft.Log
	low   uint64 // the run is [low, high); empty if they are equal
	high  uint64
	bytes int
}

func newEntryCache() *entryCache { return &entryCache{ring: make([]*raft.Log, cacheEntries)} }

func (c *entryCache) slot(index uint64) **raft.Log { return &c.ring[index%cacheEntries] }

func (c *entryCache) get(index uint64, out *raft.Log) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if index < c.low || index >= c.high {
		return false
	}
	*out = **c.slot(index)
	return true
}

func (c *entryCache) put(entries []*raft.Log) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range entries {
		if e.Index < c.high {
			c.cutFrom(e.Index)
		}
		if e.Index != c.high { // a gap: begin a new run
			c.reset()
			c.low, c.high = e.Index, e.Index
		}
		if c.high-c.low == cacheEntries {
			c.evictLow()
		}
		*c.slot(e.Index) = e
		c.high++
		c.bytes += len(e.Data) + entryOverheadBytes
		for c.bytes > cacheBytes && c.low < c.high-1 {
			c.evictLow()
		}
	}
}

// drop forgets the entries from first to last.
func (c *entryCache) drop(first, last uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case last < c.low || first >= c.high:
	case first <= c.low:
		for c.low < c.high && c.low <= last {
			c.evictLow()
		}
	default:
		c.cutFrom(first)
	}
}

func (c *entryCache) evictLow() {
	s := c.slot(c.low)
	c.bytes -= len((*s).Data) + entryOverheadBytes
	*s = nil
	c.low++
}

func (c *entryCache) cutFrom(index uint64) {
	for c.high > index && c.high > c.low {
		c.high--
		s := c.slot(c.high)
		c.bytes -= len((*s).Data) + entryOverheadBytes
		*s = nil
	}
}

func (c *entryCache) reset() {
	clear(c.ring)
	c.low, c.high, c.bytes = 0, 0, 0
}
