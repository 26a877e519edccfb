package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// Fields of rows that hold what launches bring.
const (
	fieldDomainPhase       protowire.Number = 110
	fieldDomainNotice      protowire.Number = 111
	fieldPolicyLaunchPhase protowire.Number = 110
	fieldPollApplication   protowire.Number = 110
)

// Application returns the application with the identifier.
func (tx *ReadTx) Application(id string) (*registry.Application, bool) {
	value, ok := tx.get(tableApplication.key().tail(id))
	if !ok {
		return nil, false
	}
	return decodeApplication(id, value), true
}

// EachApplication calls fn for all applications, by identifier, until it returns false.
func (tx *ReadTx) EachApplication(fn func(*registry.Application) bool) {
	tx.scan(tableApplication.key(), nil, func(rest, value []byte) bool { return fn(decodeApplication(string(rest), value)) })
}

// EachApplicationFor calls fn for the applications for a name, by identifier, until it
// returns false.
func (tx *ReadTx) EachApplicationFor(name registry.DomainName, fn func(*registry.Application) bool) {
	tx.scan(tableApplicationName.key().str(string(name)), nil, func(rest, _ []byte) bool {
		a, found := tx.Application(string(rest))
		return !found || fn(a)
	})
}

// PutApplication writes an application with its index and history.
func (tx *Tx) PutApplication(a *registry.Application) {
	row := encodeApplication(a)
	tx.set(tableApplication.key().tail(a.ID), row)
	tx.set(tableApplicationName.key().str(string(a.Domain.Name)).tail(a.ID), nil)
	tx.putROID(registry.ROID(a.ID), registry.KindApplication, string(a.Domain.Name))
	tx.addHistory(registry.KindApplication, registry.ROID(a.ID), string(a.Domain.Name), row)
}

// DeleteApplication removes an application; its history stays.
func (tx *Tx) DeleteApplication(a *registry.Application) {
	tx.del(tableApplication.key().tail(a.ID))
	tx.del(tableApplicationName.key().str(string(a.Domain.Name)).tail(a.ID))
	tx.del(tableROID.key().tail(a.ID))
	tx.addHistory(registry.KindApplication, registry.ROID(a.ID), string(a.Domain.Name), nil)
}

// Application returns the application as of this version.
func (v *Version) Application(id string) *registry.Application { return decodeApplication(id, v.row) }

func encodeApplication(a *registry.Application) []byte {
	var e encoder
	e.phase(1, a.Phase)
	e.uint(2, uint64(a.Status))
	e.str(3, a.StatusName)
	e.time(4, a.StatusAt)
	e.elem(5, encodeDomain(&a.Domain))
	e.uint(6, uint64(a.PeriodYears))
	e.uint(7, a.ReservedRow)
	for i := range a.Codes {
		code := &a.Codes[i]
		e.msg(8, func(e *encoder) { e.str(1, code.Code); e.str(2, code.ValidatorID); e.bytes(3, code.Mark) })
	}
	e.str(9, a.Action.CLTRID)
	e.uint(10, a.Action.Term)
	e.uint(11, a.Action.Index)
	e.uint(12, uint64(a.Action.InEntry))
	return e.b
}

func decodeApplication(id string, value []byte) *registry.Application {
	a := &registry.Application{ID: id}
	decodeRow("application", value, func(d *decoder) {
		for d.next() {
			d.applicationField(a)
		}
	})
	return a
}

func (d *decoder) applicationField(a *registry.Application) {
	switch d.num {
	case 1:
		a.Phase = d.phase()
	case 2:
		a.Status = registry.ApplicationStatus(d.val)
	case 3:
		a.StatusName = d.str()
	case 4:
		a.StatusAt = d.time()
	case 5:
		a.Domain = *decodeDomain(d.raw)
	case 6:
		a.PeriodYears = uint32(d.val)
	case 7:
		a.ReservedRow = d.val
	case 8:
		a.Codes = append(a.Codes, d.launchCode())
	case 9:
		a.Action.CLTRID = d.str()
	case 10:
		a.Action.Term = d.val
	case 11:
		a.Action.Index = d.val
	case 12:
		a.Action.InEntry = uint32(d.val)
	default:
		d.unknown()
	}
}

func (d *decoder) launchCode() registry.LaunchCode {
	var c registry.LaunchCode
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				c.Code = d.str()
			case 2:
				c.ValidatorID = d.str()
			case 3:
				c.Mark = d.bytes()
			default:
				d.unknown()
			}
		}
	})
	return c
}
