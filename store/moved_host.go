package store

import (
	"slices"

	"cadastre/registry"
)

// MovedHosts returns the present names of the hosts of a purged domain that live on under a
// sacrificial domain, and of those that are on their way there or back.
func (tx *ReadTx) MovedHosts(domain registry.DomainName) []registry.DomainName {
	var names []registry.DomainName
	if value, ok := tx.get(tableMovedHosts.key().tail(string(domain))); ok {
		decodeRow("moved hosts", value, func(d *decoder) {
			for d.next() {
				if d.num != 1 {
					d.unknown()
				}
				names = append(names, registry.DomainName(d.str()))
			}
		})
	}
	return names
}

// AddMovedHost notes that a host of the domain has moved to the name.
func (tx *Tx) AddMovedHost(domain, name registry.DomainName) {
	tx.setMovedHosts(domain, append(tx.MovedHosts(domain), name))
}

// DropMovedHost forgets a name that AddMovedHost noted.
func (tx *Tx) DropMovedHost(domain, name registry.DomainName) {
	tx.setMovedHosts(domain, slices.DeleteFunc(tx.MovedHosts(domain), func(n registry.DomainName) bool { return n == name }))
}

func (tx *Tx) setMovedHosts(domain registry.DomainName, names []registry.DomainName) {
	if len(names) == 0 {
		tx.del(tableMovedHosts.key().tail(string(domain)))
		return
	}
	var e encoder
	for _, name := range names {
		e.elem(1, []byte(name))
	}
	tx.set(tableMovedHosts.key().tail(string(domain)), e.b)
}

// MoveHost writes h, a host that exists under another name, under its new one. Both rows
// stand until ForgetHostName, so that no delegation is without its host meanwhile.
func (tx *Tx) MoveHost(h *registry.Host) { tx.PutHost(nil, h) }

// ForgetHostName removes the row of a host under a name that it no longer has.
func (tx *Tx) ForgetHostName(h *registry.Host) {
	tx.del(tableHost.key().tail(string(h.Name)))
	if h.Superordinate != "" {
		tx.del(tableSubordinate.key().str(string(h.Superordinate)).tail(string(h.Name)))
	}
}
