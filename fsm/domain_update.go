package fsm

import (
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

func (r *run) domainUpdate(c *fsmpb.DomainUpdate) (*fsmpb.Result, error) {
	old, tld, err := r.ownDomain(c.GetName())
	if err != nil {
		return nil, err
	}
	onlyStatuses := len(c.GetAddHostAttributes()) == 0 && len(c.GetRemoveHostAttributes()) == 0 &&
		len(c.GetAddNameServers()) == 0 && len(c.GetRemoveNameServers()) == 0 && len(c.GetAddContacts()) == 0 &&
		len(c.GetRemoveContacts()) == 0 && c.Registrant == nil && c.AuthInfo == nil && len(c.GetTtls()) == 0 && !changesSecurity(c) && !changesOrgs(c)
	if err := requireUpdatable(old.Statuses, onlyStatuses, c.GetAddStatuses(), c.GetRemoveStatuses()); err != nil {
		return nil, err
	}
	next := *old
	next.Statuses, err = changeStatuses(registry.KindDomain, old.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses())
	if err != nil {
		return nil, err
	}
	if err := r.changeDomainLinks(tld, &next, c); err != nil {
		return nil, err
	}
	if err := changeSecurity(tld, &next, c); err != nil {
		return nil, err
	}
	if next.Orgs, err = r.changeOrgs(old.Orgs, c); err != nil {
		return nil, err
	}
	if next.TTLs, err = changeTTLs(tld, registry.KindDomain, old.TTLs, c.GetTtls()); err != nil {
		return nil, err
	}
	if err := policy.CheckAuthInfo(tld, c.GetAuthInfo().GetWeak()); err != nil {
		return nil, err
	}
	if c.AuthInfo != nil {
		next.AuthInfo = r.newAuthInfo(c.GetAuthInfo(), tld)
	}
	r.updated(&next.Provenance)
	r.tx.PutDomain(old, &next)
	if !sameNameServers(old, &next) || !sameSecurity(old, &next) || !slices.Equal(old.TTLs, next.TTLs) || old.IsDelegated() != next.IsDelegated() {
		r.markDelegationDirty(&next, old)
	}
	return ok(), nil
}

func sameNameServers(old, next *registry.Domain) bool {
	return slices.Equal(old.NameServers, next.NameServers) && slices.EqualFunc(old.HostAttributes, next.HostAttributes, func(a, b registry.HostAttribute) bool {
		return a.Name == b.Name && slices.Equal(a.Addresses, b.Addresses)
	})
}

// ownDomain returns a domain that the acting registrar sponsors, with its TLD.
func (r *run) ownDomain(name string) (*registry.Domain, *registry.TLD, error) {
	domain, found := r.tx.Domain(registry.DomainName(name))
	if !found {
		return nil, nil, refuse(registry.CodeObjectDoesNotExist, "name", name, "the name is not registered")
	}
	if err := r.requireSponsor(&domain.Provenance, "name", name); err != nil {
		return nil, nil, err
	}
	tld, err := r.requireTLD(domain.TLD)
	return domain, tld, err
}

// changeDomainLinks removes first, so that a swap stays within the bounds.
func (r *run) changeDomainLinks(tld *registry.TLD, domain *registry.Domain, c *fsmpb.DomainUpdate) error {
	if err := requireHostModel(tld, len(c.GetAddNameServers())+len(c.GetRemoveNameServers()), len(c.GetAddHostAttributes())+len(c.GetRemoveHostAttributes())); err != nil {
		return err
	}
	if err := removeHostAttributes(domain, c.GetRemoveHostAttributes()); err != nil {
		return err
	}
	for _, s := range c.GetRemoveNameServers() {
		at := slices.Index(domain.NameServers, registry.DomainName(s))
		if at < 0 {
			return refuse(registry.CodeParameterPolicy, "ns", s, "the name server to remove is not there")
		}
		domain.NameServers = slices.Delete(slices.Clone(domain.NameServers), at, at+1)
	}
	for _, remove := range c.GetRemoveContacts() {
		key := registry.ContactID(remove.GetId()).Key()
		at := slices.IndexFunc(domain.Contacts, func(have registry.DomainContact) bool {
			return string(have.Role) == remove.GetRole() && have.ID.Key() == key
		})
		if at < 0 {
			return refuse(registry.CodeParameterPolicy, "contact", remove.GetId(), "the contact to remove does not have that role")
		}
		domain.Contacts = slices.Delete(slices.Clone(domain.Contacts), at, at+1)
	}
	if c.Registrant != nil {
		if err := r.setRegistrant(tld, domain, c.GetRegistrant()); err != nil {
			return err
		}
	}
	if err := r.addContacts(tld, domain, c.GetAddContacts()); err != nil {
		return err
	}
	if err := r.addNameServers(tld, domain, c.GetAddNameServers()); err != nil {
		return err
	}
	if err := r.addHostAttributes(tld, domain, c.GetAddHostAttributes()); err != nil {
		return err
	}
	return policy.CheckNameServerCount(tld, len(domain.NameServers)+len(domain.HostAttributes))
}
