package store_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cadastre/registry"
	"cadastre/store"
)

func TestPollQueue(t *testing.T) {
	st := open(t, t.TempDir())
	message := func(key string) *registry.PollMessage {
		return &registry.PollMessage{
			Registrar: "reg-a", At: now(), Kind: registry.PollPurge, Object: registry.KindDomain, Key: key, ROID: "D1-EX",
			Transfer: pendingTransfer(now()), ExpiresAt: now().Add(1e9), ActAt: now().Add(2e9),
			Action:     registry.Action{CLTRID: "c", Term: 2, Index: 3, InEntry: 4},
			LowBalance: &registry.LowBalance{BalanceMinor: -1, ThresholdMinor: 2, CreditLimitMinor: 3, Currency: "EUR"},
		}
	}
	write(t, st, 1, func(tx *store.Tx) {
		if q := tx.DeletePollHead("reg-a"); q != (registry.PollQueue{}) {
			t.Errorf("an empty queue is %v after its head was deleted", q)
		}
		for _, key := range []string{"one.example", "two.example"} {
			tx.PutPollMessage(message(key))
		}
		tx.PutPollMessage(&registry.PollMessage{Registrar: "reg-ab", At: now()})
	})
	view(t, st, func(tx *store.ReadTx) {
		if q := tx.PollQueue("reg-a"); q != (registry.PollQueue{Count: 2, Head: 1}) {
			t.Errorf("the queue is %v", q)
		}
		want := message("two.example")
		want.Sequence = 2
		got, _ := tx.PollMessage("reg-a", 2)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if _, found := tx.PollMessage("reg-b", 1); found {
			t.Error("another registrar has the message")
		}
	})
	write(t, st, 2, func(tx *store.Tx) {
		tx.DeletePollHead("reg-a")
		if q := tx.DeletePollHead("reg-a"); q != (registry.PollQueue{}) {
			t.Errorf("the emptied queue is %v", q)
		}
		if n := tx.PutPollMessage(message("three.example")); n != 3 {
			t.Errorf("a number is given out again: %d", n)
		}
	})
	view(t, st, func(tx *store.ReadTx) {
		if q := tx.PollQueue("reg-a"); q != (registry.PollQueue{Count: 1, Head: 3}) {
			t.Errorf("the queue is %v", q)
		}
		if _, found := tx.PollMessage("reg-a", 1); found {
			t.Error("a deleted message is still there")
		}
		if !bytes.Equal(tx.StateHash(), tx.VerifyStateHash()) {
			t.Error("the state hash is not that of the rows")
		}
	})
}

func pendingTransfer(actAt time.Time) *registry.Transfer {
	return &registry.Transfer{
		Status: registry.TransferPending, Requester: "reg-b", RequestedAt: now(), Losing: "reg-a", ActAt: actAt,
		PeriodYears: 2, ExpiresAt: now().Add(5e9), ReservedRow: 9,
	}
}

func TestTransfersComeBackAndFallDue(t *testing.T) {
	st := open(t, t.TempDir())
	domain := fullDomain()
	domain.Phase, domain.PhaseEndsAt, domain.Transfer = registry.PhaseNone, time.Time{}, pendingTransfer(now().Add(2e9))
	contact := &registry.Contact{Provenance: provenance("C1-EX"), ID: "C-One", Transfer: pendingTransfer(now().Add(1e9))}
	later := &registry.Contact{Provenance: provenance("C2-EX"), ID: "c-two", Transfer: pendingTransfer(now().Add(3e9))}
	write(t, st, 1, func(tx *store.Tx) {
		tx.PutDomain(nil, domain)
		tx.PutContact(nil, contact)
		tx.PutContact(nil, later)
	})
	due := []store.Due{{At: now().Add(1e9), Contact: "c-one"}, {At: now().Add(2e9), Domain: "one.example"}, {At: now().Add(3e9), Contact: "c-two"}}
	view(t, st, func(tx *store.ReadTx) {
		gotDomain, _ := tx.Domain("one.example")
		gotContact, _ := tx.Contact("c-one")
		if diff := cmp.Diff(domain, gotDomain) + cmp.Diff(contact, gotContact); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(due, tx.DueUntil(now().Add(4e9), 9)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(due[:2], tx.DueUntil(now().Add(4e9), 2)); diff != "" {
			t.Errorf("the first two (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(due[:1], tx.DueUntil(now().Add(1e9), 9)); diff != "" {
			t.Errorf("within a second (-want +got):\n%s", diff)
		}
	})
	ended := *contact
	ended.Transfer = &registry.Transfer{Status: registry.TransferClientRejected, ActAt: now()}
	write(t, st, 2, func(tx *store.Tx) {
		tx.PutContact(contact, &ended)
		tx.DeleteContact(later)
	})
	view(t, st, func(tx *store.ReadTx) {
		if diff := cmp.Diff(due[1:2], tx.DueUntil(now().Add(4e9), 9)); diff != "" {
			t.Errorf("after the end (-want +got):\n%s", diff)
		}
		if !bytes.Equal(tx.StateHash(), tx.VerifyStateHash()) {
			t.Error("the state hash is not that of the rows")
		}
	})
}

func TestPollQueues(t *testing.T) {
	st := open(t, t.TempDir())
	write(t, st, 1, func(tx *store.Tx) {
		for i, id := range []registry.RegistrarID{"reg-a", "reg-b", "reg-c"} {
			for range i + 1 {
				tx.PutPollMessage(&registry.PollMessage{Registrar: id, At: now()})
			}
		}
		tx.DeletePollHead("reg-a")
	})
	view(t, st, func(tx *store.ReadTx) {
		got := map[registry.RegistrarID]uint64{}
		tx.PollQueues(func(id registry.RegistrarID, queue registry.PollQueue) { got[id] = queue.Count })
		if diff := cmp.Diff(map[registry.RegistrarID]uint64{"reg-a": 0, "reg-b": 2, "reg-c": 3}, got); diff != "" {
			t.Errorf("queues (-want +got):\n%s", diff)
		}
	})
}
