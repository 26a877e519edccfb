package dnssec

import (
	"bytes"
	"slices"

	"cadastre/registry"
)

// chain is the denial chain of a zone as it will be: the published one, with keys added and removed.
type chain struct {
	view    View
	tld     registry.DomainName
	kind    registry.Denial
	added   [][]byte // sorted
	removed map[string]bool
}

func (c *chain) edit(added, removed [][]byte) {
	c.added, c.removed = added, make(map[string]bool, len(removed))
	slices.SortFunc(c.added, bytes.Compare)
	for _, k := range removed {
		c.removed[string(k)] = true
	}
}

// after returns the key that follows key, the first if key is the last; nil if there is none.
func (c *chain) after(key []byte) []byte {
	if next := c.firstFrom(append(bytes.Clone(key), 0)); next != nil {
		return next
	}
	return c.firstFrom([]byte{byte(c.kind)})
}

// firstFrom returns the first key at or after start.
func (c *chain) firstFrom(start []byte) []byte {
	var stored []byte
	for at := start; ; at = append(stored, 0) {
		k, _, ok := c.view.ChainFrom(c.tld, at)
		if !ok || k[0] != byte(c.kind) {
			stored = nil
			break
		}
		stored = k
		if !c.removed[string(k)] {
			break
		}
	}
	i, _ := slices.BinarySearchFunc(c.added, start, bytes.Compare)
	if i < len(c.added) && (stored == nil || bytes.Compare(c.added[i], stored) < 0) {
		return c.added[i]
	}
	return stored
}

// before returns the key that precedes key, the last if key is the first; nil if there is none.
func (c *chain) before(key []byte) []byte {
	if previous := c.lastBefore(key); previous != nil {
		return previous
	}
	return c.lastBefore([]byte{byte(c.kind) + 1})
}

// lastBefore returns the last key before end.
func (c *chain) lastBefore(end []byte) []byte {
	stored := end
	for {
		k, _, ok := c.view.ChainBefore(c.tld, stored)
		if !ok || k[0] != byte(c.kind) {
			stored = nil
			break
		}
		stored = k
		if !c.removed[string(k)] {
			break
		}
	}
	i, _ := slices.BinarySearchFunc(c.added, end, bytes.Compare)
	if i > 0 && (stored == nil || bytes.Compare(c.added[i-1], stored) > 0) {
		return c.added[i-1]
	}
	return stored
}
