package model

import (
	"fmt"
	"strings"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// Prices are what a name costs, in minor units; create and renew for a year.
type Prices struct {
	CreateMinor, RenewMinor, TransferMinor, RestoreMinor int64
	Premium                                              bool
}

// Row is one movement of money. Text tells what a refund or release undoes.
type Row struct {
	Kind, From, To string
	AmountMinor    int64
	Object         string
	Years          int
	At             time.Time
	Undoes         *Row
}

// String shows the row as comparisons have it.
func (r *Row) String() string {
	undone := ""
	if r.Undoes != nil {
		undone = fmt.Sprintf(" undoes (%s)", r.Undoes)
	}
	return fmt.Sprintf("%s %s->%s %d for %s, %d years, at %s%s", r.Kind, r.From, r.To, r.AmountMinor, r.Object, r.Years, r.At.Format(time.RFC3339), undone)
}

// post moves money between the accounts.
func (m *Model) post(row *Row) *Row {
	row.At = m.Now
	for account, sign := range map[string]int64{row.From: -1, row.To: 1} {
		if r := m.Registrars[account]; r != nil {
			r.BalanceMinor += sign * row.AmountMinor
		}
	}
	m.Ledger = append(m.Ledger, row)
	return row
}

// Deposit is money that a registrar pays in.
func (m *Model) Deposit(registrar string, amount int64) {
	tell := m.lowBalances()
	m.post(&Row{Kind: "deposit", From: "bank", To: registrar, AmountMinor: amount})
	tell()
}

func (m *Model) charge(kind, registrar, object string, years int, amount int64) *Row {
	return m.post(&Row{Kind: kind, From: registrar, To: "revenue", AmountMinor: amount, Object: object, Years: years})
}

// undo gives money back.
func (m *Model) undo(kind string, row *Row) {
	m.post(&Row{Kind: kind, From: row.To, To: row.From, AmountMinor: row.AmountMinor, Object: row.Object, Years: row.Years, Undoes: row})
}

// listed are the prices of a free name.
func (m *Model) listed(name string) Prices {
	if p, found := m.Policy.Premium[strings.TrimSuffix(name, "."+m.Policy.TLD)]; found {
		p.Premium, p.TransferMinor = true, p.RenewMinor
		return p
	}
	return Prices{CreateMinor: m.Policy.CreatePriceMinor, RenewMinor: m.Policy.RenewPriceMinor, TransferMinor: m.Policy.TransferPriceMinor, RestoreMinor: m.Policy.RestorePriceMinor}
}

// pay says whether the registrar agrees to the price (RFC 8748 section 3.4: a premium name
// asks for a fee, and a fee that is too low or of another currency is refused) and can pay.
func (m *Model) pay(actor string, p Prices, fee *fsmpb.Fee, price int64) registry.Code {
	switch {
	case fee == nil && p.Premium:
		return registry.CodeParameterMissing
	case fee != nil && (fee.GetCurrency() != "" && fee.GetCurrency() != "EUR" || fee.GetAmountMinor() < price):
		return registry.CodeParameterRange
	case m.Registrars[actor].BalanceMinor+m.Registrars[actor].CreditMinor < price:
		return registry.CodeBilling
	}
	return registry.CodeOK
}

// lowBalances notes who is above the threshold; the result tells those who are below it then.
func (m *Model) lowBalances() (tell func()) {
	low := func(r *Registrar) bool { return r.BalanceMinor < r.LowBalanceMinor }
	was := map[string]bool{}
	for id, r := range m.Registrars {
		was[id] = low(r)
	}
	return func() {
		for id, r := range m.Registrars {
			if low(r) && !was[id] {
				m.tell(id, "low balance", id, fmt.Sprintf("%d of %d, credit %d", r.BalanceMinor, r.LowBalanceMinor, r.CreditMinor))
			}
		}
	}
}
