package fsm

import (
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

func (r *run) domainCreate(c *fsmpb.DomainCreate) (*fsmpb.Result, error) {
	name := registry.DomainName(c.GetName())
	tld, inside := r.tx.TLDOf(name)
	if !inside {
		return nil, refuse(registry.CodeParameterPolicy, "name", c.GetName(), "the name lies outside the TLDs of this registry")
	}
	registrar, err := r.requireAccredited(tld.Name)
	if err != nil {
		return nil, err
	}
	token, err := r.presentedToken(c.GetAllocationTokenSha256(), tld, name)
	if err != nil {
		return nil, err
	}
	if err := policy.CheckAllocatable(tld, name, token); err != nil {
		return nil, err
	}
	if r.tx.HasDomain(name) {
		return nil, refuse(registry.CodeObjectExists, "name", c.GetName(), "the name is registered")
	}
	years, err := policy.PeriodYears(tld, c.GetPeriodYears())
	if err != nil {
		return nil, err
	}
	domain := &registry.Domain{Name: name, TLD: tld.Name, ExpiresAt: policy.AddYears(r.now, years), AuthInfo: authInfoFromProto(c.GetAuthInfo())}
	if err := policy.CheckAuthInfo(tld, c.GetAuthInfo().GetWeak()); err != nil {
		return nil, err
	}
	if err := r.fillDomainLinks(tld, domain, c); err != nil {
		return nil, err
	}
	prices := policy.PricesOfNew(tld, name)
	price := policy.TokenPriceMinor(token, prices.CreateMinor(years), years)
	if err := r.requirePayment(tld, registrar, &prices, c.GetFee(), price); err != nil {
		return nil, err
	}
	roid, err := r.newROID(c.GetRoid(), tld.Policy.ROIDSuffix)
	if err != nil {
		return nil, err
	}
	domain.Provenance, domain.PriceClass = r.created(roid), prices.Class
	row := r.charge(tld, registrar.ID, store.LedgerCreate, name, years, price)
	domain.Graces = []registry.Grace{{Kind: registry.GraceAdd, EndsAt: policy.AddDays(r.now, tld.Policy.AddGraceDays), ChargeRow: row}}
	r.countAdd(domain)
	r.spendToken(token, name)
	r.tx.PutDomain(nil, domain)
	r.markDelegationDirty(domain, nil)
	result := r.createdResult(roid)
	result.ExpiresAtMs = domain.ExpiresAt.UnixMilli()
	r.settled(result, tld, price, years)
	return result, nil
}

// fillDomainLinks checks and sets the contacts, name servers and DS records of a new domain.
func (r *run) fillDomainLinks(tld *registry.TLD, domain *registry.Domain, c *fsmpb.DomainCreate) error {
	if err := r.setRegistrant(tld, domain, c.GetRegistrant()); err != nil {
		return err
	}
	if err := r.addContacts(tld, domain, c.GetContacts()); err != nil {
		return err
	}
	if err := r.addNameServers(tld, domain, c.GetNameServers()); err != nil {
		return err
	}
	domain.MaxSigLifeSeconds = c.GetMaxSigLifeSeconds()
	var err error
	if domain.TTLs, err = changeTTLs(tld, registry.KindDomain, nil, c.GetTtls()); err != nil {
		return err
	}
	return addSecurity(tld, domain, c.GetDs(), c.GetKeys())
}

func (r *run) setRegistrant(tld *registry.TLD, domain *registry.Domain, id string) error {
	if id == "" {
		domain.Registrant = ""
		if tld.Policy.RegistrantRequired {
			return refuse(registry.CodeParameterMissing, "registrant", "", "a registrant is required under this TLD")
		}
		return nil
	}
	contact, err := r.linkableContact("registrant", id)
	if err != nil {
		return err
	}
	domain.Registrant = contact.ID
	return nil
}

func (r *run) addContacts(tld *registry.TLD, domain *registry.Domain, add []*fsmpb.DomainContact) error {
	for _, a := range add {
		contact, err := r.linkableContact("contact", a.GetId())
		if err != nil {
			return err
		}
		link := registry.DomainContact{Role: registry.ContactRole(a.GetRole()), ID: contact.ID}
		if slices.Contains(domain.Contacts, link) {
			return refuse(registry.CodeParameterPolicy, "contact", a.GetId(), "the contact has that role already")
		}
		domain.Contacts = append(slices.Clone(domain.Contacts), link)
	}
	return policy.CheckContactCount(tld, len(domain.Contacts))
}

// linkableContact returns a contact that the acting registrar may name in its domains:
// one of its own.
func (r *run) linkableContact(field, id string) (*registry.Contact, error) {
	contact, found := r.tx.Contact(registry.ContactID(id))
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, field, id, "there is no such contact")
	}
	return contact, r.requireSponsor(&contact.Provenance, field, id)
}

func (r *run) addNameServers(tld *registry.TLD, domain *registry.Domain, add []string) error {
	for _, s := range add {
		name := registry.DomainName(s)
		if slices.Contains(domain.NameServers, name) {
			return refuse(registry.CodeParameterPolicy, "ns", s, "the name server is there already")
		}
		host, found := r.tx.Host(name)
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "ns", s, "there is no such host object; create it first")
		}
		domain.NameServers = append(slices.Clone(domain.NameServers), host.Name)
	}
	return policy.CheckNameServerCount(tld, len(domain.NameServers))
}

// markDelegationDirty asks for the domain and the glue of its name servers, those it has
// and those it had, to be published anew.
func (r *run) markDelegationDirty(domain, old *registry.Domain) {
	r.markDirty(domain.TLD, domain.Name)
	for _, d := range []*registry.Domain{domain, old} {
		if d == nil {
			continue
		}
		for _, host := range d.NameServers {
			if host.IsBelow(d.TLD) {
				r.markDirty(d.TLD, host)
			}
		}
	}
}
