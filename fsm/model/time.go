package model

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// due is what happens to an object when nobody does anything.
type due struct {
	at      time.Time
	order   int // at one instant: domains first
	name    string
	domain  *Domain
	contact *Contact
}

// Advance lets time pass to now: what falls due happens in order of time, domains before
// contacts, then by name.
func (m *Model) Advance(now time.Time) {
	tell := m.lowBalances()
	m.Now = now
	for {
		var all []due
		for name, d := range m.Domains {
			all = append(all, due{at: m.dueAt(d), name: name, domain: d})
		}
		for key, c := range m.Contacts {
			if c.Transfer.pending() {
				all = append(all, due{at: c.Transfer.ActAt, order: 1, name: key, contact: c})
			}
		}
		all = slices.DeleteFunc(all, func(x due) bool { return x.at.After(now) })
		if len(all) == 0 {
			tell()
			return
		}
		first := slices.MinFunc(all, func(a, b due) int {
			return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order), cmp.Compare(a.name, b.name))
		})
		if first.contact != nil {
			m.endContactTransfer(first.contact, "serverApproved", first.at)
		} else {
			m.happen(first.domain)
		}
	}
}

func (m *Model) dueAt(d *Domain) time.Time {
	at := d.ExpiresAt
	if !d.ExpiryGraceEndsAt.IsZero() {
		at = d.ExpiryGraceEndsAt
	}
	if d.Phase != "" {
		at = d.PhaseEndsAt
	}
	if d.Transfer.pending() && d.Transfer.ActAt.Before(at) {
		at = d.Transfer.ActAt
	}
	return at
}

// happen does what is due for the domain.
func (m *Model) happen(d *Domain) {
	at := m.dueAt(d)
	switch {
	case d.Transfer.pending() && !d.Transfer.ActAt.After(at):
		m.moveDomain(d, "serverApproved", at)
	case d.Phase == "pendingRestore": // the report did not come: the rest of the redemption period runs
		d.Phase, d.PhaseEndsAt = "redemption", at.Add(d.RedemptionLeft)
		m.tell(d.Sponsor, "restore lapsed", d.Name, fmt.Sprintf("expires %s act %s", day(d.ExpiresAt), day(d.PhaseEndsAt)))
	case d.Phase == "redemption":
		d.Phase, d.PhaseEndsAt = "pendingDelete", m.purgeAt(at.Add(time.Duration(m.Policy.PendingDeleteDays)*24*time.Hour))
	case d.Phase == "pendingDelete":
		m.purge(d, at)
	case m.Policy.AutoRenew:
		row := m.charge("autoRenew", d.Sponsor, d.Name, 1, d.Prices.RenewMinor)
		before := d.ExpiresAt
		d.ExpiresAt = addYears(before, 1)
		d.Graces = append(m.running(d.Graces, at), Grace{Kind: "autoRenew", Before: before, After: d.ExpiresAt, Charge: row, EndsAt: at.Add(time.Duration(m.Policy.AutoGraceDays) * 24 * time.Hour)})
		m.tell(d.Sponsor, "auto-renewal", d.Name, fmt.Sprintf("expires %s act %s", day(d.ExpiresAt), day(at)))
	case m.Policy.ExpiryGraceDays > 0 && d.ExpiryGraceEndsAt.IsZero():
		d.ExpiryGraceEndsAt = at.Add(time.Duration(m.Policy.ExpiryGraceDays) * 24 * time.Hour)
		m.tell(d.Sponsor, "expired", d.Name, fmt.Sprintf("expires %s act %s", day(d.ExpiresAt), day(d.ExpiryGraceEndsAt)))
	default:
		if d.Transfer.pending() {
			m.keepDomain(d, "serverCancelled", at)
		}
		m.redeem(d, at)
		m.tell(d.Sponsor, "redemption", d.Name, fmt.Sprintf("expires %s act %s", day(d.ExpiresAt), day(d.PhaseEndsAt)))
	}
}

// purgeAt is when a name becomes free whose pending deletion ends then: at the next time of the
// day at which names are released.
func (m *Model) purgeAt(end time.Time) time.Time {
	if m.Policy.PurgeTime == 0 {
		return end
	}
	at := time.Date(end.Year(), end.Month(), end.Day(), 0, 0, 0, 0, time.UTC).Add(m.Policy.PurgeTime)
	if at.Before(end) {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

// purge frees the name. The hosts below it go too, out of all delegations (RFC 9874), and the
// sponsors of these are told.
func (m *Model) purge(d *Domain, at time.Time) {
	var hosts []string
	for name := range m.Hosts {
		if domain, inside := m.superordinate(name); inside && domain == d.Name {
			hosts = append(hosts, name)
		}
	}
	slices.Sort(hosts)
	var users []string
	for _, host := range hosts {
		for _, name := range slices.Sorted(maps.Keys(m.Domains)) {
			if name != d.Name && !slices.Contains(users, name) && slices.Contains(m.Domains[name].NameServers, host) {
				users = append(users, name)
			}
		}
	}
	for _, host := range hosts {
		delete(m.Hosts, host)
		m.undelegate(host)
	}
	for _, name := range users {
		m.changed(m.Domains[name].Sponsor, name)
	}
	m.tell(d.Sponsor, "purge", d.Name, fmt.Sprintf("expires %s act %s by command %v", day(d.ExpiresAt), day(at), d.DeletedByCommand))
	delete(m.Domains, d.Name)
}
