package model

import (
	"slices"
	"strings"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// registrable says whether the name can be registered at all.
func (m *Model) registrable(name string) bool {
	label, inside := strings.CutSuffix(name, "."+m.Policy.TLD)
	return inside && !strings.Contains(label, ".") && !slices.Contains(m.Policy.Reserved, label) &&
		(len(label) < 4 || label[2:4] != "--")
}

func (m *Model) years(requested uint32) (uint32, bool) {
	if requested == 0 {
		requested = m.Policy.MinYears
	}
	return requested, requested >= m.Policy.MinYears && requested <= m.Policy.MaxYears
}

func addYears(t time.Time, years int) time.Time {
	later := t.AddDate(years, 0, 0)
	if later.Day() != t.Day() { // 29 February
		later = later.AddDate(0, 0, -later.Day())
	}
	return later
}

func (m *Model) days(n uint32) time.Time { return m.Now.Add(time.Duration(n) * 24 * time.Hour) }

func (m *Model) linkable(actor, id string) registry.Code {
	contact := m.Contacts[strings.ToLower(id)]
	switch {
	case contact == nil:
		return registry.CodeObjectDoesNotExist
	case contact.Sponsor != actor:
		return registry.CodeAuthorization
	default:
		return registry.CodeOK
	}
}

// link adds contacts and name servers to the domain.
func (m *Model) link(actor string, d *Domain, contacts []*fsmpb.DomainContact, servers []string) registry.Code {
	for _, c := range contacts {
		if code := m.linkable(actor, c.GetId()); code != registry.CodeOK {
			return code
		}
		entry := c.GetRole() + ":" + m.Contacts[strings.ToLower(c.GetId())].ID
		if slices.Contains(d.Contacts, entry) {
			return registry.CodeParameterPolicy
		}
		d.Contacts = append(d.Contacts, entry)
	}
	if len(d.Contacts) > m.Policy.MaxContacts {
		return registry.CodeParameterPolicy
	}
	for _, name := range servers {
		if slices.Contains(d.NameServers, name) {
			return registry.CodeParameterPolicy
		}
		if m.Hosts[name] == nil {
			return registry.CodeObjectDoesNotExist
		}
		d.NameServers = append(d.NameServers, name)
	}
	if n := len(d.NameServers); n > m.Policy.MaxNameServers || n > 0 && n < m.Policy.MinNameServers {
		return registry.CodeParameterPolicy
	}
	return registry.CodeOK
}

func (m *Model) setRegistrant(actor string, d *Domain, id string) registry.Code {
	if id == "" {
		d.Registrant = ""
		if m.Policy.RegistrantRequired {
			return registry.CodeParameterMissing
		}
		return registry.CodeOK
	}
	if code := m.linkable(actor, id); code != registry.CodeOK {
		return code
	}
	d.Registrant = m.Contacts[strings.ToLower(id)].ID
	return registry.CodeOK
}

func (m *Model) domainCreate(actor string, c *fsmpb.DomainCreate) registry.Code {
	if !strings.HasSuffix(c.GetName(), "."+m.Policy.TLD) {
		return registry.CodeParameterPolicy
	}
	if !m.Registrars[actor].Accredited {
		return registry.CodeAuthorization
	}
	if !m.registrable(c.GetName()) {
		return registry.CodeParameterPolicy
	}
	if m.Domains[c.GetName()] != nil {
		return registry.CodeObjectExists
	}
	years, offered := m.years(c.GetPeriodYears())
	if !offered {
		return registry.CodeParameterRange
	}
	d := &Domain{Name: c.GetName(), ROID: c.GetRoid() + "-EX", Sponsor: actor, ExpiresAt: addYears(m.Now, int(years)), Secret: m.secret(c.GetAuthInfo()), Prices: m.listed(c.GetName())}
	if c.GetAuthInfo().GetWeak() {
		return registry.CodeInvalidAuthInfo
	}
	if code := m.setRegistrant(actor, d, c.GetRegistrant()); code != registry.CodeOK {
		return code
	}
	if code := m.link(actor, d, c.GetContacts(), c.GetNameServers()); code != registry.CodeOK {
		return code
	}
	if code := m.addDS(d, c.GetDs()); code != registry.CodeOK {
		return code
	}
	price := d.Prices.CreateMinor * int64(years)
	if code := m.pay(actor, d.Prices, c.GetFee(), price); code != registry.CodeOK {
		return code
	}
	m.month(actor).Adds++
	d.Graces = []Grace{{Kind: "add", EndsAt: m.days(m.Policy.AddGraceDays), Charge: m.charge("create", actor, d.Name, int(years), price)}}
	m.Domains[d.Name] = d
	return registry.CodeOK
}

func (m *Model) domainUpdate(actor string, c *fsmpb.DomainUpdate) registry.Code {
	d := m.Domains[c.GetName()]
	nothingElse := len(c.GetAddNameServers())+len(c.GetRemoveNameServers())+len(c.GetAddContacts())+len(c.GetRemoveContacts())+
		len(c.GetAddDs())+len(c.GetRemoveDs()) == 0 && c.Registrant == nil && c.AuthInfo == nil && !c.GetRemoveAllDs()
	switch {
	case d == nil:
		return registry.CodeObjectDoesNotExist
	case d.Sponsor != actor:
		return registry.CodeAuthorization
	case !mayUpdate(d.Statuses, nothingElse, c.GetAddStatuses(), c.GetRemoveStatuses()):
		return registry.CodeStatusProhibits
	}
	next := *d
	next.NameServers, next.Contacts = slices.Clone(d.NameServers), slices.Clone(d.Contacts)
	var code registry.Code
	if next.Statuses, code = changeStatuses("domain", d.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses()); code != registry.CodeOK {
		return code
	}
	if code := m.unlink(&next, c); code != registry.CodeOK {
		return code
	}
	if c.Registrant != nil {
		if code := m.setRegistrant(actor, &next, c.GetRegistrant()); code != registry.CodeOK {
			return code
		}
	}
	if code := m.link(actor, &next, c.GetAddContacts(), c.GetAddNameServers()); code != registry.CodeOK {
		return code
	}
	if code := m.changeDS(&next, c); code != registry.CodeOK {
		return code
	}
	if c.GetAuthInfo().GetWeak() {
		return registry.CodeInvalidAuthInfo
	}
	if c.AuthInfo != nil {
		next.Secret = m.secret(c.GetAuthInfo())
	}
	m.Domains[d.Name] = &next
	return registry.CodeOK
}

func (m *Model) unlink(d *Domain, c *fsmpb.DomainUpdate) registry.Code {
	for _, name := range c.GetRemoveNameServers() {
		at := slices.Index(d.NameServers, name)
		if at < 0 {
			return registry.CodeParameterPolicy
		}
		d.NameServers = slices.Delete(d.NameServers, at, at+1)
	}
	for _, contact := range c.GetRemoveContacts() {
		at := slices.IndexFunc(d.Contacts, func(x string) bool { return strings.EqualFold(x, contact.GetRole()+":"+contact.GetId()) })
		if at < 0 {
			return registry.CodeParameterPolicy
		}
		d.Contacts = slices.Delete(d.Contacts, at, at+1)
	}
	return registry.CodeOK
}

func (m *Model) domainDelete(actor string, c *fsmpb.DomainDelete) registry.Code {
	d := m.Domains[c.GetName()]
	switch {
	case d == nil:
		return registry.CodeObjectDoesNotExist
	case d.Sponsor != actor:
		return registry.CodeAuthorization
	case !mayDelete(d.Statuses):
		return registry.CodeStatusProhibits
	}
	for name := range m.Hosts {
		if domain, inside := m.superordinate(name); inside && domain == d.Name {
			return registry.CodeAssociationForbids
		}
	}
	inAddGrace := slices.ContainsFunc(d.Graces, func(g Grace) bool { return g.Kind == "add" && g.EndsAt.After(m.Now) })
	refunds := !inAddGrace || m.refundsAddGrace(actor)
	running := m.running(d.Graces, m.Now)
	d.ExpiresAt = m.without(d.ExpiresAt, running) // what is paid back is not registered any more
	for _, g := range running {
		if refunds {
			m.undo("refund", g.Charge)
		}
	}
	if inAddGrace {
		delete(m.Domains, d.Name)
		return registry.CodeOK
	}
	m.redeem(d, m.Now)
	d.DeletedByCommand = true
	return registry.CodeOKPending
}

// without is when a registration that ends at expires would end without what the grace
// periods were charged for.
func (m *Model) without(expires time.Time, graces []Grace) time.Time {
	for _, g := range slices.Backward(graces) {
		if m.Policy.ExactTerms && g.After.Equal(expires) {
			expires = g.Before
		} else {
			expires = addYears(expires, -g.Charge.Years)
		}
	}
	return expires
}

// month returns the registrar with its counts of this month.
func (m *Model) month(actor string) *Registrar {
	r := m.Registrars[actor]
	if now := m.Now.Format("2006-01"); r.Month != now {
		r.Month, r.Adds, r.Deletes, r.Refunds = now, 0, 0, 0
	}
	return r
}

// refundsAddGrace counts a deletion in the add grace period; money comes back for fifty in a
// month or, if that is more, for a tenth of the registrations that stay.
func (m *Model) refundsAddGrace(actor string) bool {
	r := m.month(actor)
	r.Deletes++
	if r.Refunds >= max(50, (r.Adds-r.Deletes)/10) {
		return false
	}
	r.Refunds++
	return true
}

func (m *Model) redeem(d *Domain, at time.Time) {
	d.Statuses = with(d.Statuses, "pendingDelete")
	d.Phase, d.Graces, d.DeletedByCommand, d.ExpiryGraceEndsAt = "redemption", nil, false, time.Time{}
	d.PhaseEndsAt = at.Add(time.Duration(m.Policy.RedemptionDays) * 24 * time.Hour)
}

func (m *Model) domainRenew(actor string, c *fsmpb.DomainRenew) registry.Code {
	d := m.Domains[c.GetName()]
	switch {
	case d == nil:
		return registry.CodeObjectDoesNotExist
	case d.Sponsor != actor, !m.Registrars[actor].Accredited:
		return registry.CodeAuthorization
	case hasAny(d.Statuses, "clientRenewProhibited", "serverRenewProhibited", "pendingDelete", "pendingTransfer"):
		return registry.CodeStatusProhibits
	case d.ExpiresAt.Format(time.DateOnly) != c.GetCurrentExpiryDate():
		return registry.CodeParameterPolicy
	}
	years, offered := m.years(c.GetPeriodYears())
	expiry := addYears(d.ExpiresAt, int(years))
	price := d.Prices.RenewMinor * int64(years)
	switch {
	case !offered:
		return registry.CodeParameterRange
	case expiry.After(addYears(m.Now, 10)):
		return registry.CodeNotRenewable
	}
	if code := m.pay(actor, d.Prices, c.GetFee(), price); code != registry.CodeOK {
		return code
	}
	before := d.ExpiresAt
	d.ExpiresAt, d.ExpiryGraceEndsAt = expiry, time.Time{}
	d.Graces = append(m.running(d.Graces, m.Now), Grace{Kind: "renew", Before: before, After: expiry, EndsAt: m.days(m.Policy.RenewGraceDays), Charge: m.charge("renew", actor, d.Name, int(years), price)})
	return registry.CodeOK
}

func (m *Model) running(graces []Grace, at time.Time) []Grace {
	var out []Grace
	for _, g := range graces {
		if g.EndsAt.After(at) {
			out = append(out, g)
		}
	}
	return out
}
