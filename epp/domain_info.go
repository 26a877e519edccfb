package epp

import (
	"context"
	"slices"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// domainInfo is <info> of a domain (RFC 5731 section 3.1.2). Its sponsor, and whoever gives
// the right authorisation information, sees everything but that information; everybody
// else sees what WHOIS shows to all.
func (c *call) domainInfo(ctx context.Context, q *eppxml.DomainInfo) (*answer, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	var info *eppxml.DomainInfData
	var extensions []extensionData
	err = c.view(ctx, func(tx *store.ReadTx) error {
		if c.extensions.tokenInfo != nil {
			return refuseTokenInfo(tx, registry.DomainName(name))
		}
		domain, found := tx.Domain(registry.DomainName(name))
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "name", q.Name, "the name is not registered")
		}
		isSponsor := domain.Sponsor == c.registrar
		if q.AuthInfo != nil {
			if err := c.checkDomainAuthInfo(tx, domain, q.AuthInfo); err != nil {
				return err
			}
		}
		info = publicDomainInfo(tx, domain, q.Hosts)
		phase, err := shownRegistrationPhase(domain, c.extensions.launchInfo)
		if err != nil {
			return err
		}
		extensions = append(shownSecurity(domain), phase...)
		if statuses := rgpStatuses(domain.RGPStatuses(tx.Now())); len(statuses) > 0 {
			extensions = append(extensions, extensionData{uri: eppxml.NSRGP, xml: eppxml.AppendRGPInfData(nil, statuses)})
		}
		extensions = append(extensions, shownIDN(string(domain.Name), domain.IDN.Table)...)
		if tld, found := tx.TLD(domain.TLD); found {
			extensions = append(extensions, c.shownTTLs(tld, registry.KindDomain, domain.TTLs)...)
		}
		if isSponsor || q.AuthInfo != nil {
			addFullDomainInfo(info, domain)
			extensions = append(extensions, c.shownOrgs(domain.Orgs)...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	a := ok(eppxml.AppendDomainInfData(nil, info))
	a.extensions = extensions
	return a, nil
}

// checkDomainAuthInfo checks the domain's authorisation information or, where it carries an
// object identifier, that of a contact of the domain (RFC 5731 section 3.1.2).
func (c *call) checkDomainAuthInfo(tx *store.ReadTx, domain *registry.Domain, given *eppxml.AuthInfo) error {
	target := targetBehind(tx, domain, given)
	isOwn := given.ROID == "" || registry.ROID(given.ROID) == domain.ROID
	if !isOwn && !target.stored.IsSet(tx.Now()) {
		return refuse(registry.CodeInvalidAuthInfo, "authInfo", "", "the authorisation information is not that of a contact of the domain")
	}
	return c.checkAuthInfo(tx, given, target)
}

func isContactOf(domain *registry.Domain, id registry.ContactID) bool {
	return domain.Registrant.Key() == id.Key() || slices.ContainsFunc(domain.Contacts, func(link registry.DomainContact) bool {
		return link.ID.Key() == id.Key()
	})
}

func publicDomainInfo(tx *store.ReadTx, domain *registry.Domain, hosts eppxml.HostsFilter) *eppxml.DomainInfData {
	info := &eppxml.DomainInfData{
		Name: string(domain.Name), ROID: string(domain.ROID),
		Statuses: shownStatuses(domain.Statuses, false, !domain.HasNameServers()),
		ClID:     string(domain.Sponsor), CrID: string(domain.Creator),
		CrDate: domain.CreatedAt, UpDate: domain.UpdatedAt, ExDate: domain.ExpiresAt, TrDate: domain.TransferredAt,
	}
	if (hosts == eppxml.HostsAll || hosts == eppxml.HostsDelegated) && domain.HasNameServers() {
		info.NS = &eppxml.NameServers{}
		for _, host := range domain.NameServers {
			info.NS.HostObjs = append(info.NS.HostObjs, string(host))
		}
		for _, attribute := range domain.HostAttributes {
			info.NS.HostAttrs = append(info.NS.HostAttrs, eppxml.HostAttr{Name: string(attribute.Name), Addrs: shownAddresses(attribute.Addresses)})
		}
	}
	if hosts == eppxml.HostsAll || hosts == eppxml.HostsSubordinate {
		for _, host := range tx.SubordinateHosts(domain.Name, maxSubordinateHosts) {
			info.Hosts = append(info.Hosts, string(host))
		}
	}
	return info
}

func addFullDomainInfo(info *eppxml.DomainInfData, domain *registry.Domain) {
	info.UpID = string(domain.Updater)
	info.Registrant = string(domain.Registrant)
	for _, link := range domain.Contacts {
		info.Contacts = append(info.Contacts, eppxml.DomainContact{Type: string(link.Role), ID: string(link.ID)})
	}
}
