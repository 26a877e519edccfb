package fsm

import (
	"math"
	"time"

	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// pendingDomain returns a domain, of which a transfer may be pending.
func (r *run) pendingDomain(name string) (*registry.Domain, *registry.TLD, error) {
	domain, found := r.tx.Domain(registry.DomainName(name))
	if !found {
		return nil, nil, refuse(registry.CodeObjectDoesNotExist, "name", name, "the name is not registered")
	}
	tld, err := r.requireTLD(domain.TLD)
	return domain, tld, err
}

// completeDomainTransfer gives the domain, and the hosts below it, to the registrar that
// asked for it. Its contacts stay with their sponsor. The transfer adds to the term and is
// charged; an automatic renewal whose grace period runs is undone and given back to the
// losing registrar. What the losing registrar knew as authorisation information is void, and
// its organisations have no part in the domain any more.
func (r *run) completeDomainTransfer(tld *registry.TLD, d *registry.Domain, status registry.TransferStatus, at time.Time) *registry.Domain {
	voided, voidedYears := r.voidAutoRenewals(d, at)
	before := r.undoneTerm(d.ExpiresAt, voided)
	expiresAt := policy.CapTerm(at, d.ExpiresAt, policy.TransferExpiry(d.ExpiresAt, d.Transfer.PeriodYears, voidedYears))
	reserved := r.releaseReserved(d.Transfer)
	row := r.post(store.LedgerRow{
		Kind: store.LedgerTransfer, From: store.RegistrarAccount(d.Transfer.Requester), To: store.AccountRevenue,
		AmountMinor: reserved.AmountMinor, Currency: reserved.Currency, Object: string(d.Name), Years: d.Transfer.PeriodYears, At: r.now,
	})
	next := *d
	next.Transfer = ended(d.Transfer, status, at, expiresAt)
	next.Sponsor, next.TransferredAt, next.ExpiresAt = d.Transfer.Requester, at, expiresAt
	next.ExpiryGraceEndsAt = time.Time{}
	next.AuthInfo, next.Orgs = registry.AuthInfo{}, nil
	if gaining, found := r.tx.Registrar(next.Sponsor); found && policy.IsThin(tld, gaining) {
		next.Registrant, next.Contacts = "", nil // the gaining registrar keeps them itself
	}
	next.Statuses = d.Statuses.Without(registry.StatusPendingTransfer)
	grace := registry.Grace{Kind: registry.GraceTransfer, EndsAt: policy.AddDays(at, tld.Policy.TransferGraceDays), ChargeRow: row}
	grace.RevertsTo = r.revertsTo(before, expiresAt, d.Transfer.PeriodYears)
	next.Graces = []registry.Grace{grace}
	r.tx.PutDomain(d, &next)
	r.moveSubordinateHosts(&next, at)
	r.notifyDomainTransfer(&next)
	return &next
}

// failDomainTransfer ends a transfer that leaves the domain where it is.
func (r *run) failDomainTransfer(d *registry.Domain, status registry.TransferStatus, at time.Time) *registry.Domain {
	r.releaseReserved(d.Transfer)
	next := *d
	next.Transfer = ended(d.Transfer, status, at, time.Time{})
	next.Statuses = d.Statuses.Without(registry.StatusPendingTransfer)
	r.tx.PutDomain(d, &next)
	r.notifyDomainTransfer(&next)
	return &next
}

// voidAutoRenewals refunds the automatic renewals whose grace period runs and returns these
// and by how many years they had extended the registration.
func (r *run) voidAutoRenewals(d *registry.Domain, at time.Time) (voided []registry.Grace, years uint32) {
	for _, g := range runningGraces(d.Graces, at) {
		if g.Kind == registry.GraceAutoRenew {
			r.refundGrace(g)
			voided, years = append(voided, g), years+autoRenewYears
		}
	}
	return voided, years
}

// reserve sets the price of a transfer aside, so that the requester can pay whenever it ends.
func (r *run) reserve(tld *registry.TLD, d *registry.Domain, years uint32, amountMinor int64) uint64 {
	return r.post(store.LedgerRow{
		Kind: store.LedgerReserve, From: store.RegistrarAccount(r.registrarID()), To: store.AccountReserved,
		AmountMinor: amountMinor, Currency: tld.Policy.Currency, Object: string(d.Name), Years: years, At: r.now,
	})
}

// releaseReserved gives the price back and returns the row that had set it aside.
func (r *run) releaseReserved(t *registry.Transfer) store.LedgerRow {
	return r.releaseRow(t.ReservedRow)
}

// releaseRow is releaseReserved for the number of a row.
func (r *run) releaseRow(number uint64) store.LedgerRow {
	row, found := r.tx.LedgerRow(number)
	if !found {
		return store.LedgerRow{}
	}
	r.post(store.LedgerRow{
		Kind: store.LedgerRelease, From: row.To, To: row.From, AmountMinor: row.AmountMinor,
		Currency: row.Currency, Object: row.Object, Years: row.Years, Undoes: row.Number, At: r.now,
	})
	return *row
}

// moveSubordinateHosts gives the hosts below a domain to its new sponsor (RFC 5732 section
// 2): all of them, because one left behind would lie below a domain of somebody else.
func (r *run) moveSubordinateHosts(d *registry.Domain, at time.Time) {
	for _, name := range r.tx.SubordinateHosts(d.Name, math.MaxInt) {
		host, found := r.tx.Host(name)
		if !found {
			continue
		}
		next := *host
		next.Sponsor, next.TransferredAt, next.Orgs = d.Sponsor, at, nil
		r.tx.PutHost(host, &next)
	}
}

func (r *run) notifyDomainTransfer(d *registry.Domain) {
	for _, told := range toldOfEnd(d.Transfer) {
		r.notifyDomain(told, d, registry.PollMessage{Kind: registry.PollTransfer, Transfer: d.Transfer})
	}
}
