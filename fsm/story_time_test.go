package fsm_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cadastre/registry"
	"cadastre/store"
)

// scene is a registry in which much lies ahead: registrations of different lengths, deletions,
// a restore, transfers that are pending, hosts that others use, an application and a token.
func scene(t *testing.T, policyFile string) *world {
	t.Helper()
	w := newWorld(t)
	lines := []string{
		`operator feature_level_raise {"level": 4}`, "operator tld_put @" + policyFile,
		`operator registrar_create {"id": "reg-a", "roid": "RA", "currency": "EUR", "tlds": ["example"], "opening_deposit_minor": 100000000}`,
		`operator registrar_create {"id": "reg-b", "roid": "RB", "currency": "EUR", "tlds": ["example"], "opening_deposit_minor": 40000, "low_balance_minor": 30000}`,
		"reg-a contact_create @contact.json",
		`reg-b contact_create {"id": "c-two", "postal": [{"type": "int", "name": "B", "city": "Berlin", "country_code": "DE"}], "email": "b@example.net", "auth_info": $AUTH}`,
		`operator allocation_token_create {"token_sha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=", "tld": "example", "valid_until_ms": "952000000000"}`,
	}
	for i := range 12 {
		lines = append(lines, fmt.Sprintf("at %s", time.Date(2000, 1+time.Month(i), 28+i%3, i, 2*i, 3*i, 0, time.UTC).Format(time.RFC3339)),
			fmt.Sprintf(`reg-b domain_create {"name": "n%d.example", "registrant": "c-two", "period_years": %d, "auth_info": $AUTH}`, i, 1+i%4))
	}
	lines = append(lines, "at 2000-12-31T12:00:00Z", "tick",
		`reg-b host_create {"name": "ns1.n1.example", "addresses": ["wAACCg=="]}`, `reg-b host_create {"name": "ns2.n1.example", "addresses": ["wAACCw=="]}`,
		`reg-a domain_create {"name": "guest.example", "registrant": "c-one", "name_servers": ["ns1.n1.example", "ns2.n1.example"]}`,
		`reg-b domain_delete {"name": "n2.example"}`, `reg-b domain_delete {"name": "n3.example"}`, `reg-b domain_restore_request {"name": "n3.example"}`,
		`reg-a domain_transfer_request {"name": "n5.example", "auth_proof": $AUTH}`, `reg-a domain_transfer_request {"name": "n6.example", "auth_proof": $AUTH, "period_years": 2}`,
		`reg-a contact_transfer_request {"id": "c-two", "auth_proof": $AUTH}`)
	for _, line := range lines {
		if answer := w.run(line); !strings.HasPrefix(answer, "at ") && answer != "ticked" && !strings.HasPrefix(answer, "ok") && !strings.HasPrefix(answer, "accepted") {
			t.Fatalf("%s: %s", line, answer)
		}
	}
	return w
}

// outcome is what time brought about, without the instants at which it was noticed.
func (w *world) outcome() []string {
	w.t.Helper()
	var out []string
	w.view(func(tx *store.ReadTx) {
		names := map[string]bool{"guest.example": true}
		for i := range 12 {
			names[fmt.Sprintf("n%d.example", i)] = true
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			var text strings.Builder
			showDomain(&text, tx, registry.DomainName(name))
			d, found := tx.Domain(registry.DomainName(name))
			if found {
				fmt.Fprintf(&text, " due=%s transfer=%s", d.NextDueAt().Format(time.RFC3339), describeTransfer(d.Transfer))
			}
			out = append(out, text.String())
		}
		for number := uint64(1); ; number++ {
			row, found := tx.LedgerRow(number)
			if !found {
				break
			}
			row.At = time.Time{}
			out = append(out, ledgerText(tx, row))
		}
		for _, id := range []registry.RegistrarID{"reg-a", "reg-b"} {
			queue := tx.PollQueue(id)
			for n := queue.Head; n < queue.Head+queue.Count; n++ {
				m, _ := tx.PollMessage(id, n)
				out = append(out, fmt.Sprintf("%s %d %d %s act=%s expires=%s %s", id, n, m.Kind, m.Key, m.ActAt.Format(time.RFC3339), m.ExpiresAt.Format(time.RFC3339), describeTransfer(m.Transfer)))
			}
		}
		out = append(out, fmt.Sprint(tx.Balance("reg-a"), " ", tx.Balance("reg-b")))
	})
	return out
}

