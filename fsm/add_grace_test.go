package fsm_test

import (
	"fmt"
	"testing"
	"time"

	"cadastre/store"
)

// TestAddGraceLimit deletes more names within their add grace periods than a registrar gets
// its money back for in a month.
func TestAddGraceLimit(t *testing.T) {
	w := newWorld(t)
	for _, line := range []string{
		"operator tld_put @tld.json",
		`operator registrar_create {"id": "reg-a", "roid": "RA", "name": "A", "currency": "EUR", "tlds": ["example"], "opening_deposit_minor": 10000000}`,
		"reg-a contact_create @contact.json",
	} {
		w.run(line)
	}
	balance := func() (minor int64) {
		w.view(func(tx *store.ReadTx) { minor = tx.Balance("reg-a") })
		return minor
	}
	cycle := func(first, count int) (kept int64) {
		before := balance()
		for i := range count {
			name := fmt.Sprintf("n%d.example", first+i)
			if got := w.run(fmt.Sprintf(`reg-a domain_create {"name": %q, "registrant": "c-one"}`, name)); got[:2] != "ok" {
				t.Fatal(got)
			}
		}
		for i := range count {
			name := fmt.Sprintf("n%d.example", first+i)
			if got := w.run(fmt.Sprintf(`reg-a domain_delete {"name": %q}`, name)); got[:2] != "ok" {
				t.Fatal(got)
			}
		}
		return before - balance()
	}
	if kept := cycle(0, 50); kept != 0 {
		t.Errorf("of 50 deletions in a month %d were kept", kept)
	}
	if kept := cycle(100, 3); kept != 3000 {
		t.Errorf("of 3 more %d were kept, want 3000", kept)
	}
	w.now = w.now.AddDate(0, 1, 0)
	if kept := cycle(200, 50); kept != 0 {
		t.Errorf("of 50 deletions in the next month %d were kept", kept)
	}
	w.view(func(tx *store.ReadTx) {
		for _, at := range []time.Time{w.now.AddDate(0, -1, 0), w.now} {
			m := tx.AddGraceMonth("reg-a", "example", at)
			if m.Refunds != 50 || m.Adds != m.Deletes || m.Adds < 50 {
				t.Errorf("the month of %v counts %+v", at, m)
			}
		}
	})
	w.checkInvariants()
}
