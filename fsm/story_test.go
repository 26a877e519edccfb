package fsm_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cadastre/registry"
	"cadastre/store"
)

// fileWith returns the file of testdata; what follows its name replaces members of its policy.
func (w *world) fileWith(file string) string {
	w.t.Helper()
	name, members, changed := strings.Cut(file, " ")
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		w.t.Fatal(err)
	}
	if !changed {
		return string(data)
	}
	var document map[string]any
	if err := json.Unmarshal(data, &document); err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	policy := document["policy"].(map[string]any)
	if err := json.Unmarshal([]byte(members), &policy); err != nil {
		w.t.Fatalf("%s: %v", members, err)
	}
	if data, err = json.Marshal(document); err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

// polled shows the messages of a registrar as it gets them, acknowledging each.
func (w *world) polled(id string) string {
	w.t.Helper()
	var out strings.Builder
	w.view(func(tx *store.ReadTx) { showPoll(&out, tx, registry.RegistrarID(id)) })
	for {
		var queue registry.PollQueue
		w.view(func(tx *store.ReadTx) { queue = tx.PollQueue(registry.RegistrarID(id)) })
		if queue.Count == 0 {
			return strings.TrimSpace(out.String())
		}
		w.must(fmt.Sprintf(`%s poll_ack {"sequence": "%d"}`, id, queue.Head))
	}
}

// ledger shows the rows that came since it was last asked, and fails unless each balance is
// the sum of its rows.
func (w *world) ledger() string {
	w.t.Helper()
	var out strings.Builder
	w.view(func(tx *store.ReadTx) {
		balances, sums := map[store.Account]int64{}, map[store.Account]int64{}
		tx.EachBalance(func(account store.Account, _ string, minor int64) { balances[account] = minor })
		for number := uint64(1); ; number++ {
			row, found := tx.LedgerRow(number)
			if !found {
				break
			}
			sums[row.From] -= row.AmountMinor
			sums[row.To] += row.AmountMinor
			if number > w.shownRows {
				w.shownRows = number
				fmt.Fprintln(&out, ledgerText(tx, row))
			}
		}
		for account, sum := range sums {
			if balances[account] != sum {
				w.t.Errorf("the balance of %s is %d, its rows sum to %d", account, balances[account], sum)
			}
		}
	})
	if out.Len() == 0 {
		return "no rows"
	}
	return strings.TrimSpace(out.String())
}

func ledgerText(tx *store.ReadTx, row *store.LedgerRow) string {
	kinds := map[store.LedgerKind]string{
		store.LedgerDeposit: "deposit", store.LedgerCreate: "create", store.LedgerRenew: "renew", store.LedgerAutoRen: "auto-renewal", store.LedgerTransfer: "transfer",
		store.LedgerRestore: "restore", store.LedgerRefund: "refund", store.LedgerReserve: "reserve", store.LedgerRelease: "release",
	}
	text := fmt.Sprintf("%d %s %s %s->%s %s", row.Number, row.At.Format(time.DateOnly), kinds[row.Kind], row.From, row.To, registry.FormatMinorUnits(row.AmountMinor))
	if row.Object != "" {
		text += fmt.Sprintf(" %s %d years", row.Object, row.Years)
	}
	if row.Undoes != 0 {
		text += fmt.Sprintf(" undoes %d", row.Undoes)
		if before, found := tx.LedgerRow(row.Undoes); !found || before.AmountMinor != row.AmountMinor || before.From != row.To || before.Object != row.Object {
			text += ", WHICH IT DOES NOT MATCH"
		}
	}
	return text
}
