package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cadastre/registry"
	"cadastre/store"
)

func TestROIDsOfOutliveTheObjects(t *testing.T) {
	st := open(t, t.TempDir())
	domain := func(roid registry.ROID) *registry.Domain {
		return &registry.Domain{Provenance: registry.Provenance{ROID: roid, Sponsor: "reg-a"}, Name: "one.example", TLD: "example", ExpiresAt: now()}
	}
	host := &registry.Host{Provenance: registry.Provenance{ROID: "H1-EX"}, Name: "one.example"}
	write(t, st, 1, func(tx *store.Tx) { tx.PutDomain(nil, domain("D1-EX")); tx.PutHost(nil, host) })
	write(t, st, 2, func(tx *store.Tx) { tx.DeleteDomain(domain("D1-EX")) })
	write(t, st, 300, func(tx *store.Tx) { tx.PutDomain(nil, domain("D2-EX")) })
	renamed := *host
	renamed.Name = "two.example"
	write(t, st, 301, func(tx *store.Tx) { tx.DeleteHost(host); tx.PutHost(nil, &renamed) })
	write(t, st, 302, func(tx *store.Tx) { tx.DeleteHost(&renamed); tx.PutHost(nil, host) })
	write(t, st, 303, func(tx *store.Tx) {
		tx.PutContact(nil, &registry.Contact{Provenance: registry.Provenance{ROID: "C1-EX"}, ID: "One"})
	})
	view(t, st, func(tx *store.ReadTx) {
		for _, test := range []struct {
			kind registry.ObjectKind
			key  string
			want []registry.ROID
		}{
			{registry.KindDomain, "one.example", []registry.ROID{"D1-EX", "D2-EX"}},
			{registry.KindHost, "one.example", []registry.ROID{"H1-EX"}},
			{registry.KindHost, "two.example", []registry.ROID{"H1-EX"}},
			{registry.KindContact, registry.ContactID("ONE").Key(), []registry.ROID{"C1-EX"}},
			{registry.KindDomain, "one", nil},
		} {
			if diff := cmp.Diff(test.want, tx.ROIDsOf(test.kind, test.key)); diff != "" {
				t.Errorf("%v %s (-want +got):\n%s", test.kind, test.key, diff)
			}
		}
		if diff := cmp.Diff(tx.StateHash(), tx.VerifyStateHash()); diff != "" {
			t.Errorf("the kept hash is not that of the rows:\n%s", diff)
		}
	})
}

func TestEachLedgerRowSumsToTheBalance(t *testing.T) {
	st := open(t, t.TempDir())
	account := store.RegistrarAccount("reg-a")
	write(t, st, 1, func(tx *store.Tx) {
		tx.PostLedger(store.LedgerRow{Kind: store.LedgerDeposit, From: store.AccountBank, To: account, AmountMinor: 500, Currency: "EUR", At: now()})
		tx.PostLedger(store.LedgerRow{Kind: store.LedgerDeposit, From: store.AccountBank, To: store.RegistrarAccount("reg-ab"), AmountMinor: 7, Currency: "EUR", At: now()})
		tx.PostLedger(store.LedgerRow{Kind: store.LedgerCreate, From: account, To: store.AccountRevenue, AmountMinor: 30, Currency: "EUR", At: now()})
	})
	view(t, st, func(tx *store.ReadTx) {
		var sum int64
		var numbers []uint64
		tx.EachLedgerRow(account, func(row *store.LedgerRow) bool {
			numbers = append(numbers, row.Number)
			if row.To == account {
				sum += row.AmountMinor
			} else {
				sum -= row.AmountMinor
			}
			return true
		})
		if sum != tx.BalanceMinor(account, "EUR") || len(numbers) != 2 || numbers[0] >= numbers[1] {
			t.Errorf("rows %v sum to %d, the balance is %d", numbers, sum, tx.BalanceMinor(account, "EUR"))
		}
	})
}
