package epp

import (
	"context"
	"net/netip"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// hostInfo is <info> of a host (RFC 5732 section 3.1.2), open to every registrar.
func (c *call) hostInfo(ctx context.Context, q *eppxml.HostInfo) (*answer, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	var info *eppxml.HostInfData
	var extensions []extensionData
	err = c.view(ctx, func(tx *store.ReadTx) error {
		host, found := tx.Host(registry.DomainName(name))
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "name", q.Name, "there is no such host")
		}
		linked := len(tx.HostUsers(host.Name, 1)) > 0
		info = shownHost(host, linked)
		if tld, inside := tx.TLDOf(host.Name); inside {
			extensions = c.shownTTLs(tld, registry.KindHost, host.TTLs)
		}
		if host.Sponsor == c.registrar {
			extensions = append(extensions, c.shownOrgs(host.Orgs)...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	a := ok(eppxml.AppendHostInfData(nil, info))
	a.extensions = extensions
	return a, nil
}

func shownHost(host *registry.Host, linked bool) *eppxml.HostInfData {
	return &eppxml.HostInfData{
		Name: string(host.Name), ROID: string(host.ROID),
		Statuses: shownStatuses(host.Statuses, linked, false), Addrs: shownAddresses(host.Addresses),
		ClID: string(host.Sponsor), CrID: string(host.Creator), UpID: string(host.Updater),
		CrDate: host.CreatedAt, UpDate: host.UpdatedAt, TrDate: host.TransferredAt,
	}
}

func shownAddresses(addresses []netip.Addr) []eppxml.HostAddr {
	shown := make([]eppxml.HostAddr, 0, len(addresses))
	for _, addr := range addresses {
		version := "v6"
		if addr.Is4() {
			version = "v4"
		}
		shown = append(shown, eppxml.HostAddr{IP: version, Addr: addr.String()})
	}
	return shown
}
