package disclose

import (
	"net/netip"
	"slices"
	"time"

	"cadastre/idn"
	"cadastre/registry"
	"cadastre/store"
)

// Host is a name server as everybody sees it.
type Host struct {
	Name registry.DomainName
	// Unicode is the name in Unicode, the same as Name if it has no A-label.
	Unicode   string
	ROID      registry.ROID
	Addresses []netip.Addr
	Statuses  []string
	Sponsor   *Registrar
	CreatedAt time.Time
	UpdatedAt time.Time
}

// HostOf returns the name server of the name.
func HostOf(tx *store.ReadTx, name registry.DomainName) (*Host, bool) {
	h, found := tx.Host(name)
	if !found {
		return nil, false
	}
	out := &Host{
		Name: h.Name, Unicode: idn.Display(string(h.Name)), ROID: h.ROID, Addresses: h.Addresses, Sponsor: sponsorOf(tx, h.Sponsor),
		CreatedAt: h.CreatedAt, UpdatedAt: h.UpdatedAt,
	}
	for _, s := range h.Statuses {
		out.Statuses = append(out.Statuses, string(s))
	}
	if len(tx.HostUsers(h.Name, 1)) > 0 {
		out.Statuses = append(out.Statuses, string(registry.StatusLinked))
	}
	if len(h.Statuses) == 0 {
		out.Statuses = append(out.Statuses, string(registry.StatusOK))
	}
	slices.Sort(out.Statuses)
	return out, true
}
