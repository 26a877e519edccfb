package store

import (
	"strconv"
	"strings"
	"time"

	"cadastre/registry"
)

// Rows of a whole entry, from registry.LevelPackedRows on: the first versions of the objects
// that it made, and its postings. Both are kept for ever and hardly ever read, so that a row
// for each would cost most where nobody looks: in the tables that are written anew as they
// are merged.
const (
	tableVersions      table = 0xA8 // entry → first versions of the objects made by it
	tablePostings      table = 0xA9 // last number → consecutive rows of the ledger
	tablePostingsByAcc table = 0xAA // account, last number → it has rows among those postings
)

// packed are the parts of such rows of the entry that is being applied. Those of the command
// come with what else it staged, or go with it.
type packed struct {
	versions, stagedVersions []packedVersion
	ledger, stagedLedger     []LedgerRow
}

type packedVersion struct {
	Version
	roid registry.ROID
}

func (p *packed) keep() {
	p.versions = append(p.versions, p.stagedVersions...)
	p.ledger = append(p.ledger, p.stagedLedger...)
}

func (p *packed) drop() {
	clear(p.stagedVersions)
	clear(p.stagedLedger)
	p.stagedVersions, p.stagedLedger = p.stagedVersions[:0], p.stagedLedger[:0]
}

// clear makes it ready for the next entry.
func (p *packed) clear() {
	p.drop()
	clear(p.versions)
	clear(p.ledger)
	p.versions, p.ledger = p.versions[:0], p.ledger[:0]
}

// version returns the first version of an object made by the entry.
func (p *packed) version(roid registry.ROID) *packedVersion {
	for _, list := range [...][]packedVersion{p.stagedVersions, p.versions} {
		for i := range list {
			if list[i].roid == roid {
				return &list[i]
			}
		}
	}
	return nil
}

// posting returns a row that the entry added to the ledger.
func (p *packed) posting(number uint64) *LedgerRow {
	for _, list := range [...][]LedgerRow{p.stagedLedger, p.ledger} {
		for i := range list {
			if list[i].Number == number {
				row := list[i]
				return &row
			}
		}
	}
	return nil
}

// putVersion keeps the first version of an object.
func (p *packed) putVersion(v *packedVersion) {
	for i := range p.stagedVersions {
		if p.stagedVersions[i].roid == v.roid { // a command says twice what it makes
			p.stagedVersions[i] = *v
			return
		}
	}
	p.stagedVersions = append(p.stagedVersions, *v)
}

// placeOf returns the place in the log from which a ROID was made, if it looks like one that
// was: a letter, the index and the place in the entry, both to the base of 36.
func placeOf(roid registry.ROID) (index uint64, inEntry uint32, ok bool) {
	text, _, _ := strings.Cut(string(roid), "-")
	head, tail, found := strings.Cut(text, "_")
	if !found || len(head) < 2 {
		return 0, 0, false
	}
	index, err := strconv.ParseUint(head[1:], 36, 64)
	if err != nil {
		return 0, 0, false
	}
	at, err := strconv.ParseUint(tail, 36, 32)
	return index, uint32(at), err == nil
}

// firstVersion returns the version with which an object began, if it is in the row of its
// entry; nil if not.
func (tx *ReadTx) firstVersion(roid registry.ROID) *Version {
	index, _, ok := placeOf(roid)
	if !ok {
		return nil
	}
	if tx.memory != nil {
		if v := tx.memory.packed.version(roid); v != nil {
			found := v.Version
			return &found
		}
	}
	value, found := tx.get(tableVersions.key().uint(index))
	if !found {
		return nil
	}
	return findVersion(index, value, roid)
}

// writePacked writes what the entry has of such rows.
func (tx *Tx) writePacked() {
	p := &tx.memory.packed
	if len(p.versions) > 0 {
		tx.insert(tableVersions.key().uint(tx.at.Index), encodeVersions(p.versions))
	}
	if len(p.ledger) > 0 {
		last := p.ledger[len(p.ledger)-1].Number
		tx.insert(tablePostings.key().uint(last), encodePostings(p.ledger))
		for i := range p.ledger {
			for _, account := range [...]Account{p.ledger[i].From, p.ledger[i].To} {
				if k := postingsByAccountKey(account, last); isIndexed(account) && tx.staged.find(k) == nil {
					tx.insert(k, nil)
				}
			}
		}
	}
	p.clear()
}

func postingsByAccountKey(account Account, last uint64) key {
	return tablePostingsByAcc.key().str(string(account)).uint(last)
}

// versionCause is what versions that follow one another mostly have in common.
type versionCause struct {
	verb      string
	actorKind uint32
	actor     string
	at        time.Time
	term      uint64
}