// TestJumpComesToTheSameAsSteps: a clock that jumps ahead by years brings about the same, in the
// same order and each thing once, as one that goes by the days.
func TestJumpComesToTheSameAsSteps(t *testing.T) {
	for _, policy := range []string{"tld.json", "tld_expire.json", "tld_release.json", "tld_sacrificial.json"} {
		t.Run(policy, func(t *testing.T) {
			end := time.Date(2004, 3, 1, 0, 0, 0, 0, time.UTC)
			jump, steps := scene(t, policy), scene(t, policy)
			for at := steps.now; at.Before(end); at = at.Add(61 * time.Hour) {
				steps.now = at
				steps.tickAll()
			}
			jump.now, steps.now = end, end
			for ticks := 0; ; ticks++ {
				result := jump.tick()
				var due bool
				jump.view(func(tx *store.ReadTx) { due = tx.DueNow() })
				if !due && !result.GetMoreDue() {
					break
				}
				if ticks > 50 {
					t.Fatal("work is due for ever")
				}
			}
			steps.tickAll()
			if diff := cmp.Diff(steps.outcome(), jump.outcome()); diff != "" {
				t.Errorf("(-steps +jump):\n%s", diff)
			}
			if rows := jump.outcome(); len(rows) < 60 {
				t.Errorf("only %d things came about", len(rows))
			}
			jump.ledger()
			steps.ledger()
			jump.checkInvariants()
			steps.checkInvariants()
		})
	}
}

// TestAddGraceLimitByMonth: a month of a busy registrar pays back a tenth of what stays, a quiet
// one fifty, each month anew by the calendar, by the month of the deletion, and each registrar
// for itself.
func TestAddGraceLimitByMonth(t *testing.T) {
	w := registryWith(t, "tld.json")
	w.must(`reg-b contact_create {"id": "c-two", "postal": [{"type": "int", "name": "B", "city": "Berlin", "country_code": "DE"}], "email": "b@example.net"}`)
	made := 0
	create := func(who, contact string, count int) (names []string) {
		for range count {
			made++
			names = append(names, fmt.Sprintf("m%d.example", made))
			w.must(fmt.Sprintf(`%s domain_create {"name": %q, "registrant": %q}`, who, names[len(names)-1], contact))
		}
		return names
	}
	refunds := func(who string, names []string) (paidBack int) {
		for _, name := range names {
			if strings.Contains(w.must(fmt.Sprintf(`%s domain_delete {"name": %q}`, who, name)), "charged=-10.00") {
				paidBack++
			}
		}
		return paidBack
	}
	want := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d are paid back, want %d", what, got, want)
		}
	}
	w.run("at 2000-01-30T00:00:00Z")
	busy := create("reg-a", "c-one", 800)
	want("January, busy: the 72nd leaves 728, the 73rd 727", refunds("reg-a", busy[:140]), 72)
	want("January, the other registrar", refunds("reg-b", create("reg-b", "c-two", 60)), 50)
	late := create("reg-a", "c-one", 70)
	w.run("at 2000-01-31T23:59:59Z")
	want("the last second of January", refunds("reg-a", late[:2]), 0)
	w.run("at 2000-02-01T00:00:00Z")
	want("February, made in January", refunds("reg-a", late[2:]), 50)
	w.run("at 2000-02-29T23:59:59Z")
	more := create("reg-a", "c-one", 3)
	want("29 February", refunds("reg-a", more[:1]), 0)
	w.run("at 2000-03-01T00:00:00Z")
	want("March", refunds("reg-a", more[1:]), 2)
	w.run("at 2040-12-31T00:00:00Z") // without a tick: the renewals of forty years are another test's
	want("December, decades later", refunds("reg-b", create("reg-b", "c-two", 51)), 50)
	w.ledger()
	w.checkInvariants()
}
