package fsm

import (
	"net/netip"
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

func (r *run) hostCreate(c *fsmpb.HostCreate) (*fsmpb.Result, error) {
	name := registry.DomainName(c.GetName())
	if r.tx.HasHost(name) {
		return nil, refuse(registry.CodeObjectExists, "name", c.GetName(), "there is a host of this name")
	}
	addresses := addressesFromProto(c.GetAddresses())
	superordinate, err := r.hostPlace(name, addresses)
	if err != nil {
		return nil, err
	}
	suffix := r.repositorySuffix()
	if tld, inside := r.tx.TLDOf(name); inside {
		suffix = tld.Policy.ROIDSuffix
	}
	roid, err := r.objectROID("H", c.GetRoid(), suffix)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	host := &registry.Host{Provenance: r.created(roid), Name: name, Addresses: addresses, Superordinate: superordinate}
	if host.TTLs, err = r.changeHostTTLs(name, host, c.GetTtls()); err != nil {
		return nil, err
	}
	if host.Orgs, err = r.addOrgs(nil, c.GetOrgs()); err != nil {
		return nil, err
	}
	r.tx.PutHost(nil, host)
	return r.createdResult(roid), nil
}

// hostPlace checks where a host of that name may stand: inside a TLD served here only
// below a domain of the acting registrar and with addresses, outside without any
// (RFC 5732 section 1.1). It returns the superordinate domain, "" for an external host.
func (r *run) hostPlace(name registry.DomainName, addresses []netip.Addr) (registry.DomainName, error) {
	if _, isTLD := r.tx.TLD(name); isTLD {
		return "", refuse(registry.CodeParameterPolicy, "name", string(name), "a TLD is not a host name")
	}
	tld, inside := r.tx.TLDOf(name)
	if !inside {
		if len(addresses) > 0 {
			return "", refuse(registry.CodeParameterPolicy, "addr", addresses[0].String(), "a host outside the TLDs of this registry has no addresses here (RFC 5732 section 1.1)")
		}
		return "", nil
	}
	if tld.Policy.HostAttributes {
		return "", refuse(registry.CodeParameterPolicy, "name", string(name), "name servers are attributes of domains under .%s (RFC 5731 section 1.1)", tld.Name)
	}
	superordinate := name.AncestorWithLabels(tld.Name.Labels() + 1)
	domain, found := r.tx.Domain(superordinate)
	if !found {
		return "", refuse(registry.CodeObjectDoesNotExist, "name", string(name), "the superordinate domain %s is not registered", superordinate)
	}
	if err := r.requireSponsor(&domain.Provenance, "name", string(superordinate)); err != nil {
		return "", err
	}
	if domain.Phase != registry.PhaseNone {
		return "", refuse(registry.CodeStatusProhibits, "name", string(superordinate), "the superordinate domain is being deleted")
	}
	if len(addresses) == 0 {
		return "", refuse(registry.CodeParameterMissing, "addr", "", "a host inside .%s needs an address", tld.Name)
	}
	return superordinate, checkAddresses(tld, addresses)
}

func checkAddresses(tld *registry.TLD, addresses []netip.Addr) error {
	seen := map[netip.Addr]bool{}
	for _, addr := range addresses {
		if err := policy.CheckAddress(tld, addr); err != nil {
			return err
		}
		if seen[addr] {
			return refuse(registry.CodeParameterPolicy, "addr", addr.String(), "the address is given twice")
		}
		seen[addr] = true
	}
	return nil
}
