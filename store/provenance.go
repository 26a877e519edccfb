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

// putROID notes which object has the ROID. From registry.LevelLeanRows on the history alone
// tells; rows from before stay.
func (tx *Tx) putROID(roid registry.ROID, kind registry.ObjectKind, objectKey string) {
	if !tx.lean {
		tx.set(tableROID.key().tail(string(roid)), append([]byte{byte(kind)}, objectKey...))
	}
}

// dropROID forgets an object that is deleted.
func (tx *Tx) dropROID(roid registry.ROID) {
	if !tx.lean {
		tx.del(tableROID.key().tail(string(roid)))
	}
}

// ROID returns the kind and the name or id of the object with the ROID, deleted ones
// excluded: its last version says it.
func (tx *ReadTx) ROID(roid registry.ROID) (kind registry.ObjectKind, objectKey string, found bool) {
	tx.History(roid, func(v *Version) bool {
		kind, objectKey, found = v.Kind, v.Key, !v.Deleted
		return true
	})
	if !found {
		return 0, "", false
	}
	return kind, objectKey, true
}
