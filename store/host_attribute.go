package store

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// Fields of a domain's row.
const (
	fieldDomainHostAttribute protowire.Number = 130
	fieldDomainExpiryGrace   protowire.Number = 131
)

// attributeUseMark begins the names in tableHostUse that stand for the superordinate domain
// of host attributes; no name of a host begins with it.
const attributeUseMark = "@"

func attributeUseKey(superordinate registry.DomainName) key {
	return tableHostUse.key().str(attributeUseMark + string(superordinate))
}

// appendNewKey appends k unless it is there.
func appendNewKey(keys []key, k key) []key {
	if slices.ContainsFunc(keys, func(have key) bool { return bytes.Equal(have, k) }) {
		return keys
	}
	return append(keys, k)
}

// EachAttributeUser calls fn for every other domain that has a host attribute in or below
// superordinate, by name, until it returns false.
func (tx *ReadTx) EachAttributeUser(superordinate registry.DomainName, fn func(registry.DomainName) bool) {
	tx.scan(attributeUseKey(superordinate), nil, func(rest, _ []byte) bool {
		return fn(registry.DomainName(rest))
	})
}

func (e *encoder) hostAttribute(num protowire.Number, h *registry.HostAttribute) {
	e.msg(num, func(e *encoder) {
		e.str(1, string(h.Name))
		for _, addr := range h.Addresses {
			e.elem(2, addr.AsSlice())
		}
	})
}

func (d *decoder) hostAttribute() registry.HostAttribute {
	var h registry.HostAttribute
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				h.Name = registry.DomainName(d.str())
			case 2:
				h.Addresses = append(h.Addresses, d.addr())
			default:
				d.unknown()
			}
		}
	})
	return h
}
