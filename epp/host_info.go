package epp

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// Bounds of what is said of the users of a host.
const (
	maxCountedUsers = 1000
	maxNamedUsers   = 50
)

// hostInfo is <info> of a host (RFC 5732 section 3.1.2), open to every registrar.
func (c *call) hostInfo(ctx context.Context, q *eppxml.HostInfo) (*answer, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	var info *eppxml.HostInfData
	var extensions []extensionData
	users := ""
	err = c.view(ctx, func(tx *store.ReadTx) error {
		host, found := tx.Host(registry.DomainName(name))
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "name", q.Name, "there is no such host")
		}
		linked := len(tx.HostUsers(host.Name, 1)) > 0
		if linked && host.Sponsor == c.registrar {
			users = hostUsersText(tx.HostUsers(host.Name, maxCountedUsers+1))
		}
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
	if users != "" {
		a.extValues = append(a.extValues, eppxml.ExtValue{Value: eppxml.Value{NS: eppxml.NSHost, Name: "name", Text: name}, Reason: users})
	}
	return a, nil
}

// hostUsersText says to the sponsor of a host which domains are delegated to it, which the
// data of RFC 5732 has no place for. Before it deletes or renames the host, or lets the domain
// above go, it can tell them (RFC 9874).
func hostUsersText(users []registry.DomainName) string {
	count := fmt.Sprintf("%d domains", len(users))
	switch {
	case len(users) == 1:
		count = "1 domain"
	case len(users) > maxCountedUsers:
		count = fmt.Sprintf("more than %d domains", maxCountedUsers)
	}
	named := make([]string, 0, maxNamedUsers)
	for _, user := range users[:min(len(users), maxNamedUsers)] {
		named = append(named, string(user))
	}
	more := ""
	if len(users) > maxNamedUsers {
		more = " and others"
	}
	return fmt.Sprintf("used by %s: %s%s", count, strings.Join(named, ", "), more)
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