func (v *packedVersion) shared() versionCause {
	return versionCause{verb: v.Verb, actorKind: v.ActorKind, actor: v.Actor, at: v.At, term: v.Term}
}

// The fields of rows for a whole entry: what is common to the items that follow, and an item.
const (
	fieldPackedCommon = 1
	fieldPackedItem   = 2
)

func encodeVersions(versions []packedVersion) []byte {
	octets := 0
	for i := range versions {
		octets += len(versions[i].row) + len(versions[i].Key) + usualRowOctets/4
	}
	e := encoder{b: make([]byte, 0, octets+usualRowOctets)}
	for i := range versions {
		v := &versions[i]
		if c := v.shared(); i == 0 || c != versions[i-1].shared() {
			e.msg(fieldPackedCommon, func(e *encoder) {
				e.str(1, c.verb)
				e.uint(2, uint64(c.actorKind))
				e.str(3, c.actor)
				e.time(6, c.at)
				e.uint(7, c.term)
			})
		}
		e.msg(fieldPackedItem, func(e *encoder) {
			e.str(13, string(v.roid))
			e.uint(14, uint64(v.InEntry))
			e.str(4, v.CLTRID)
			e.str(5, v.Reason)
			e.uint(8, uint64(v.Kind))
			e.str(9, v.Key)
			e.bool(10, v.Deleted)
			e.bytes(11, v.row)
			e.restoreReport(12, v.Report)
		})
	}
	return e.b
}

// findVersion returns the version of an object from the row of an entry, nil if it is not
// there. The content of the others is passed over.
func findVersion(index uint64, value []byte, roid registry.ROID) *Version {
	common := &packedVersion{}
	var found *packedVersion
	decodeRow("first versions of an entry", value, func(d *decoder) {
		for found == nil && d.next() {
			switch d.num {
			case fieldPackedCommon:
				common = &packedVersion{}
				d.nested(func(d *decoder) {
					for d.next() {
						d.versionField(&common.Version)
					}
				})
			case fieldPackedItem:
				d.nested(func(d *decoder) {
					if d.next() && (d.num != 13 || string(d.raw) != string(roid)) {
						return
					}
					found = &packedVersion{}
					*found = *common
					found.roid = roid
					for d.next() {
						switch d.num {
						case 14:
							found.InEntry = uint32(d.val)
						default:
							d.versionField(&found.Version)
						}
					}
				})
			default:
				d.unknown()
			}
		}
	})
	if found == nil {
		return nil
	}
	found.Index = index
	return &found.Version
}

// usualPostingOctets is what a row of the ledger has of its own.
const usualPostingOctets = 40

// encodePostings makes one row of consecutive rows of the ledger. Their numbers follow from
// that of the last, which is in the key.
func encodePostings(rows []LedgerRow) []byte {
	shared := func(r *LedgerRow) LedgerRow {
		common := *r
		common.Number, common.Object, common.Undoes = 0, "", 0
		return common
	}
	e := encoder{b: make([]byte, 0, (len(rows)+2)*usualPostingOctets)}
	for i := range rows {
		r := &rows[i]
		if common := shared(r); i == 0 || common != shared(&rows[i-1]) {
			e.msg(fieldPackedCommon, func(e *encoder) { e.ledgerRow(&common) })
		}
		e.msg(fieldPackedItem, func(e *encoder) {
			e.str(6, r.Object)
			e.uint(8, r.Undoes)
		})
	}
	return e.b
}

func decodePostings(last uint64, value []byte) []LedgerRow {
	var rows []LedgerRow
	var common LedgerRow
	decodeRow("postings of an entry", value, func(d *decoder) {
		for d.next() {
			row := common
			switch d.num {
			case fieldPackedCommon:
				row = LedgerRow{}
			case fieldPackedItem:
			default:
				d.unknown()
			}
			isCommon := d.num == fieldPackedCommon
			d.nested(func(d *decoder) {
				for d.next() {
					d.ledgerField(&row)
				}
			})
			if isCommon {
				common = row
			} else {
				rows = append(rows, row)
			}
		}
	})
	for i := range rows {
		rows[i].Number = last - uint64(len(rows)-1-i)
	}
	return rows
}

// packedPosting returns the row of a number from among the postings of its entry.
func (tx *ReadTx) packedPosting(number uint64) (row *LedgerRow, found bool) {
	if tx.memory != nil {
		if row := tx.memory.packed.posting(number); row != nil {
			return row, true
		}
	}
	tx.scan(tablePostings.key(), tablePostings.key().uint(number), func(rest, value []byte) bool {
		rows := decodePostings(decodeUint("postings of an entry", rest), value)
		for i := range rows {
			if rows[i].Number == number {
				row, found = &rows[i], true
			}
		}
		return false
	})
	return row, found
}
