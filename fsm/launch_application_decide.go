package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// launchApplicationDecide moves an application on for an operator and tells the applicant
// (RFC 8334 sections 2.4 and 2.5). Allocated, it becomes a domain and is paid for; invalid
// or rejected, the price is given back.
func (r *run) launchApplicationDecide(c *fsmpb.LaunchApplicationDecide) (*fsmpb.Result, error) {
	a, found := r.tx.Application(c.GetApplicationId())
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "applicationID", c.GetApplicationId(), "there is no such application; see: cadastre launch applications")
	}
	status := registry.ApplicationStatus(c.GetStatus())
	if err := policy.CheckStep(a.Status, status); err != nil {
		return nil, err
	}
	next := *a
	next.Status, next.StatusName, next.StatusAt = status, c.GetStatusName(), r.now
	result := ok()
	if status == registry.ApplicationAllocated {
		if err := r.allocate(&next); err != nil {
			return nil, err
		}
		result.Roid, result.ExpiresAtMs = string(next.Domain.ROID), next.Domain.ExpiresAt.UnixMilli()
	} else if status.IsFinal() {
		r.releaseRow(a.ReservedRow)
		next.ReservedRow = 0
	}
	r.tx.PutApplication(&next)
	r.notifyApplication(&next)
	return result, nil
}

// allocate makes the domain that the application is for. What it names may have gone since.
func (r *run) allocate(a *registry.Application) error {
	domain := a.Domain
	if r.tx.HasDomain(domain.Name) {
		return refuse(registry.CodeObjectExists, "name", string(domain.Name), "the name is registered; reject the application")
	}
	tld, err := r.requireTLD(domain.TLD)
	if err != nil {
		return err
	}
	if variants := r.variantsOf(tld, &domain); len(variants) > 0 {
		if err := policy.CheckVariant(tld, domain.Name, domain.Sponsor, variants); err != nil {
			return err
		}
	}
	if err := r.requireLinksOf(&domain); err != nil {
		return err
	}
	reserved := r.releaseRow(a.ReservedRow)
	row := r.post(store.LedgerRow{
		Kind: store.LedgerCreate, From: store.RegistrarAccount(domain.Sponsor), To: store.AccountRevenue,
		AmountMinor: reserved.AmountMinor, Currency: reserved.Currency, Object: string(domain.Name), Years: a.PeriodYears, At: r.now,
	})
	a.ReservedRow = 0
	domain.Statuses = domain.Statuses.Without(registry.StatusPendingCreate)
	domain.CreatedAt, domain.ExpiresAt = r.now, policy.AddYears(r.now, a.PeriodYears)
	domain.Graces = []registry.Grace{{Kind: registry.GraceAdd, EndsAt: policy.AddDays(r.now, tld.Policy.AddGraceDays), ChargeRow: row}}
	r.countAdd(&domain)
	r.tx.PutDomain(nil, &domain)
	r.markDelegationDirty(&domain, nil)
	if tld.Policy.SacrificialDomain != "" {
		r.returnHosts(&domain)
	}
	a.Domain = domain
	return nil
}

// requireLinksOf says whether the contacts and hosts that an application names are still
// there, the contacts with its sponsor.
func (r *run) requireLinksOf(d *registry.Domain) error {
	contacts := []registry.ContactID{}
	if d.Registrant != "" {
		contacts = append(contacts, d.Registrant)
	}
	for _, link := range d.Contacts {
		contacts = append(contacts, link.ID)
	}
	for _, id := range contacts {
		if contact, found := r.tx.Contact(id); !found || contact.Sponsor != d.Sponsor {
			return refuse(registry.CodeAssociationForbids, "contact", string(id), "the applicant no longer has the contact that the application names; it must change the application")
		}
	}
	for _, host := range d.NameServers {
		if _, found := r.tx.Host(host); !found {
			return refuse(registry.CodeAssociationForbids, "ns", string(host), "the host that the application names is gone; the applicant must change the application")
		}
	}
	return nil
}
