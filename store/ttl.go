package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// Fields of rows that hold TTLs and their bounds.
const (
	fieldDomainTTL       protowire.Number = 45
	fieldHostTTL         protowire.Number = 20
	fieldPolicyTTLBounds protowire.Number = 70
)

func (e *encoder) ttls(num protowire.Number, ttls registry.TTLs) {
	for _, t := range ttls {
		e.msg(num, func(e *encoder) { e.str(1, string(t.Type)); e.uint(2, uint64(t.Seconds)) })
	}
}

func (d *decoder) ttl() registry.TTL {
	var t registry.TTL
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				t.Type = registry.RecordType(d.str())
			case 2:
				t.Seconds = uint32(d.val)
			default:
				d.unknown()
			}
		}
	})
	return t
}

func (e *encoder) ttlBounds(all []registry.TTLBounds) {
	for _, b := range all {
		e.msg(fieldPolicyTTLBounds, func(e *encoder) {
			e.str(1, string(b.Type))
			e.uint(2, uint64(b.Min))
			e.uint(3, uint64(b.Max))
			e.uint(4, uint64(b.Default))
		})
	}
}

func (d *decoder) ttlBounds() registry.TTLBounds {
	var b registry.TTLBounds
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				b.Type = registry.RecordType(d.str())
			case 2:
				b.Min = uint32(d.val)
			case 3:
				b.Max = uint32(d.val)
			case 4:
				b.Default = uint32(d.val)
			default:
				d.unknown()
			}
		}
	})
	return b
}

// fieldContactEmail is the field of a contact's row with its additional e-mail address.
const fieldContactEmail protowire.Number = 30

func (e *encoder) additionalEmail(a registry.AdditionalEmail) {
	if a.Address != "" {
		e.msg(fieldContactEmail, func(e *encoder) { e.str(1, a.Address); e.bool(2, a.Primary) })
	}
}

func (d *decoder) additionalEmail() registry.AdditionalEmail {
	var a registry.AdditionalEmail
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				a.Address = d.str()
			case 2:
				a.Primary = d.bool()
			default:
				d.unknown()
			}
		}
	})
	return a
}
