package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// Field numbers 1 to 9 of every EPP object are its provenance, 10 its statuses, 11 its
// authorisation information.
const (
	fieldStatus   protowire.Number = 10
	fieldAuthInfo protowire.Number = 11
)

func (e *encoder) provenance(p *registry.Provenance) {
	e.str(1, string(p.ROID))
	e.str(2, string(p.Sponsor))
	e.str(3, string(p.Creator))
	e.time(4, p.CreatedAt)
	e.str(5, string(p.Updater))
	e.time(6, p.UpdatedAt)
	e.time(7, p.TransferredAt)
}

func (d *decoder) provenance(p *registry.Provenance) {
	switch d.num {
	case 1:
		p.ROID = registry.ROID(d.str())
	case 2:
		p.Sponsor = registry.RegistrarID(d.str())
	case 3:
		p.Creator = registry.RegistrarID(d.str())
	case 4:
		p.CreatedAt = d.time()
	case 5:
		p.Updater = registry.RegistrarID(d.str())
	case 6:
		p.UpdatedAt = d.time()
	case 7:
		p.TransferredAt = d.time()
	default:
		d.unknown()
	}
}

func (e *encoder) statuses(statuses registry.Statuses) {
	for _, s := range statuses {
		e.elem(fieldStatus, []byte(s))
	}
}

func (e *encoder) authInfo(a registry.AuthInfo) {
	if len(a.Hash) > 0 {
		e.msg(fieldAuthInfo, func(e *encoder) {
			e.bytes(1, a.Salt)
			e.bytes(2, a.Hash)
			e.time(140, a.ExpiresAt)
		})
	}
}

func (d *decoder) authInfo() registry.AuthInfo {
	var a registry.AuthInfo
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				a.Salt = d.bytes()
			case 2:
				a.Hash = d.bytes()
			case 140:
				a.ExpiresAt = d.time()
			default:
				d.unknown()
			}
		}
	})
	return a
}

// roidRow is what a ROID leads to.
func (tx *Tx) putROID(roid registry.ROID, kind registry.ObjectKind, objectKey string) {
	tx.set(tableROID.key().tail(string(roid)), append([]byte{byte(kind)}, objectKey...))
}

// ROID returns the kind and the name or id of the object with the ROID, deleted ones
// excluded.
func (tx *ReadTx) ROID(roid registry.ROID) (registry.ObjectKind, string, bool) {
	value, ok := tx.get(tableROID.key().tail(string(roid)))
	if !ok || len(value) == 0 {
		return 0, "", false
	}
	return registry.ObjectKind(value[0]), string(value[1:]), true
}
