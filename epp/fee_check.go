package epp

import (
	"errors"
	"fmt"

	"cadastre/epp/eppxml"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// maxFeeCommands bounds the commands whose fees one check asks for, several times what there is.
const maxFeeCommands = 20

// standardClass is the class of names at the usual prices (RFC 8748 section 3.7).
const standardClass = "standard"

// What fees are called.
const (
	feeRegistration = "Registration fee"
	feeRenewal      = "Renewal fee"
	feeTransfer     = "Transfer fee"
	feeRestore      = "Restore fee"
	feeRefund       = "Refund"
)

// checkFees answers <fee:check> for the names of a domain check (RFC 8748 section 5.1.1).
// All fees of an answer are in one currency: the one asked for or else that of the first name.
func (c *call) checkFees(tx *store.ReadTx, q *eppxml.FeeCheck, names []string) *eppxml.FeeChkData {
	data := &eppxml.FeeChkData{Currency: q.Currency}
	for _, name := range names {
		o := eppxml.FeeObject{ID: name}
		canonical, err := registry.ParseDomainName(name)
		tld, inside := tx.TLDOf(canonical)
		switch {
		case err != nil:
			o.Reason = reasonSyntax
		case !inside:
			o.Reason = reasonOutside
		case !c.isFeeKnown(tx, tld, canonical):
			o.Reason = reasonNotAvailable
		case data.Currency != "" && data.Currency != tld.Policy.Currency:
			o.Reason = "Fees are in " + tld.Policy.Currency
		default:
			data.Currency = tld.Policy.Currency
			c.quoteFees(tx, tld, canonical, q.Commands, &o)
		}
		data.Objects = append(data.Objects, o)
	}
	if data.Currency == "" { // no name has a price; the element is required nevertheless
		if registrar, found := tx.Registrar(c.registrar); found {
			data.Currency = registrar.Currency
		}
	}
	return data
}

// feeSubject is the name that fees are asked of.
type feeSubject struct {
	tld *registry.TLD
	// offered are the prices of a new registration, kept those of everything else.
	offered, kept policy.Prices
	// token is the allocation token that the command presents and that applies, nil for none.
	token *registry.AllocationToken
	// renewsOnRestore says that a restore would renew the domain too.
	renewsOnRestore bool
}

// isFeeKnown says whether the name is registered, or could be with what the command presents.
func (c *call) isFeeKnown(tx *store.ReadTx, tld *registry.TLD, name registry.DomainName) bool {
	token, _ := c.checkedToken(tx, tld, name)
	return tx.HasDomain(name) || policy.CheckAllocatable(tx, tld, name, token) == nil
}

func (c *call) quoteFees(tx *store.ReadTx, tld *registry.TLD, name registry.DomainName, commands []eppxml.FeeCommand, o *eppxml.FeeObject) {
	s := &feeSubject{tld: tld, offered: policy.PricesOfNew(tx, tld, name)}
	s.kept = s.offered
	s.token, _ = c.checkedToken(tx, tld, name)
	if domain, found := tx.Domain(name); found {
		s.kept = policy.PricesOf(tx, tld, domain)
		s.renewsOnRestore = !domain.ExpiresAt.After(tx.Now())
	}
	o.Avail, o.Class = true, standardClass
	if s.kept.IsPremium() {
		o.Class = s.kept.Class
	}
	for i := range commands {
		o.Commands = append(o.Commands, s.quote(&commands[i]))
	}
}

// quote returns what one command costs, or why it is not possible.
func (s *feeSubject) quote(command *eppxml.FeeCommand) eppxml.FeeQuote {
	q := eppxml.FeeQuote{FeeCommand: *command, Standard: !s.kept.IsPremium()}
	if command.Name == eppxml.FeeCreate {
		q.Standard = !s.offered.IsPremium()
	}
	years, err := periodYears(command.Period)
	switch {
	case err != nil:
		q.Reason = "Periods are in years"
	case (command.Phase != "" || command.Subphase != "") && !policy.HasPhase(s.tld, registry.Phase{Type: command.Phase, Name: command.Subphase}):
		q.Reason = "No such phase"
	default:
		err = s.fillQuote(&q, years)
	}
	if known, refused := errors.AsType[*registry.Error](err); refused && q.Reason == "" {
		q.Reason = known.Reason
	}
	if q.Reason != "" {
		q.Standard = false
	}
	return q
}

// fillQuote sets fees and period; 0 years stand for the usual period.
func (s *feeSubject) fillQuote(q *eppxml.FeeQuote, years uint32) (err error) {
	p := &s.tld.Policy
	switch q.Name {
	case eppxml.FeeCreate, eppxml.FeeRenew:
		if years, err = policy.PeriodYears(s.tld, years); err != nil {
			return err
		}
		if q.Name == eppxml.FeeCreate {
			q.Fees = []eppxml.Fee{refundableFee(feeRegistration, policy.TokenPriceMinor(s.token, s.offered.CreateMinor(years), years), p.AddGraceDays)}
		} else {
			q.Fees = []eppxml.Fee{refundableFee(feeRenewal, s.kept.RenewMinor(years), p.RenewGraceDays)}
		}
	case eppxml.FeeTransfer:
		if years, err = policy.TransferPeriodYears(s.tld, years); err != nil {
			return err
		}
		q.Fees = []eppxml.Fee{refundableFee(feeTransfer, policy.TokenPriceMinor(s.token, s.kept.TransferMinor(years), years), p.TransferGraceDays)}
	case eppxml.FeeRestore:
		years = 0
		q.Fees = []eppxml.Fee{refundableFee(feeRestore, s.kept.RestoreMinor(), 0)}
		if s.renewsOnRestore {
			q.Fees = append(q.Fees, refundableFee(feeRenewal, s.kept.RenewMinor(1), 0))
		}
	case eppxml.FeeUpdate, eppxml.FeeDelete:
		years = 0
		q.Fees = []eppxml.Fee{{Amount: registry.FormatMinorUnits(0)}}
	default:
		return refuse(registry.CodeUnimplementedOption, "command", "", "No such command")
	}
	q.Period = eppxml.Period{}
	if years > 0 {
		q.Period = eppxml.Period{Count: int(years), Unit: eppxml.UnitYear}
	}
	return nil
}

// refundableFee is a fee that is given back if the domain is deleted within the days; 0: it
// is not.
func refundableFee(description string, minor int64, graceDays uint32) eppxml.Fee {
	refundable := graceDays > 0
	f := eppxml.Fee{Amount: registry.FormatMinorUnits(minor), Description: description, Refundable: &refundable}
	if refundable {
		f.GracePeriod = fmt.Sprintf("P%dD", graceDays)
	}
	return f
}
