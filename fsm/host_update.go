package fsm

import (
	"net/netip"
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// maxRenameUsers bounds the domains that one rename rewrites, so that an entry stays small.
const maxRenameUsers = 2000

func (r *run) hostUpdate(c *fsmpb.HostUpdate) (*fsmpb.Result, error) {
	old, err := r.ownHost(c.GetName())
	if err != nil {
		return nil, err
	}
	onlyStatuses := len(c.GetAddAddresses()) == 0 && len(c.GetRemoveAddresses()) == 0 && c.GetNewName() == "" && len(c.GetTtls()) == 0 && !changesOrgs(c)
	if err := requireUpdatable(old.Statuses, onlyStatuses, c.GetAddStatuses(), c.GetRemoveStatuses()); err != nil {
		return nil, err
	}
	next := *old
	next.Statuses, err = changeStatuses(registry.KindHost, old.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses())
	if err != nil {
		return nil, err
	}
	next.Addresses, err = changeAddresses(old.Addresses, addressesFromProto(c.GetAddAddresses()), addressesFromProto(c.GetRemoveAddresses()))
	if err != nil {
		return nil, err
	}
	if next.Orgs, err = r.changeOrgs(old.Orgs, c); err != nil {
		return nil, err
	}
	r.updated(&next.Provenance)
	newName := registry.DomainName(c.GetNewName())
	if newName != "" {
		next.Name = newName
	}
	if next.TTLs, err = r.changeHostTTLs(next.Name, old, c.GetTtls()); err != nil {
		return nil, err
	}
	if next.Name != old.Name {
		return r.renameHost(old, &next)
	}
	if !onlyStatuses {
		if next.Superordinate, err = r.hostPlace(next.Name, next.Addresses); err != nil {
			return nil, err
		}
	}
	r.tx.PutHost(old, &next)
	r.markHostDirty(next.Name)
	return ok(), nil
}

// ownHost returns a host that the acting registrar sponsors.
func (r *run) ownHost(name string) (*registry.Host, error) {
	host, found := r.tx.Host(registry.DomainName(name))
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "name", name, "there is no such host")
	}
	if err := r.requireSponsor(&host.Provenance, "name", name); err != nil {
		return nil, err
	}
	return host, nil
}

func changeAddresses(have, add, remove []netip.Addr) ([]netip.Addr, error) {
	next := slices.Clone(have)
	for _, addr := range remove {
		at := slices.Index(next, addr)
		if at < 0 {
			return nil, refuse(registry.CodeParameterPolicy, "addr", addr.String(), "the address to remove is not there")
		}
		next = slices.Delete(next, at, at+1)
	}
	for _, addr := range add {
		if slices.Contains(next, addr) {
			return nil, refuse(registry.CodeParameterPolicy, "addr", addr.String(), "the address to add is there already")
		}
		next = append(next, addr)
	}
	slices.SortFunc(next, netip.Addr.Compare)
	return next, nil
}

// renameHost moves a host to another name together with every delegation to it. A host
// outside the TLDs that another registrar's domain uses keeps its name: the rename would
// move that domain to name servers that its registrar did not choose (RFC 5732 section 3.2.5).
// Nor does a host inside that others use get a name outside, which anybody might register
// one day (RFC 9874).
func (r *run) renameHost(old, next *registry.Host) (*fsmpb.Result, error) {
	if r.tx.HasHost(next.Name) {
		return nil, refuse(registry.CodeObjectExists, "name", string(next.Name), "there is a host of the new name")
	}
	var err error
	if next.Superordinate, err = r.hostPlace(next.Name, next.Addresses); err != nil {
		return nil, err
	}
	users := r.tx.HostUsers(old.Name, maxRenameUsers+1)
	if len(users) > maxRenameUsers {
		return nil, refuse(registry.CodeAssociationForbids, "name", string(old.Name), "more than %d domains use this host; make a new host and move them to it", maxRenameUsers)
	}
	r.tx.DeleteHost(old)
	r.tx.PutHost(nil, next)
	for _, user := range users {
		domain, found := r.tx.Domain(user)
		if !found {
			return nil, refuse(registry.CodeInternal, "name", string(user), "the index of host users names a domain that does not exist")
		}
		if old.Superordinate == "" && domain.Sponsor != r.registrarID() {
			return nil, refuse(registry.CodeAssociationForbids, "name", string(old.Name), "a domain of another registrar uses this external host")
		}
		if next.Superordinate == "" && domain.Sponsor != r.registrarID() {
			return nil, refuse(registry.CodeAssociationForbids, "name", string(next.Name), "a domain of another registrar uses this host; its new name has to lie below a domain of yours here (RFC 9874)")
		}
		if domain.Statuses.Has(registry.StatusServerUpdateProhibited) {
			return nil, refuse(registry.CodeAssociationForbids, "name", string(old.Name), "the domain %s uses this host, and the registry has forbidden its updates", domain.Name)
		}
		moved := *domain
		moved.NameServers = slices.Clone(domain.NameServers)
		moved.NameServers[slices.Index(moved.NameServers, old.Name)] = next.Name
		r.tx.PutDomain(domain, &moved)
		r.markDirty(domain.TLD, domain.Name)
	}
	r.markHostDirty(old.Name)
	r.markHostDirty(next.Name)
	return ok(), nil
}

// markHostDirty asks for the host's glue to be published, if it lies inside a TLD.
func (r *run) markHostDirty(name registry.DomainName) {
	if tld, inside := r.tx.TLDOf(name); inside {
		r.markDirty(tld.Name, name)
	}
}
