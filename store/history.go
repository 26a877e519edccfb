package store

import (
	"time"

	"cadastre/registry"
)

// Cause is who changed something, with what and why; every history row carries it.
type Cause struct {
	Verb      string // the command, such as "domain_create"
	ActorKind uint32 // a fsmpb.ActorKind
	Actor     string
	CLTRID    string
	Reason    string
	At        time.Time
	// Report is what the registrar said to explain a restore, nil for all else.
	Report *registry.RestoreReport
}

// SetCause says who and what is behind the writes that follow.
func (tx *Tx) SetCause(c Cause) { tx.cause = c }

// SetReport adds the report of a restore to what the writes that follow are caused by.
func (tx *Tx) SetReport(r *registry.RestoreReport) { tx.cause.Report = r }

// Version is one version of an object.
type Version struct {
	Cause
	Index, Term uint64
	InEntry     uint32
	Kind        registry.ObjectKind
	Key         string // name or id
	Deleted     bool
	row         []byte
}

// Domain returns the domain as of this version.
func (v *Version) Domain() *registry.Domain { return decodeDomain(v.row) }

// Host returns the host as of this version.
func (v *Version) Host() *registry.Host { return decodeHost(v.row) }

// Contact returns the contact as of this version.
func (v *Version) Contact() *registry.Contact { return decodeContact(v.row) }

// addHistory keeps a version; row nil means deleted.
func (tx *Tx) addHistory(kind registry.ObjectKind, roid registry.ROID, objectKey string, row []byte) {
	if tx.packs {
		if index, inEntry, ok := placeOf(roid); ok && index == tx.at.Index && inEntry == tx.at.InEntry {
			tx.memory.packed.putVersion(&packedVersion{roid: roid, Version: Version{
				Cause: tx.cause, Index: tx.at.Index, Term: tx.at.Term, InEntry: tx.at.InEntry, Kind: kind, Key: objectKey, Deleted: row == nil, row: row,
			}})
			return
		}
	}
	var e encoder
	e.str(1, tx.cause.Verb)
	e.uint(2, uint64(tx.cause.ActorKind))
	e.str(3, tx.cause.Actor)
	e.str(4, tx.cause.CLTRID)
	e.str(5, tx.cause.Reason)
	e.time(6, tx.cause.At)
	e.uint(7, tx.at.Term)
	e.uint(8, uint64(kind))
	e.str(9, objectKey)
	e.bool(10, row == nil)
	e.bytes(11, row)
	e.restoreReport(12, tx.cause.Report)
	tx.insert(tableHistory.key().str(string(roid)).uint(tx.at.Index).uint32(tx.at.InEntry), e.b)
}

// History calls fn for every version of the object, oldest first, until it returns false.
func (tx *ReadTx) History(roid registry.ROID, fn func(*Version) bool) {
	if first := tx.firstVersion(roid); first != nil && !fn(first) {
		return
	}
	tx.scan(tableHistory.key().str(string(roid)), nil, func(rest, value []byte) bool {
		if len(rest) != 12 {
			corrupt("history", errRow)
		}
		v := decodeVersion(value)
		v.Index = decodeUint("history", rest[:8])
		v.InEntry = uint32(rest[8])<<24 | uint32(rest[9])<<16 | uint32(rest[10])<<8 | uint32(rest[11])
		return fn(v)
	})
}

func decodeVersion(value []byte) *Version {
	v := &Version{}
	decodeRow("history", value, func(d *decoder) {
		for d.next() {
			d.versionField(v)
		}
	})
	return v
}

func (d *decoder) versionField(v *Version) {
	switch d.num {
	case 1:
		v.Verb = d.str()
	case 2:
		v.ActorKind = uint32(d.val)
	case 3:
		v.Actor = d.str()
	case 4:
		v.CLTRID = d.str()
	case 5:
		v.Reason = d.str()
	case 6:
		v.At = d.time()
	case 7:
		v.Term = d.val
	case 8:
		v.Kind = registry.ObjectKind(d.val)
	case 9:
		v.Key = d.str()
	case 10:
		v.Deleted = d.bool()
	case 11:
		v.row = d.bytes()
	case 12:
		v.Report = d.restoreReport()
	default:
		d.unknown()
	}
}
