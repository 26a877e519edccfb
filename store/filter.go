package store

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

const (
	// firstFilterKeys is what the first part of a filter is made for; each further one holds
	// twice as many as the one before.
	firstFilterKeys = 1 << 20
	// filterKeysPerBlock keys share a block of 512 bits: about one in a thousand that is not
	// there is taken for one that may be.
	filterKeysPerBlock = 32
	filterBitsPerKey   = 6
	// fillPieceRows is how many rows are read in one view while a filter is filled, so that
	// a state that is replaced meanwhile need not wait long.
	fillPieceRows = 20_000
)

// keyFilter knows most keys that are not there without asking the disk: every create of a
// domain asks whether its name is free, and every publication what was published before. It
// is a Bloom filter of blocks over all keys of some tables that have been there since it was
// made. Until it is full it says nothing.
type keyFilter struct {
	seed  maphash.Seed
	full  atomic.Bool
	parts atomic.Pointer[[]*filterPart]
	mu    sync.Mutex // guards adding
}

type filterPart struct {
	blocks []filterBlock // a power of two
	room   int           // keys that may still come; guarded by keyFilter.mu
}

type filterBlock [8]atomic.Uint64

func newKeyFilter() *keyFilter {
	f := &keyFilter{seed: maphash.MakeSeed()}
	f.parts.Store(&[]*filterPart{newFilterPart(firstFilterKeys)})
	return f
}

func newFilterPart(keys int) *filterPart {
	return &filterPart{blocks: make([]filterBlock, keys/filterKeysPerBlock), room: keys}
}

// filteredTables are those whose keys the filter knows: rows that are looked for when they
// are about to be made.
func filteredTables() [5]table {
	return [...]table{tableDomain, tableHost, tableZone, tableZoneChain, tableResignOf}
}

func isFiltered(t table) bool {
	switch t {
	case tableDomain, tableHost, tableZone, tableZoneChain, tableResignOf:
		return true
	}
	return false
}

// excludes says that the key is not there, nor was in any view that began with a full filter.
func (f *keyFilter) excludes(k []byte) bool {
	if !isFiltered(table(k[0])) || !f.full.Load() {
		return false
	}
	hash := maphash.Bytes(f.seed, k)
	for _, part := range *f.parts.Load() {
		if part.mayContain(hash) {
			return false
		}
	}
	return true
}

// add makes the key known. It comes before the commit of the key's row.
func (f *keyFilter) add(k string) {
	hash := maphash.String(f.seed, k)
	f.mu.Lock()
	defer f.mu.Unlock()
	parts := *f.parts.Load()
	for _, part := range parts {
		if part.mayContain(hash) {
			return
		}
	}
	last := parts[len(parts)-1]
	if last.room == 0 {
		last = newFilterPart(2 * filterKeysPerBlock * len(last.blocks))
		grown := append(append([]*filterPart{}, parts...), last)
		f.parts.Store(&grown)
	}
	last.room--
	last.add(hash)
}

// The upper half of a hash chooses the block, six bits at a time of the lower the bits in
// it; each bit lies in another word or another place of it.
func (p *filterPart) block(hash uint64) *filterBlock {
	return &p.blocks[(hash>>40)&uint64(len(p.blocks)-1)]
}

func (p *filterPart) mayContain(hash uint64) bool {
	block := p.block(hash)
	for i := range filterBitsPerKey {
		bit := hash >> (6 * i) & 63
		if block[i].Load()&(1<<bit) == 0 {
			return false
		}
	}
	return true
}

func (p *filterPart) add(hash uint64) {
	block := p.block(hash)
	for i := range filterBitsPerKey {
		bit := hash >> (6 * i) & 63
		block[i].Or(1 << bit)
	}
}

// FillFilter reads the keys of the state into memory, which spares the commands many reads,
// and does so again when the state was replaced. It ends with ctx. Without it everything
// works, more slowly.
func (s *Store) FillFilter(ctx context.Context) error {
	for {
		filter, err := s.fillFilter(ctx)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-filter:
		}
	}
}

// fillFilter fills the filter of the present state and returns a channel that is closed when
// the state is replaced.
func (s *Store) fillFilter(ctx context.Context) (replaced <-chan struct{}, err error) {
	var current *keyFilter
	for _, t := range filteredTables() {
		next := t.key()
		for len(next) > 0 && ctx.Err() == nil {
			err := s.View(func(tx *ReadTx) error {
				if current != nil && tx.filter != current {
					current, next = nil, nil
					return nil
				}
				current, replaced = tx.filter, s.replaced
				next = tx.addKeys(t, next)
				return nil
			})
			if err != nil {
				return nil, err
			}
			if current == nil { // replaced meanwhile
				return s.fillFilter(ctx)
			}
		}
	}
	if ctx.Err() == nil {
		current.full.Store(true)
	}
	return replaced, nil
}

// addKeys adds a piece of the table's keys from the given one on to the filter and returns
// where the next piece begins, nil at the end.
func (tx *ReadTx) addKeys(t table, from key) (next key) {
	rows := 0
	tx.scan(t.key(), from, func(rest, _ []byte) bool {
		if rows++; rows > fillPieceRows {
			next = t.key().bytes(rest)
			return false
		}
		tx.filter.add(string(t.key().bytes(rest)))
		return true
	})
	return next
}
