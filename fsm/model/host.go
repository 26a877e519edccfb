package model

import (
	"net/netip"
	"slices"
	"strings"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// superordinate returns the domain that a host inside the TLD lies in or below.
func (m *Model) superordinate(host string) (domain string, inside bool) {
	head, inside := strings.CutSuffix(host, "."+m.Policy.TLD)
	if !inside {
		return "", false
	}
	return head[strings.LastIndexByte(head, '.')+1:] + "." + m.Policy.TLD, true
}

func addresses(list [][]byte) []netip.Addr {
	var out []netip.Addr
	for _, b := range list {
		addr, _ := netip.AddrFromSlice(b)
		out = append(out, addr)
	}
	return out
}

// mayStand says whether the registrar may have a host of the name with the addresses.
func (m *Model) mayStand(actor, name string, addrs []netip.Addr) registry.Code {
	domain, inside := m.superordinate(name)
	if !inside {
		if len(addrs) > 0 {
			return registry.CodeParameterPolicy
		}
		return registry.CodeOK
	}
	d := m.Domains[domain]
	switch {
	case d == nil:
		return registry.CodeObjectDoesNotExist
	case d.Sponsor != actor:
		return registry.CodeAuthorization
	case d.Phase != "":
		return registry.CodeStatusProhibits
	case len(addrs) == 0:
		return registry.CodeParameterMissing
	}
	for i, addr := range addrs {
		if addr.IsLoopback() || slices.Contains(addrs[:i], addr) {
			return registry.CodeParameterPolicy
		}
	}
	return registry.CodeOK
}

func (m *Model) hostCreate(actor string, c *fsmpb.HostCreate) registry.Code {
	if m.Hosts[c.GetName()] != nil {
		return registry.CodeObjectExists
	}
	addrs := addresses(c.GetAddresses())
	if code := m.mayStand(actor, c.GetName(), addrs); code != registry.CodeOK {
		return code
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	m.Hosts[c.GetName()] = &Host{Name: c.GetName(), Sponsor: actor, Addresses: addrs}
	return registry.CodeOK
}

func (m *Model) hostUpdate(actor string, c *fsmpb.HostUpdate) registry.Code {
	h := m.Hosts[c.GetName()]
	nothingElse := len(c.GetAddAddresses()) == 0 && len(c.GetRemoveAddresses()) == 0 && c.GetNewName() == ""
	switch {
	case h == nil:
		return registry.CodeObjectDoesNotExist
	case h.Sponsor != actor:
		return registry.CodeAuthorization
	case !mayUpdate(h.Statuses, nothingElse, c.GetAddStatuses(), c.GetRemoveStatuses()):
		return registry.CodeStatusProhibits
	}
	statuses, code := changeStatuses("host", h.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses())
	if code != registry.CodeOK {
		return code
	}
	addrs := slices.Clone(h.Addresses)
	for _, addr := range addresses(c.GetRemoveAddresses()) {
		if !slices.Contains(addrs, addr) {
			return registry.CodeParameterPolicy
		}
		addrs = slices.DeleteFunc(addrs, func(x netip.Addr) bool { return x == addr })
	}
	for _, addr := range addresses(c.GetAddAddresses()) {
		if slices.Contains(addrs, addr) {
			return registry.CodeParameterPolicy
		}
		addrs = append(addrs, addr)
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	next := &Host{Name: h.Name, Sponsor: h.Sponsor, Addresses: addrs, Statuses: statuses}
	if c.GetNewName() != "" && c.GetNewName() != h.Name {
		next.Name = c.GetNewName()
		return m.rename(actor, h, next)
	}
	if !nothingElse {
		if code := m.mayStand(actor, h.Name, addrs); code != registry.CodeOK {
			return code
		}
	}
	m.Hosts[h.Name] = next
	return registry.CodeOK
}

// rename moves delegations along; a host outside the TLD, before or after, that another registrar's domain uses stays.
func (m *Model) rename(actor string, h, next *Host) registry.Code {
	if m.Hosts[next.Name] != nil {
		return registry.CodeObjectExists
	}
	if code := m.mayStand(actor, next.Name, next.Addresses); code != registry.CodeOK {
		return code
	}
	_, inside := m.superordinate(h.Name)
	_, staysInside := m.superordinate(next.Name)
	for _, d := range m.Domains {
		if slices.Contains(d.NameServers, h.Name) && !(inside && staysInside) && d.Sponsor != actor {
			return registry.CodeAssociationForbids
		}
	}
	for _, d := range m.Domains {
		if slices.Contains(d.NameServers, h.Name) && slices.Contains(d.Statuses, "serverUpdateProhibited") {
			return registry.CodeAssociationForbids // the registry has locked the domain
		}
	}
	for _, d := range m.Domains {
		if at := slices.Index(d.NameServers, h.Name); at >= 0 {
			d.NameServers[at] = next.Name
		}
	}
	delete(m.Hosts, h.Name)
	m.Hosts[next.Name] = next
	return registry.CodeOK
}

func (m *Model) hostDelete(actor string, c *fsmpb.HostDelete) registry.Code {
	h := m.Hosts[c.GetName()]
	switch {
	case h == nil:
		return registry.CodeObjectDoesNotExist
	case h.Sponsor != actor:
		return registry.CodeAuthorization
	case !mayDelete(h.Statuses):
		return registry.CodeStatusProhibits
	case m.isUsed(h.Name, ""):
		return registry.CodeAssociationForbids
	}
	delete(m.Hosts, h.Name)
	return registry.CodeOK
}

// undelegate takes a host out of all delegations.
func (m *Model) undelegate(host string) {
	for _, d := range m.Domains {
		d.NameServers = slices.DeleteFunc(d.NameServers, func(ns string) bool { return ns == host })
	}
}

// isUsed says whether a domain other than except is delegated to the host.
func (m *Model) isUsed(host, except string) bool {
	for _, d := range m.Domains {
		if d.Name != except && slices.Contains(d.NameServers, host) {
			return true
		}
	}
	return false
}
