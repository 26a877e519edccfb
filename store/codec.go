package store

import (
	"encoding/binary"
	"errors"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Rows are encoded in the protobuf wire format by hand: no reflection, zero values take no
// room. Field numbers are on disk and append-only.

// encoder appends fields; zero values are left out.
type encoder struct{ b []byte }

func (e *encoder) str(num protowire.Number, s string) {
	if s != "" {
		e.b = protowire.AppendString(protowire.AppendTag(e.b, num, protowire.BytesType), s)
	}
}

func (e *encoder) bytes(num protowire.Number, v []byte) {
	if len(v) > 0 {
		e.elem(num, v)
	}
}

// elem appends an element of a repeated field, also when it is empty.
func (e *encoder) elem(num protowire.Number, v []byte) {
	e.b = protowire.AppendBytes(protowire.AppendTag(e.b, num, protowire.BytesType), v)
}

func (e *encoder) uint(num protowire.Number, v uint64) {
	if v != 0 {
		e.b = protowire.AppendVarint(protowire.AppendTag(e.b, num, protowire.VarintType), v)
	}
}

func (e *encoder) int(num protowire.Number, v int64) { e.uint(num, protowire.EncodeZigZag(v)) }

func (e *encoder) bool(num protowire.Number, v bool) {
	if v {
		e.uint(num, 1)
	}
}

// time keeps milliseconds; the zero time is left out.
func (e *encoder) time(num protowire.Number, t time.Time) {
	if !t.IsZero() {
		e.b = protowire.AppendVarint(protowire.AppendTag(e.b, num, protowire.VarintType), protowire.EncodeZigZag(t.UnixMilli()))
	}
}

// msg appends a nested message, also when it is empty. Its content is written in place, behind
// one octet for its length, and moved if that takes more.
func (e *encoder) msg(num protowire.Number, fill func(*encoder)) {
	e.b = append(protowire.AppendTag(e.b, num, protowire.BytesType), 0)
	start := len(e.b)
	fill(e)
	length := len(e.b) - start
	octets := protowire.SizeVarint(uint64(length))
	if octets > 1 {
		var room [binary.MaxVarintLen64]byte
		e.b = append(e.b, room[:octets-1]...)
		copy(e.b[start+octets-1:], e.b[start:start+length])
	}
	binary.PutUvarint(e.b[start-1:start-1+octets], uint64(length))
}

// usualRowOctets has room for the rows of most domains and hosts.
const usualRowOctets = 256

func newRow() encoder { return encoder{b: make([]byte, 0, usualRowOctets)} }

// decoder walks over the fields of a row. A malformed row makes next return false and err
// non-nil.
type decoder struct {
	b   []byte
	num protowire.Number
	raw []byte // of a bytes field
	val uint64 // of a varint field
	err error
}

// errRow is returned when a row breaks the wire format or holds a field of a later version.
var errRow = errors.New("not a row of this version")

func (d *decoder) next() bool {
	if d.err != nil || len(d.b) == 0 {
		return false
	}
	num, typ, n := protowire.ConsumeTag(d.b)
	if n < 0 {
		d.err = errRow
		return false
	}
	d.b, d.num = d.b[n:], num
	switch typ {
	case protowire.BytesType:
		d.raw, n = protowire.ConsumeBytes(d.b)
	case protowire.VarintType:
		d.val, n = protowire.ConsumeVarint(d.b)
	default:
		n = -1
	}
	if n < 0 {
		d.err = errRow
		return false
	}
	d.b = d.b[n:]
	return true
}

func (d *decoder) str() string     { return string(d.raw) }
func (d *decoder) bytes() []byte   { return append([]byte(nil), d.raw...) }
func (d *decoder) int() int64      { return protowire.DecodeZigZag(d.val) }
func (d *decoder) time() time.Time { return time.UnixMilli(d.int()).UTC() }
func (d *decoder) bool() bool      { return d.val != 0 }
func (d *decoder) unknown()        { d.err = errRow }

// nested decodes the current field with fn.
func (d *decoder) nested(fn func(*decoder)) {
	inner := decoder{b: d.raw}
	fn(&inner)
	if inner.err != nil {
		d.err = inner.err
	}
}

// decodeRow runs fn over value and panics with a *Fault if the row is corrupt.
func decodeRow(what string, value []byte, fn func(*decoder)) {
	d := decoder{b: value}
	fn(&d)
	if d.err != nil {
		corrupt(what, d.err)
	}
}

func uintRow(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

func decodeUint(what string, value []byte) uint64 {
	if len(value) != 8 {
		corrupt(what, errRow)
	}
	return binary.BigEndian.Uint64(value)
}
