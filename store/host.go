package store

import (
	"net/netip"

	"cadastre/registry"
)

// Host returns the host object of the name.
func (tx *ReadTx) Host(name registry.DomainName) (*registry.Host, bool) {
	value, ok := tx.get(tableHost.key().tail(string(name)))
	if !ok {
		return nil, false
	}
	return decodeHost(value), true
}

// SharedHost is Host for a caller that changes nothing of it, its lists included: it is made
// once for as long as the row stays the same.
func (tx *ReadTx) SharedHost(name registry.DomainName) (*registry.Host, bool) {
	k := tableHost.key().tail(string(name))
	value, ok := tx.get(k)
	if !ok {
		return nil, false
	}
	return decoded(tx, k, value, decodeHost), true
}

// HasHost says whether there is a host object of the name.
func (tx *ReadTx) HasHost(name registry.DomainName) bool {
	return tx.has(tableHost.key().tail(string(name)))
}

// HostUsers returns up to limit domains that delegate to the host, by name.
func (tx *ReadTx) HostUsers(name registry.DomainName, limit int) []registry.DomainName {
	return tx.HostUsersAfter(name, "", limit)
}

// EachHostUser calls fn for every domain that delegates to the host until it returns false.
func (tx *ReadTx) EachHostUser(name registry.DomainName, fn func(registry.DomainName) bool) {
	tx.scan(tableHostUse.key().str(string(name)), nil, func(rest, _ []byte) bool {
		return fn(registry.DomainName(rest))
	})
}

// HostUsersAfter returns up to limit domains that delegate to the host, by name, after the
// given one.
func (tx *ReadTx) HostUsersAfter(name, after registry.DomainName, limit int) []registry.DomainName {
	var users []registry.DomainName
	var start key
	if after != "" {
		start = append(tableHostUse.key().str(string(name)).tail(string(after)), 0)
	}
	tx.scan(tableHostUse.key().str(string(name)), start, func(rest, _ []byte) bool {
		users = append(users, registry.DomainName(rest))
		return len(users) < limit
	})
	return users
}

// SubordinateHosts returns up to limit hosts whose superordinate domain it is, by name.
func (tx *ReadTx) SubordinateHosts(domain registry.DomainName, limit int) []registry.DomainName {
	var hosts []registry.DomainName
	tx.scan(tableSubordinate.key().str(string(domain)), nil, func(rest, _ []byte) bool {
		hosts = append(hosts, registry.DomainName(rest))
		return len(hosts) < limit
	})
	return hosts
}

// PutHost writes h with its indexes and history. old is the version that it replaces, nil
// for a new host; a rename is a DeleteHost and a PutHost.
func (tx *Tx) PutHost(old, h *registry.Host) {
	row := encodeHost(h)
	tx.set(tableHost.key().tail(string(h.Name)), row)
	if old == nil {
		tx.putROID(h.ROID, registry.KindHost, string(h.Name))
		tx.noteName(registry.KindHost, string(h.Name), h.ROID)
	}
	if h.Superordinate != "" {
		tx.set(tableSubordinate.key().str(string(h.Superordinate)).tail(string(h.Name)), nil)
	}
	tx.moveIndexes(hostOrgKeys(old), hostOrgKeys(h))
	tx.addHistory(registry.KindHost, h.ROID, string(h.Name), row)
}

// DeleteHost removes h with its indexes; its history stays.
func (tx *Tx) DeleteHost(h *registry.Host) {
	tx.del(tableHost.key().tail(string(h.Name)))
	tx.dropROID(h.ROID)
	if h.Superordinate != "" {
		tx.del(tableSubordinate.key().str(string(h.Superordinate)).tail(string(h.Name)))
	}
	tx.moveIndexes(hostOrgKeys(h), nil)
	tx.addHistory(registry.KindHost, h.ROID, string(h.Name), nil)
}

// hostOrgKeys returns the index rows of the organisations that the host is linked to.
func hostOrgKeys(h *registry.Host) []key {
	if h == nil {
		return nil
	}
	return orgUseKeys(h.Orgs, registry.KindHost, string(h.Name))
}

func encodeHost(h *registry.Host) []byte {
	var e encoder
	e.provenance(&h.Provenance)
	e.statuses(h.Statuses)
	e.str(12, string(h.Name))
	for _, addr := range h.Addresses {
		e.elem(13, addr.AsSlice())
	}
	e.str(14, string(h.Superordinate))
	e.ttls(fieldHostTTL, h.TTLs)
	e.orgLinks(h.Orgs)
	e.str(130, string(h.FormerName))
	e.bool(131, h.WasLocked)
	return e.b
}

func decodeHost(value []byte) *registry.Host {
	h := &registry.Host{}
	decodeRow("host", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case fieldStatus:
				h.Statuses = append(h.Statuses, registry.Status(d.str()))
			case 12:
				h.Name = registry.DomainName(d.str())
			case 13:
				h.Addresses = append(h.Addresses, d.addr())
			case 14:
				h.Superordinate = registry.DomainName(d.str())
			case fieldHostTTL:
				h.TTLs = append(h.TTLs, d.ttl())
			case fieldOrgLink:
				h.Orgs = append(h.Orgs, d.orgLink())
			case 130:
				h.FormerName = registry.DomainName(d.str())
			case 131:
				h.WasLocked = d.bool()
			default:
				d.provenance(&h.Provenance)
			}
		}
	})
	return h
}

func (d *decoder) addr() netip.Addr {
	addr, ok := netip.AddrFromSlice(d.raw)
	if !ok {
		d.unknown()
	}
	return addr
}
