package fsm

import (
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// domainCreate registers a name (RFC 5731 section 3.2.1).
func (r *run) domainCreate(c *fsmpb.DomainCreate) (*fsmpb.Result, error) {
	o, err := r.offer(c)
	if err != nil {
		return nil, err
	}
	if err := r.requireRegistrations(o, c); err != nil {
		return nil, err
	}
	if err := r.pricedOffer(o, c); err != nil {
		return nil, err
	}
	tld, domain := o.tld, o.domain
	row := r.charge(tld, o.registrar.ID, store.LedgerCreate, domain.Name, o.years, o.price)
	domain.Graces = []registry.Grace{{Kind: registry.GraceAdd, EndsAt: policy.AddDays(r.now, tld.Policy.AddGraceDays), ChargeRow: row}}
	r.countAdd(domain)
	r.spendToken(o.token, domain.Name)
	r.tx.PutDomain(nil, domain)
	r.markDelegationDirty(domain, nil)
	if tld.Policy.SacrificialDomain != "" {
		r.returnHosts(domain)
	}
	result := r.createdResult(domain.ROID)
	result.ExpiresAtMs, result.IdnTable = domain.ExpiresAt.UnixMilli(), domain.IDN.Table
	r.settled(result, tld, o.price, o.years)
	return result, nil
}

// offer is a registration that the rules admit, before it is made.
type offer struct {
	tld       *registry.TLD
	registrar *registry.Registrar
	domain    *registry.Domain
	token     *registry.AllocationToken // nil for none
	years     uint32
	price     int64
}

// offer says whether the acting registrar can have the name, and what it would get; the
// price comes with pricedOffer.
func (r *run) offer(c *fsmpb.DomainCreate) (*offer, error) {
	name := registry.DomainName(c.GetName())
	tld, inside := r.tx.TLDOf(name)
	if !inside {
		return nil, refuse(registry.CodeParameterPolicy, "name", c.GetName(), "the name lies outside the TLDs of this registry")
	}
	registrar, err := r.requireAccredited(tld.Name)
	if err != nil {
		return nil, err
	}
	o := &offer{tld: tld, registrar: registrar}
	if o.token, err = r.presentedToken(c.GetAllocationTokenSha256(), tld, name); err != nil {
		return nil, err
	}
	if err := policy.CheckAllocatable(r.tx, tld, name, o.token); err != nil {
		return nil, err
	}
	if r.tx.HasDomain(name) {
		return nil, refuse(registry.CodeObjectExists, "name", c.GetName(), "the name is registered")
	}
	named, err := policy.IDNOf(tld, name, c.GetIdnTable(), c.GetIdnUname())
	if err != nil {
		return nil, err
	}
	if o.years, err = policy.PeriodYears(tld, c.GetPeriodYears()); err != nil {
		return nil, err
	}
	o.domain = &registry.Domain{Name: name, TLD: tld.Name, ExpiresAt: policy.AddYears(r.now, o.years), AuthInfo: r.newAuthInfo(c.GetAuthInfo(), tld), IDN: named}
	if err := r.requireVariantsFree(tld, o.domain); err != nil {
		return nil, err
	}
	return o, nil
}

// pricedOffer checks what the domain names and what it costs.
func (r *run) pricedOffer(o *offer, c *fsmpb.DomainCreate) error {
	if err := policy.CheckAuthInfo(o.tld, c.GetAuthInfo().GetWeak()); err != nil {
		return err
	}
	if err := r.fillDomainLinks(o.tld, o.domain, c); err != nil {
		return err
	}
	prices := policy.PricesOfNew(r.tx, o.tld, o.domain.Name)
	o.price = policy.TokenPriceMinor(o.token, prices.CreateMinor(o.years), o.years)
	if err := r.requirePayment(o.tld, o.registrar, &prices, c.GetFee(), o.price); err != nil {
		return err
	}
	roid, err := r.objectROID("D", c.GetRoid(), o.tld.Policy.ROIDSuffix)
	if err != nil {
		return err
	}
	o.domain.Provenance, o.domain.PriceClass = r.created(roid), prices.Class
	return nil
}

// fillDomainLinks checks and sets the contacts, name servers and DS records of a new domain.
func (r *run) fillDomainLinks(tld *registry.TLD, domain *registry.Domain, c *fsmpb.DomainCreate) error {
	if err := r.setRegistrant(tld, domain, c.GetRegistrant()); err != nil {
		return err
	}
	if err := r.addContacts(tld, domain, c.GetContacts()); err != nil {
		return err
	}
	if err := requireHostModel(tld, len(c.GetNameServers()), len(c.GetHostAttributes())); err != nil {
		return err
	}
	if err := r.addNameServers(tld, domain, c.GetNameServers()); err != nil {
		return err
	}
	if err := r.addHostAttributes(tld, domain, c.GetHostAttributes()); err != nil {
		return err
	}
	domain.MaxSigLifeSeconds = c.GetMaxSigLifeSeconds()
	var err error
	if domain.Orgs, err = r.addOrgs(nil, c.GetOrgs()); err != nil {
		return err
	}
	if domain.TTLs, err = changeTTLs(tld, registry.KindDomain, nil, c.GetTtls()); err != nil {
		return err
	}
	return addSecurity(tld, domain, c.GetDs(), c.GetKeys())
}

func (r *run) setRegistrant(tld *registry.TLD, domain *registry.Domain, id string) error {
	registrar, _ := r.tx.Registrar(r.registrarID())
	if id == "" {
		domain.Registrant = ""
		if tld.Policy.RegistrantRequired && !policy.IsThin(tld, registrar) {
			return refuse(registry.CodeParameterMissing, "registrant", "", "a registrant is required under this TLD")
		}
		return nil
	}
	if err := policy.CheckContactsAllowed(tld, registrar, "registrant", id); err != nil {
		return err
	}
	contact, err := r.linkableContact("registrant", id)
	if err != nil {
		return err
	}
	domain.Registrant = contact.ID
	return nil
}

func (r *run) addContacts(tld *registry.TLD, domain *registry.Domain, add []*fsmpb.DomainContact) error {
	registrar, _ := r.tx.Registrar(r.registrarID())
	for _, a := range add {
		if err := policy.CheckContactsAllowed(tld, registrar, "contact", a.GetId()); err != nil {
			return err
		}
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
		host, found := r.tx.SharedHost(name)
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "ns", s, "there is no such host object; create it first")
		}
		if host.FormerName != "" {
			return refuse(registry.CodeParameterPolicy, "ns", s, "the registry keeps this host only for domains that used it before (RFC 9874)")
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
		for _, host := range d.NameServerNames() {
			if host.IsBelow(d.TLD) {
				r.markDirty(d.TLD, host)
			}
		}
	}
}
