package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// Fields of a domain's row that secure its delegation.
const (
	fieldDomainDS         protowire.Number = 30
	fieldDomainKey        protowire.Number = 31
	fieldDomainMaxSigLife protowire.Number = 32
)

func (e *encoder) domainSecurity(d *registry.Domain) {
	for i := range d.DS {
		e.msg(fieldDomainDS, func(e *encoder) { e.delegationSigner(&d.DS[i]) })
	}
	for i := range d.Keys {
		e.msg(fieldDomainKey, func(e *encoder) { e.publicKey(&d.Keys[i]) })
	}
	e.uint(fieldDomainMaxSigLife, uint64(d.MaxSigLifeSeconds))
}

func (e *encoder) delegationSigner(ds *registry.DelegationSigner) {
	e.uint(1, uint64(ds.KeyTag))
	e.uint(2, uint64(ds.Algorithm))
	e.uint(3, uint64(ds.DigestType))
	e.bytes(4, ds.Digest)
	if ds.Key != nil {
		e.msg(5, func(e *encoder) { e.publicKey(ds.Key) })
	}
}

func (e *encoder) publicKey(key *registry.PublicKey) {
	e.uint(1, uint64(key.Flags))
	e.uint(2, uint64(key.Protocol))
	e.uint(3, uint64(key.Algorithm))
	e.bytes(4, key.Data)
}

func (d *decoder) delegationSigner() registry.DelegationSigner {
	var ds registry.DelegationSigner
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				ds.KeyTag = uint16(d.val)
			case 2:
				ds.Algorithm = uint8(d.val)
			case 3:
				ds.DigestType = uint8(d.val)
			case 4:
				ds.Digest = d.bytes()
			case 5:
				key := d.publicKey()
				ds.Key = &key
			default:
				d.unknown()
			}
		}
	})
	return ds
}

func (d *decoder) publicKey() registry.PublicKey {
	var key registry.PublicKey
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				key.Flags = uint16(d.val)
			case 2:
				key.Protocol = uint8(d.val)
			case 3:
				key.Algorithm = uint8(d.val)
			case 4:
				key.Data = d.bytes()
			default:
				d.unknown()
			}
		}
	})
	return key
}

// restoreReport appends the report that a version of a domain came with.
func (e *encoder) restoreReport(num protowire.Number, r *registry.RestoreReport) {
	if r == nil {
		return
	}
	e.msg(num, func(e *encoder) {
		e.str(1, r.PreData)
		e.str(2, r.PostData)
		e.time(3, r.DeletedAt)
		e.time(4, r.RestoredAt)
		e.str(5, r.Reason)
		for _, s := range r.Statements {
			e.elem(6, []byte(s))
		}
		e.str(7, r.Other)
	})
}

func (d *decoder) restoreReport() *registry.RestoreReport {
	r := &registry.RestoreReport{}
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				r.PreData = d.str()
			case 2:
				r.PostData = d.str()
			case 3:
				r.DeletedAt = d.time()
			case 4:
				r.RestoredAt = d.time()
			case 5:
				r.Reason = d.str()
			case 6:
				r.Statements = append(r.Statements, d.str())
			case 7:
				r.Other = d.str()
			default:
				d.unknown()
			}
		}
	})
	return r
}
