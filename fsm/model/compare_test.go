package model_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"cadastre/fsm/model"
	"cadastre/registry"
	"cadastre/store"
)

// moneyAndMessages lists what both sides have: the ledger rows since the last comparison, in
// any order, because one command may write several, and the messages that wait, in theirs.
func (p *pair) moneyAndMessages(tx *store.ReadTx) (want, got []string) {
	p.t.Helper()
	for _, row := range p.model.Ledger[p.ledgerSeen:] {
		want = append(want, row.String())
	}
	p.ledgerSeen = len(p.model.Ledger)
	for {
		row, found := tx.LedgerRow(p.nextRow)
		if !found {
			break
		}
		p.nextRow++
		got = append(got, rowText(tx, row))
	}
	slices.Sort(want)
	slices.Sort(got)
	for _, id := range registrars() {
		r := p.model.Registrars[id]
		queue := tx.PollQueue(registry.RegistrarID(id))
		want = append(want, fmt.Sprintf("%s: %d messages from %d", id, len(r.Queue), r.Acknowledged+1))
		head := queue.Head
		if queue.Count == 0 {
			head = r.Acknowledged + 1 // of an empty queue it says nothing
		}
		got = append(got, fmt.Sprintf("%s: %d messages from %d", id, queue.Count, head))
		for n := first(uint64(len(r.Queue))); n < uint64(len(r.Queue)); n++ {
			message := r.Queue[n]
			want = append(want, fmt.Sprintf("%s %d: %s %s", id, r.Acknowledged+1+n, message.At.Format(time.RFC3339), message.Text))
		}
		for n := first(queue.Count); n < queue.Count; n++ {
			if m, found := tx.PollMessage(registry.RegistrarID(id), queue.Head+n); found {
				got = append(got, fmt.Sprintf("%s %d: %s", id, queue.Head+n, messageText(m)))
			}
		}
	}
	return want, got
}

// newestMessages bounds the messages of a queue that each comparison looks at: older ones
// were compared when they were new.
const newestMessages = 6

func first(count uint64) uint64 {
	if count > newestMessages {
		return count - newestMessages
	}
	return 0
}

func rowText(tx *store.ReadTx, row *store.LedgerRow) string {
	kind := map[store.LedgerKind]string{
		store.LedgerDeposit: "deposit", store.LedgerCreate: "create", store.LedgerRenew: "renew", store.LedgerAutoRen: "autoRenew", store.LedgerTransfer: "transfer",
		store.LedgerRestore: "restore", store.LedgerRefund: "refund", store.LedgerReserve: "reserve", store.LedgerRelease: "release",
	}[row.Kind]
	undone := ""
	if before, found := tx.LedgerRow(row.Undoes); found {
		undone = fmt.Sprintf(" undoes (%s)", rowText(tx, before))
	}
	account := func(a store.Account) string {
		_, name, _ := strings.Cut(string(a), ":")
		return name
	}
	return fmt.Sprintf("%s %s->%s %d for %s, %d years, at %s%s", kind, account(row.From), account(row.To), row.AmountMinor, row.Object, row.Years, row.At.Format(time.RFC3339), undone)
}

func transferText(t *registry.Transfer) string {
	if t == nil {
		return "none"
	}
	return fmt.Sprintf("%s %s->%s requested %s act %s expires %s", t.Status, t.Losing, t.Requester, day(t.RequestedAt), day(t.ActAt), day(t.ExpiresAt))
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339)
}

func messageText(m *registry.PollMessage) string {
	head := func(kind string) string { return fmt.Sprintf("%s %s %s", m.At.Format(time.RFC3339), kind, m.Key) }
	times := fmt.Sprintf("expires %s act %s", day(m.ExpiresAt), day(m.ActAt))
	switch m.Kind {
	case registry.PollTransfer:
		return head("transfer") + " " + transferText(m.Transfer)
	case registry.PollAutoRenew:
		return head("auto-renewal") + " " + times
	case registry.PollExpired:
		return head("expired") + " " + times
	case registry.PollRedemption:
		return head("redemption") + " " + times
	case registry.PollPurge:
		return head("purge") + fmt.Sprintf(" %s by command %v", times, m.Action.Index != 0)
	case registry.PollRestoreLapsed:
		return head("restore lapsed") + " " + times
	case registry.PollChange:
		return head("change") + " " + map[registry.ChangeState]string{registry.ChangeBefore: "before", registry.ChangeAfter: "after"}[m.Change.State]
	case registry.PollLowBalance:
		b := m.LowBalance
		return head("low balance") + fmt.Sprintf(" %d of %d, credit %d", b.BalanceMinor, b.ThresholdMinor, b.CreditLimitMinor)
	default:
		return head(fmt.Sprint("of kind ", m.Kind))
	}
}

func secretText(a registry.AuthInfo) string {
	if len(a.Hash) == 0 {
		return "-"
	}
	return fmt.Sprintf("%x until %s", a.Hash[0], day(a.ExpiresAt))
}

func modelSecretText(s model.Secret) string {
	if s.Value == "" {
		return "-"
	}
	return fmt.Sprintf("%x until %s", s.Value[len(s.Value)-1], day(s.ExpiresAt))
}

func dsTexts(records []registry.DelegationSigner) []string {
	var out []string
	for _, ds := range records {
		out = append(out, fmt.Sprintf("%d/%d/%d/%x", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest))
	}
	return out
}

// step compares everything after one step.
func (p *pair) step(what string) {
	p.t.Helper()
	var want, got []string
	err := p.store.View(func(tx *store.ReadTx) error {
		want, got = p.moneyAndMessages(tx)
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if !slices.Equal(want, got) {
		p.t.Fatalf("after %s (-model +state machine):\n%s", what, cmp.Diff(want, got))
	}
	p.compare(what)
}
