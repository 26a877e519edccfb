package fsm_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// proofJSON is the hash by which a domain or contact of these tests is opened.
func proofJSON() string {
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf(`{"salt": %q, "hash": %q}`, encode([]byte("salt-one")), encode(bytes.Repeat([]byte{7}, 32)))
}

// newMarket has three registrars with different credit and a TLD in which a transfer costs
// 12.00.
func newMarket(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	put := w.command("operator", "tld_put", tldJSON)
	p := put.GetTldPut().GetPolicy()
	p.TransferPriceMinor, p.AutoRenew, p.AddGraceDays, p.AutoRenewGraceDays, p.TransferGraceDays = 1200, true, 5, 45, 5
	p.RedemptionDays, p.PendingDeleteDays, p.TransferPendingDays = 30, 5, 7
	w.apply(put)
	for id, deposit := range map[string]int{"reg-a": 1000000, "reg-b": 30000, "reg-c": 5000} {
		w.apply(w.command("operator", "registrar_create",
			fmt.Sprintf(`{"id": %q, "roid": %q, "currency": "EUR", "tlds": ["example"], "opening_deposit_minor": %d}`, id, "R"+id[4:], deposit)))
	}
	return w
}

func TestTwoRegistrarsRaceForADomain(t *testing.T) {
	w := newMarket(t)
	w.apply(w.command("reg-a", "domain_create", `{"name": "one.example", "auth_info": `+proofJSON()+`}`))
	request := `{"name": "one.example", "auth_proof": ` + proofJSON() + `}`
	late := w.apply(w.command("reg-b", "domain_transfer_request", request), w.command("reg-c", "domain_transfer_request", request))
	if code := registry.Code(late.GetCode()); code != registry.CodePendingTransfer {
		t.Errorf("the second of two requests in one entry ends with %v", code)
	}
	if got := w.show("balance reg-b") + " " + w.show("balance reg-c"); got != "reg-b 288.00 reg-c 50.00" {
		t.Errorf("after the race the balances are %q", got)
	}
	// The losing registrar's answer and the requester's retreat race too: one of them counts.
	end := w.apply(w.command("reg-a", "domain_transfer_approve", `{"name": "one.example"}`), w.command("reg-b", "domain_transfer_cancel", `{"name": "one.example"}`))
	if code := registry.Code(end.GetCode()); code != registry.CodeNotPendingTransfer {
		t.Errorf("the cancellation after the approval ends with %v", code)
	}
	w.view(func(tx *store.ReadTx) {
		if d, _ := tx.Domain("one.example"); d.Sponsor != "reg-b" {
			t.Errorf("the sponsor is %s", d.Sponsor)
		}
	})
	w.checkInvariants()
}

func TestRepeatedRequestForTransferReservesOnce(t *testing.T) {
	w := newMarket(t)
	w.apply(w.command("reg-a", "domain_create", `{"name": "one.example", "auth_info": `+proofJSON()+`}`))
	request := w.command("reg-b", "domain_transfer_request", `{"name": "one.example", "auth_proof": `+proofJSON()+`}`)
	first, again := w.apply(request), w.apply(request)
	if first.GetIndex() != again.GetIndex() || again.GetTransfer().GetStatus() != uint32(registry.TransferPending) {
		t.Errorf("the repeated request is answered with %v", again)
	}
	if got := w.show("balance reg-b"); got != "reg-b 288.00" {
		t.Errorf("after the repetition %q", got)
	}
	w.checkInvariants()
}

func TestPeriodOfThePolicyRuns(t *testing.T) {
	w := newMarket(t)
	w.apply(w.command("reg-a", "domain_create", `{"name": "one.example", "auth_info": `+proofJSON()+`}`))
	result := w.apply(w.command("reg-b", "domain_transfer_request", `{"name": "one.example", "auth_proof": `+proofJSON()+`}`))
	if got := time.UnixMilli(result.GetTransfer().GetActAtMs()).UTC(); !got.Equal(w.now.AddDate(0, 0, 7)) {
		t.Errorf("the losing registrar has until %v", got)
	}
}

