package dnsedge

// Pages are made one by one, each its own object of the heap. Once a zone is loaded they are moved together into large
// blocks that the kernel maps with huge pages: random look-ups then seldom miss the processor's address cache. Pages
// that updates make later lie on their own again, until there are so many of them that all are moved anew. A block stays
// as long as a page in it is in use, so that a zone takes up at most compactLoose more than its content.
const (
	compactBlock = 64 << 20 // octets of a block
	compactMin   = 1 << 20  // smaller tables stay in any cache
	compactLoose = 2        // pages are moved when one part in so many has been replaced
)

// blocks hands out memory from large blocks for a known number of octets in all.
type blocks struct {
	left  int // octets still to be asked for
	block []byte
	all   [][]byte
}

// move copies a page.
func (b *blocks) move(page []byte) []byte {
	if len(page) == 0 {
		return nil
	}
	if len(b.block)+len(page) > cap(b.block) {
		b.block = make([]byte, 0, max(min(b.left, compactBlock), len(page)))
		b.all = append(b.all, b.block[:cap(b.block)])
	}
	at := len(b.block)
	b.block = append(b.block, page...)
	b.left -= len(page)
	return b.block[at:len(b.block):len(b.block)]
}

// finish asks the kernel for huge pages.
func (b *blocks) finish() {
	for _, block := range b.all {
		useHugePages(block)
	}
}

// compact returns the same table with its pages moved together.
func (t *table) compact() *table {
	if t.octets < compactMin {
		return t
	}
	next := *t
	next.loose = 0
	next.dirs = make([]*dir, len(t.dirs))
	b := &blocks{left: t.octets}
	for i, d := range t.dirs {
		moved := new(dir)
		for j, p := range d {
			moved[j] = b.move(p)
		}
		next.dirs[i] = moved
	}
	b.finish()
	return &next
}

// compact returns the same chain with its pages moved together.
func (c *chain) compact() *chain {
	if c.octets < compactMin {
		return c
	}
	next := *c
	next.loose = 0
	b := &blocks{left: c.octets}
	for i, d := range c.dirs {
		if d == nil {
			continue
		}
		moved := &chainDir{pages: make([]chainPage, len(d.pages)), records: d.records}
		for j, p := range d.pages {
			moved.pages[j] = b.move(p)
		}
		next.dirs[i] = moved
	}
	b.finish()
	return &next
}

// compact moves the pages of a zone that nobody reads yet, where enough of them lie on their own.
func (z *Zone) compact() {
	if z.names.loose > z.names.octets/compactLoose {
		z.names = z.names.compact()
	}
	if z.chain.loose > z.chain.octets/compactLoose {
		z.chain = z.chain.compact()
	}
}
