package dnsedge

import (
	"cmp"
	"slices"
)

// pending is a node as it will be after the transaction.
type pending struct {
	key []byte
	had bool // it is in the base table
	node
}

func (p *pending) exists() bool { return len(p.rrs) > 0 || p.children > 0 }

// txn gathers changes to a table. The base stays as it is; commit makes a new table that shares every page that no
// change touched.
type txn struct {
	base  *table
	nodes map[string]*pending
}

func newTxn(base *table) *txn { return &txn{base: base, nodes: make(map[string]*pending)} }

// node returns the node to change at a key, which it keeps.
func (x *txn) node(key []byte) *pending {
	if p := x.nodes[string(key)]; p != nil {
		return p
	}
	n, had := x.base.find(key)
	p := &pending{key: key, had: had, node: n}
	x.nodes[string(key)] = p
	return p
}

// set replaces the records at a key, which it keeps; none removes the owner. Names between the key and the apex come and go as empty
// non-terminals, by the count of their children.
func (x *txn) set(key []byte, rrs records) {
	p := x.node(key)
	was := p.exists()
	p.rrs = rrs
	for len(p.key) > 0 && was != p.exists() {
		parent := x.node(p.key[1+int(p.key[0]):])
		parentWas := parent.exists()
		if was {
			parent.children--
		} else {
			parent.children++
		}
		p, was = parent, parentWas
	}
}

// placed is a piece of work for commit: a change, or (with a nil change) a page that must be split.
type placed struct {
	page int // in the base table
	hash uint64
	p    *pending
}

// commit builds the next table.
func (x *txn) commit() *table {
	base := x.base
	next := &table{seed: base.seed, nodes: base.nodes, pages: base.pages, octets: base.octets, loose: base.loose}
	work := make([]placed, 0, len(x.nodes))
	for _, p := range x.nodes {
		h := base.hash(p.key)
		work = append(work, placed{page: address(h, base.pages), hash: h, p: p})
		if p.exists() {
			next.nodes++
		}
		if p.had {
			next.nodes--
		}
	}
	next.pages = max(base.pages, (next.nodes+nodesPerPage-1)/nodesPerPage)
	for i := base.pages; i < next.pages; i++ {
		work = append(work, placed{page: address(uint64(i), base.pages)})
	}
	slices.SortFunc(work, func(a, b placed) int { return cmp.Compare(a.page, b.page) })

	w := newTableWriter(base, next)
	for len(work) > 0 {
		n := 1
		for n < len(work) && work[n].page == work[0].page {
			n++
		}
		w.rebuild(work[0].page, work[:n])
		work = work[n:]
	}
	return next
}

// tableWriter fills a table that nobody reads yet.
type tableWriter struct {
	base, next *table
	owned      []bool // per directory: it is a copy that may be written
	items      []item // scratch of rebuild
}

func newTableWriter(base, next *table) *tableWriter {
	dirs := (next.pages + pagesPerDir - 1) / pagesPerDir
	next.dirs = make([]*dir, dirs)
	w := &tableWriter{base: base, next: next, owned: make([]bool, dirs)}
	for i := copy(next.dirs, base.dirs); i < dirs; i++ {
		next.dirs[i], w.owned[i] = new(dir), true
	}
	return w
}

func (w *tableWriter) put(i int, p page) {
	d := i / pagesPerDir
	if !w.owned[d] {
		clone := *w.next.dirs[d]
		w.next.dirs[d], w.owned[d] = &clone, true
	}
	old := &w.next.dirs[d][i%pagesPerDir]
	w.next.octets += len(p) - len(*old)
	w.next.loose += len(p)
	*old = p
}

// rebuild writes anew the page at index i of the base and those split off from it.
func (w *tableWriter) rebuild(i int, work []placed) {
	old := w.base.page(i)
	count := old.count()
	w.items = w.items[:0]
	for j := range count {
		key, n := old.entry(j, count)
		replaced := slices.ContainsFunc(work, func(c placed) bool {
			return c.p != nil && string(c.p.key) == string(key)
		})
		if replaced {
			continue
		}
		dest := i
		if w.next.pages != w.base.pages {
			dest = address(w.base.hash(key), w.next.pages)
		}
		w.items = append(w.items, item{dest: dest, tag: old.tag(j), key: key, node: n})
	}
	for _, c := range work {
		if c.p != nil && c.p.exists() {
			w.items = append(w.items, item{dest: address(c.hash, w.next.pages), tag: tagOf(c.hash), key: c.p.key, node: c.p.node})
		}
	}
	w.put(i, nil)
	if w.next.pages != w.base.pages {
		slices.SortFunc(w.items, func(a, b item) int { return cmp.Compare(a.dest, b.dest) })
	}
	for rest := w.items; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].dest == rest[0].dest {
			n++
		}
		w.put(rest[0].dest, makePage(rest[:n]))
		rest = rest[n:]
	}
	clear(w.items)
}