// TestTransfersAtRandom does what registrars and time may do, in any order, and looks at
// what must hold whatever happened.
func TestTransfersAtRandom(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w, dice := newMarket(t), rand.New(rand.NewPCG(seed, 1))
			actors := []string{"reg-a", "reg-b", "reg-c"}
			for range 300 {
				w.randomStep(dice, actors[dice.IntN(len(actors))])
			}
			w.checkTransfers()
			w.now = w.now.AddDate(2, 0, 0)
			w.tickAll()
			w.checkTransfers()
			w.checkInvariants()
		})
	}
}

func (w *world) randomStep(dice *rand.Rand, actor string) {
	domain, contact := fmt.Sprintf(`"name": "d%d.example"`, dice.IntN(4)), fmt.Sprintf(`"id": "con-%d"`, dice.IntN(3))
	send := func(verb, fields string) *fsmpb.Result { return w.apply(w.command(actor, verb, "{"+fields+"}")) }
	proof, info := `, "auth_proof": `+proofJSON(), `, "auth_info": `+proofJSON()
	switch dice.IntN(14) {
	case 0, 1:
		send("domain_create", domain+info)
	case 2:
		send("contact_create", contact+`, "postal": [{"type": "int", "name": "N", "city": "C", "country_code": "CH"}], "email": "a@example.net"`+info)
	case 3, 4:
		send("domain_transfer_request", domain+proof)
	case 5:
		send("contact_transfer_request", contact+proof)
	case 6:
		send([]string{"domain_transfer_approve", "domain_transfer_reject", "domain_transfer_cancel"}[dice.IntN(3)], domain)
	case 7:
		send([]string{"contact_transfer_approve", "contact_transfer_reject", "contact_transfer_cancel"}[dice.IntN(3)], contact)
	case 8:
		send("domain_update", domain+info)
		send("contact_update", contact+info)
	case 9:
		send("domain_delete", domain)
		send("contact_delete", contact)
	case 10, 11:
		var head uint64
		w.view(func(tx *store.ReadTx) { head = tx.PollQueue(registry.RegistrarID(actor)).Head })
		send("poll_ack", fmt.Sprintf(`"sequence": %d`, head))
	default:
		w.now = w.now.Add(time.Duration(dice.IntN(60*24)) * time.Hour)
		w.tickAll()
	}
}

// checkTransfers: what is set aside is the price of the transfers that are pending, and every
// queue holds as many messages, without gaps, as it says.
func (w *world) checkTransfers() {
	w.t.Helper()
	w.view(func(tx *store.ReadTx) {
		var pending int64
		for n := range 4 {
			d, found := tx.Domain(registry.DomainName(fmt.Sprintf("d%d.example", n)))
			if !found {
				continue
			}
			if d.Transfer.IsPending() {
				pending += 1200
			}
			if d.Transfer.IsPending() != d.Statuses.Has(registry.StatusPendingTransfer) {
				w.t.Errorf("%s has the statuses %v and the transfer %s", d.Name, d.Statuses, describeTransfer(d.Transfer))
			}
			if limit := tx.Now().AddDate(10, 0, 1); d.ExpiresAt.After(limit) {
				w.t.Errorf("%s expires at %v", d.Name, d.ExpiresAt)
			}
		}
		if reserved := tx.BalanceMinor(store.AccountReserved, "EUR"); reserved != pending {
			w.t.Errorf("%d is set aside for transfers of %d", reserved, pending)
		}
		for _, id := range []registry.RegistrarID{"reg-a", "reg-b", "reg-c"} {
			queue := tx.PollQueue(id)
			for n := range queue.Count {
				if _, found := tx.PollMessage(id, queue.Head+n); !found {
					w.t.Errorf("message %d of %s is lost", queue.Head+n, id)
				}
			}
			if _, found := tx.PollMessage(id, queue.Head+queue.Count); found && queue.Count > 0 {
				w.t.Errorf("%s has more messages than the %d counted", id, queue.Count)
			}
		}
	})
}
