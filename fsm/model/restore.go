package model

import (
	"slices"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// restorable says whether the registrar may go on with a restore of the domain in the phase.
func (m *Model) restorable(actor string, d *Domain, phase string) registry.Code {
	switch {
	case d == nil:
		return registry.CodeObjectDoesNotExist
	case d.Sponsor != actor:
		return registry.CodeAuthorization
	case slices.Contains(d.Statuses, "serverUpdateProhibited"), d.Phase != phase:
		return registry.CodeStatusProhibits
	default:
		return registry.CodeOK
	}
}

// restoreRequest is RFC 3915 section 4.2.5; the renewal of an expired name must be payable.
func (m *Model) restoreRequest(actor string, c *fsmpb.DomainRestoreRequest) registry.Code {
	d := m.Domains[c.GetName()]
	if code := m.restorable(actor, d, "redemption"); code != registry.CodeOK {
		return code
	}
	if !m.Registrars[actor].Accredited {
		return registry.CodeAuthorization
	}
	price := d.Prices.RestoreMinor
	if !d.ExpiresAt.After(m.Now) {
		price += d.Prices.RenewMinor
	}
	if code := m.pay(actor, d.Prices, c.GetFee(), price); code != registry.CodeOK {
		return code
	}
	m.charge("restore", actor, d.Name, 0, d.Prices.RestoreMinor)
	d.RedemptionLeft = d.PhaseEndsAt.Sub(m.Now)
	d.Phase, d.PhaseEndsAt = "pendingRestore", m.days(m.Policy.RestoreReportDays)
	return registry.CodeOK
}

func (m *Model) restoreReport(actor string, c *fsmpb.DomainRestoreReport) registry.Code {
	d := m.Domains[c.GetName()]
	if code := m.restorable(actor, d, "pendingRestore"); code != registry.CodeOK {
		return code
	}
	switch {
	case c.GetPreData() == "", c.GetPostData() == "", c.GetReason() == "", len(c.GetStatements()) == 0:
		return registry.CodeParameterMissing
	case c.GetDeletedAtMs() > c.GetRestoredAtMs(), c.GetRestoredAtMs() > m.Now.Add(5*time.Minute).UnixMilli():
		return registry.CodeParameterRange
	}
	d.Phase, d.PhaseEndsAt, d.Statuses = "", time.Time{}, without(d.Statuses, "pendingDelete")
	if !d.ExpiresAt.After(m.Now) {
		m.charge("renew", actor, d.Name, 1, d.Prices.RenewMinor)
		d.ExpiresAt = addYears(d.ExpiresAt, 1)
	}
	return registry.CodeOK
}
