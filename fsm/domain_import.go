package fsm

import (
	"net/netip"
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// domainImport registers a delegation of an existing zone. It is all or nothing, and doing it again changes nothing.
func (r *run) domainImport(c *fsmpb.DomainImport) (*fsmpb.Result, error) {
	if err := r.actFor(c.GetRegistrar()); err != nil {
		return nil, err
	}
	name := registry.DomainName(c.GetName())
	if domain, found := r.tx.Domain(name); found {
		return r.importAgain(domain, c)
	}
	if c.GetComplete() {
		return nil, refuse(registry.CodeObjectDoesNotExist, "name", c.GetName(), "the domain to be completed is not registered")
	}
	create := &fsmpb.DomainCreate{
		Name: c.GetName(), Roid: c.GetRoid(), PeriodYears: c.GetPeriodYears(), Registrant: c.GetRegistrant(),
		NameServers: c.GetNameServers(), Ds: c.GetDs(),
	}
	o, err := r.offer(create)
	if err != nil {
		return nil, err
	}
	if err := r.importHosts(o.tld, name, c.GetHosts()); err != nil {
		return nil, err
	}
	if err := r.importedOffer(o, create, c.GetCharged()); err != nil {
		return nil, err
	}
	if c.GetCharged() {
		row := r.charge(o.tld, o.registrar.ID, store.LedgerCreate, name, o.years, o.price)
		o.domain.Graces = []registry.Grace{{Kind: registry.GraceAdd, EndsAt: policy.AddDays(r.now, o.tld.Policy.AddGraceDays), ChargeRow: row}}
	}
	r.tx.PutDomain(nil, o.domain)
	r.markDelegationDirty(o.domain, nil)
	result := r.createdResult(o.domain.ROID)
	result.ExpiresAtMs = o.domain.ExpiresAt.UnixMilli()
	r.settled(result, o.tld, o.price, o.years)
	return result, nil
}

// importedOffer is pricedOffer, but that nothing need be paid for what is not charged.
func (r *run) importedOffer(o *offer, create *fsmpb.DomainCreate, charged bool) error {
	if charged {
		return r.pricedOffer(o, create)
	}
	if err := r.fillDomainLinks(o.tld, o.domain, create); err != nil {
		return err
	}
	roid, err := r.newROID(create.GetRoid(), o.tld.Policy.ROIDSuffix)
	if err != nil {
		return err
	}
	o.domain.Provenance, o.domain.PriceClass = r.created(roid), policy.PricesOfNew(r.tx, o.tld, o.domain.Name).Class
	return nil
}

// importHosts makes the hosts below a domain that is about to be registered.
func (r *run) importHosts(tld *registry.TLD, domain registry.DomainName, hosts []*fsmpb.ImportedHost) error {
	for _, h := range hosts {
		name := registry.DomainName(h.GetName())
		if r.tx.HasHost(name) {
			return refuse(registry.CodeObjectExists, "host", h.GetName(), "there is a host of this name")
		}
		addresses := addressesFromProto(h.GetAddresses())
		if err := checkAddresses(tld, addresses); err != nil {
			return err
		}
		roid, err := r.newROID(h.GetRoid(), tld.Policy.ROIDSuffix)
		if err != nil {
			return err
		}
		slices.SortFunc(addresses, netip.Addr.Compare)
		r.tx.PutHost(nil, &registry.Host{Provenance: r.created(roid), Name: name, Addresses: addresses, Superordinate: domain})
	}
	return nil
}

// importAgain completes a domain that was imported before, or finds that it is the same.
func (r *run) importAgain(domain *registry.Domain, c *fsmpb.DomainImport) (*fsmpb.Result, error) {
	exists := func(reason string) error { return refuse(registry.CodeObjectExists, "name", c.GetName(), "%s", reason) }
	switch {
	case domain.Sponsor != r.registrarID():
		return nil, exists("the name is registered for another registrar")
	case domain.Phase != registry.PhaseNone:
		return nil, exists("the name is registered and being deleted")
	case string(domain.Registrant) != c.GetRegistrant():
		return nil, exists("the name is registered with another registrant")
	case !sameSigners(domain.DS, c.GetDs()):
		return nil, exists("the name is registered with other DS records")
	}
	for _, h := range c.GetHosts() {
		host, found := r.tx.Host(registry.DomainName(h.GetName()))
		if !found || !sameAddresses(host.Addresses, addressesFromProto(h.GetAddresses())) {
			return nil, exists("the name is registered, but its hosts differ")
		}
	}
	given := make([]registry.DomainName, 0, len(c.GetNameServers()))
	for _, ns := range c.GetNameServers() {
		given = append(given, registry.DomainName(ns))
	}
	if containsAll(domain.NameServers, given) && (!c.GetComplete() || len(domain.NameServers) == len(given)) {
		return ok(), nil
	}
	if !c.GetComplete() || !containsAll(given, domain.NameServers) {
		return nil, exists("the name is registered with other name servers")
	}
	tld, _ := r.tx.TLD(domain.TLD) // a domain's TLD is never removed
	changed := *domain
	changed.NameServers = nil
	if err := r.addNameServers(tld, &changed, c.GetNameServers()); err != nil {
		return nil, err
	}
	r.updated(&changed.Provenance)
	r.tx.PutDomain(domain, &changed)
	r.markDelegationDirty(&changed, domain)
	return ok(), nil
}

func containsAll(set, subset []registry.DomainName) bool {
	for _, n := range subset {
		if !slices.Contains(set, n) {
			return false
		}
	}
	return true
}

func sameSigners(have []registry.DelegationSigner, given []*fsmpb.DelegationSigner) bool {
	for _, g := range given {
		record := delegationSignerFromProto(g)
		if !slices.ContainsFunc(have, func(h registry.DelegationSigner) bool { return h.SameAs(&record) }) {
			return false
		}
	}
	return len(have) == len(given)
}

func sameAddresses(have, given []netip.Addr) bool {
	for _, a := range given {
		if !slices.Contains(have, a) {
			return false
		}
	}
	return len(have) == len(given)
}
