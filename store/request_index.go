package store

import "sync"

// requestsPerBlock is how many consecutive numbers of one origin share a block: a node
// counts its requests without gaps, so that most blocks are full.
const requestsPerBlock = 256

// requestIndex says which entry answered a request, for all results that are kept. It is
// made from the rows when the state is opened, and ahead of the commit while entries are
// applied. Eight octets a request.
type requestIndex struct {
	mu      sync.RWMutex                               // views read, the goroutine that applies writes
	origins map[requestOrigin]map[uint64]*requestBlock // by block number
	// oldest is a lower bound of the entries with results. Before it lie deleted rows, which
	// a scan would have to pass.
	oldest uint64
}

type requestOrigin struct {
	node  string
	epoch uint64
}

// requestBlock holds the entry of each request, 0 if none is kept.
type requestBlock struct {
	entries [requestsPerBlock]uint64
	used    int
}

func (x *requestIndex) entryOf(id RequestID) (index uint64, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	block := x.origins[requestOrigin{id.Origin, id.Epoch}][id.Counter/requestsPerBlock]
	if block == nil {
		return 0, false
	}
	index = block.entries[id.Counter%requestsPerBlock]
	return index, index != 0
}

func (x *requestIndex) add(id RequestID, index uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	origin := requestOrigin{id.Origin, id.Epoch}
	blocks := x.origins[origin]
	if blocks == nil {
		blocks = map[uint64]*requestBlock{}
		x.origins[origin] = blocks
	}
	block := blocks[id.Counter/requestsPerBlock]
	if block == nil {
		block = &requestBlock{}
		blocks[id.Counter/requestsPerBlock] = block
	}
	slot := &block.entries[id.Counter%requestsPerBlock]
	if *slot == 0 {
		block.used++
	}
	*slot = index
}

func (x *requestIndex) drop(id RequestID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	origin := requestOrigin{id.Origin, id.Epoch}
	blocks := x.origins[origin]
	block := blocks[id.Counter/requestsPerBlock]
	if block == nil || block.entries[id.Counter%requestsPerBlock] == 0 {
		return
	}
	block.entries[id.Counter%requestsPerBlock] = 0
	if block.used--; block.used > 0 {
		return
	}
	delete(blocks, id.Counter/requestsPerBlock)
	if len(blocks) == 0 {
		delete(x.origins, origin)
	}
}

// load makes the index anew from the rows.
func (x *requestIndex) load(tx *ReadTx) {
	x.mu.Lock()
	x.origins, x.oldest = map[requestOrigin]map[uint64]*requestBlock{}, 0
	x.mu.Unlock()
	tx.scan(tableResults.key(), nil, func(rest, value []byte) bool {
		index := decodeUint("results of an entry", rest)
		if x.oldest == 0 {
			x.oldest = index
		}
		for _, kept := range decodeResults(value).results {
			x.add(kept.id, index)
		}
		return true
	})
}
