package fsm

import (
	"cadastre/registry"
	"cadastre/store"
)

// watchedBalance is how the balance of a registrar stood before the command.
type watchedBalance struct {
	registrar registry.RegistrarID
	wasLow    bool
}

// post appends a ledger row and returns its number. All money moves through it, so that
// registrars hear of a low balance.
func (r *run) post(row store.LedgerRow) uint64 {
	for _, account := range []store.Account{row.From, row.To} {
		if id, is := account.Registrar(); is {
			r.watchBalance(id)
		}
	}
	return r.tx.PostLedger(row)
}

// watchBalance remembers how the registrar's balance stands, once for each command: what
// matters is where it is when the command is done, not on the way.
func (r *run) watchBalance(id registry.RegistrarID) {
	for _, w := range r.watched {
		if w.registrar == id {
			return
		}
	}
	registrar, found := r.tx.Registrar(id)
	// To a registrar that is being made nothing has fallen.
	wasLow := !found || isLow(r.tx, registrar)
	r.watched = append(r.watched, watchedBalance{registrar: id, wasLow: wasLow})
}

func isLow(tx *store.Tx, registrar *registry.Registrar) bool {
	return registrar.LowBalanceMinor > 0 && tx.BalanceMinor(store.RegistrarAccount(registrar.ID), registrar.Currency) < registrar.LowBalanceMinor
}

// tellLowBalances puts a message into the queue of every registrar whose balance fell below
// its threshold by the command, or whose threshold was set above its balance.
func (r *run) tellLowBalances() {
	for _, w := range r.watched {
		registrar, found := r.tx.Registrar(w.registrar)
		if !found || w.wasLow || !isLow(r.tx, registrar) {
			continue
		}
		r.notify(registry.PollMessage{
			Registrar: registrar.ID, Kind: registry.PollLowBalance, Object: registry.KindRegistrar, Key: string(registrar.ID), ROID: registrar.ROID,
			LowBalance: &registry.LowBalance{
				BalanceMinor:   r.tx.BalanceMinor(store.RegistrarAccount(registrar.ID), registrar.Currency),
				ThresholdMinor: registrar.LowBalanceMinor, CreditLimitMinor: registrar.CreditLimit, Currency: registrar.Currency,
			},
		})
	}
}
