package fsm

import (
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// requirePayment says whether the registrar agrees to the price, as far as it must, and can
// pay it.
func (r *run) requirePayment(tld *registry.TLD, registrar *registry.Registrar, prices *policy.Prices, agreed *fsmpb.Fee, priceMinor int64) error {
	var fee *policy.Fee
	if agreed != nil {
		fee = &policy.Fee{AmountMinor: agreed.GetAmountMinor(), Currency: agreed.GetCurrency()}
	}
	if err := policy.CheckFee(tld, prices, fee, priceMinor); err != nil {
		return err
	}
	return r.requireCredit(tld, registrar, priceMinor)
}

// settled says in the result what was charged to the acting registrar (negative: given back)
// and how its account stands.
func (r *run) settled(result *fsmpb.Result, tld *registry.TLD, chargedMinor int64, years uint32) {
	result.ChargedMinor, result.Currency, result.PeriodYears = chargedMinor, tld.Policy.Currency, years
	if registrar, found := r.tx.Registrar(r.registrarID()); found {
		result.Account = &fsmpb.Account{
			BalanceMinor:     r.tx.BalanceMinor(store.RegistrarAccount(registrar.ID), registrar.Currency),
			CreditLimitMinor: registrar.CreditLimit, Currency: registrar.Currency,
		}
	}
}

// requireCredit says whether the registrar can pay the amount.
func (r *run) requireCredit(tld *registry.TLD, registrar *registry.Registrar, amountMinor int64) error {
	if registrar.Currency != tld.Policy.Currency {
		return refuse(registry.CodeBilling, "currency", registrar.Currency, "the registrar's account is not in %s, the currency of .%s", tld.Policy.Currency, tld.Name)
	}
	balance := r.tx.BalanceMinor(store.RegistrarAccount(registrar.ID), registrar.Currency)
	if balance+registrar.CreditLimit < amountMinor {
		return refuse(registry.CodeBilling, "balance", registry.FormatMinorUnits(balance), "the account and its credit limit do not cover %s %s",
			registry.FormatMinorUnits(amountMinor), registrar.Currency)
	}
	return nil
}

// charge moves the amount from the registrar to the registry and returns the ledger row.
func (r *run) charge(tld *registry.TLD, registrar registry.RegistrarID, kind store.LedgerKind, name registry.DomainName, years uint32, amountMinor int64) uint64 {
	return r.post(store.LedgerRow{
		Kind: kind, From: store.RegistrarAccount(registrar), To: store.AccountRevenue, AmountMinor: amountMinor,
		Currency: tld.Policy.Currency, Object: string(name), Years: years, At: r.now,
	})
}

// refundGraces undoes the charges of every grace period that still runs and returns the
// sum in minor units.
func (r *run) refundGraces(d *registry.Domain, at time.Time) int64 {
	var sum int64
	for _, g := range runningGraces(d.Graces, at) {
		sum += r.refundGrace(g)
	}
	return sum
}

// refundGrace undoes the charge of a grace period and returns it in minor units.
func (r *run) refundGrace(g registry.Grace) int64 {
	row, found := r.tx.LedgerRow(g.ChargeRow)
	if !found {
		return 0 // nothing was charged
	}
	r.post(store.LedgerRow{
		Kind: store.LedgerRefund, From: row.To, To: row.From, AmountMinor: row.AmountMinor,
		Currency: row.Currency, Object: row.Object, Years: row.Years, Undoes: row.Number, At: r.now,
	})
	return row.AmountMinor
}

// runningGraces returns the grace periods that have not ended at the given time.
func runningGraces(graces []registry.Grace, at time.Time) []registry.Grace {
	var running []registry.Grace
	for _, g := range graces {
		if g.EndsAt.After(at) {
			running = append(running, g)
		}
	}
	return running
}
