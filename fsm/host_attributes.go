package fsm

import (
	"net/netip"
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// requireHostModel says whether the TLD has the kind of name servers that a command names
// (RFC 5731 section 1.1).
func requireHostModel(tld *registry.TLD, objects, attributes int) error {
	switch {
	case tld.Policy.HostAttributes && objects > 0:
		return refuse(registry.CodeParameterPolicy, "hostObj", "", "name servers are attributes of domains under .%s; use hostAttr (RFC 5731 section 1.1)", tld.Name)
	case !tld.Policy.HostAttributes && attributes > 0:
		return refuse(registry.CodeParameterPolicy, "hostAttr", "", "name servers are host objects under .%s; use hostObj (RFC 5731 section 1.1)", tld.Name)
	}
	return nil
}

func isHostAttribute(name registry.DomainName) func(registry.HostAttribute) bool {
	return func(have registry.HostAttribute) bool { return have.Name == name }
}

// removeHostAttributes takes name servers away by name.
func removeHostAttributes(domain *registry.Domain, names []string) error {
	for _, s := range names {
		at := slices.IndexFunc(domain.HostAttributes, isHostAttribute(registry.DomainName(s)))
		if at < 0 {
			return refuse(registry.CodeParameterPolicy, "hostAttr", s, "the name server to remove is not there")
		}
		domain.HostAttributes = slices.Delete(slices.Clone(domain.HostAttributes), at, at+1)
	}
	return nil
}

func (r *run) addHostAttributes(tld *registry.TLD, domain *registry.Domain, add []*fsmpb.HostAttribute) error {
	for _, given := range add {
		attribute := registry.HostAttribute{Name: registry.DomainName(given.GetName()), Addresses: addressesFromProto(given.GetAddresses())}
		if slices.ContainsFunc(domain.HostAttributes, isHostAttribute(attribute.Name)) {
			return refuse(registry.CodeParameterPolicy, "hostAttr", given.GetName(), "the name server is there already")
		}
		if err := r.checkHostAttribute(tld, domain, &attribute); err != nil {
			return err
		}
		slices.SortFunc(attribute.Addresses, netip.Addr.Compare)
		domain.HostAttributes = append(slices.Clone(domain.HostAttributes), attribute)
	}
	return policy.CheckNameServerCount(tld, len(domain.HostAttributes))
}

// checkHostAttribute says whether the name server has the addresses that it needs: glue of its
// own in or below the domain, elsewhere none. Another name under a TLD served here must have
// glue from the domain that it is below.
func (r *run) checkHostAttribute(tld *registry.TLD, domain *registry.Domain, attribute *registry.HostAttribute) error {
	name, addresses := attribute.Name, attribute.Addresses
	if _, isTLD := r.tx.TLD(name); isTLD {
		return refuse(registry.CodeParameterPolicy, "hostAttr", string(name), "a TLD is not a host name")
	}
	if isInOrBelow(name, domain.Name) {
		if len(addresses) == 0 {
			return refuse(registry.CodeParameterMissing, "hostAttr", string(name), "a name server in or below its domain needs an address")
		}
		return checkAddresses(tld, addresses)
	}
	if len(addresses) > 0 {
		return refuse(registry.CodeParameterPolicy, "hostAttr", string(name), "only name servers in or below the domain have addresses (RFC 5731 section 1.1)")
	}
	other, inside := r.tx.TLDOf(name)
	if !inside {
		return nil
	}
	superordinate := name.AncestorWithLabels(other.Name.Labels() + 1)
	above, found := r.tx.Domain(superordinate)
	switch {
	case !found:
		return refuse(registry.CodeObjectDoesNotExist, "hostAttr", string(name), "the superordinate domain %s is not registered", superordinate)
	case above.Phase != registry.PhaseNone:
		return refuse(registry.CodeStatusProhibits, "hostAttr", string(name), "the superordinate domain %s is being deleted", superordinate)
	case other.Name != tld.Name: // another zone, which need not have it as attribute
		return nil
	case !slices.ContainsFunc(above.HostAttributes, isHostAttribute(name)):
		return refuse(registry.CodeParameterPolicy, "hostAttr", string(name), "%s is not a name server of %s, so that it would have no address in the zone", name, superordinate)
	}
	return nil
}
