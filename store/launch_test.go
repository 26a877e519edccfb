package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cadastre/registry"
	"cadastre/store"
)

// TestLaunchRowsComeBackAsWritten writes tokens, applications, phases and the messages about
// them with every field set.
func TestLaunchRowsComeBackAsWritten(t *testing.T) {
	st := open(t, t.TempDir())
	phase := registry.Phase{Type: registry.PhaseCustom, Name: "idn first"}
	domain := fullDomain()
	domain.LaunchPhase = phase
	domain.ClaimsNotices = []registry.ClaimsNotice{{ID: "n", ValidatorID: "v", NotAfter: now(), AcceptedAt: now().Add(time.Second)}, {ID: "m"}}
	token := &registry.AllocationToken{
		SHA256: []byte("hash"), Name: "one.example", TLD: "example", Registrar: "reg-a", Unlimited: true, ValidFrom: now(), ValidUntil: now().Add(1e9),
		HasPrice: true, PriceMinor: 5, DiscountPercent: 6, UnlocksReserved: true, CreatedAt: now().Add(2e9), CreatedBy: "op", RevokedAt: now().Add(3e9),
		Uses: 7, LastUsedAt: now().Add(4e9), LastUsedBy: "reg-b", LastUsedFor: "two.example",
	}
	application := &registry.Application{
		ID: "A1-EX", Phase: phase, Status: registry.ApplicationCustom, StatusName: "on hold", StatusAt: now(), Domain: *domain, PeriodYears: 3, ReservedRow: 4,
		Codes:  []registry.LaunchCode{{Code: "c", ValidatorID: "v", Mark: []byte("<m/>")}, {Code: "d"}},
		Action: registry.Action{CLTRID: "X", Term: 1, Index: 2, InEntry: 3},
	}
	message := &registry.PollMessage{Registrar: "reg-a", Kind: registry.PollApplication, Application: &registry.ApplicationStep{
		ID: "A1-EX", Phase: phase, Status: registry.ApplicationInvalid, StatusName: "s", Reason: "r",
	}}
	tld := &registry.TLD{Name: "example", ROID: "T-EX", Policy: registry.TLDPolicy{LaunchPhases: []registry.LaunchPhase{
		{Phase: phase, StartsAt: now(), EndsAt: now().Add(1e9), Applications: true, NoticeRequired: true}, {Phase: registry.Phase{Type: registry.PhaseOpen}},
	}}}
	write(t, st, 1, func(tx *store.Tx) {
		tx.PutAllocationToken(token)
		tx.PutApplication(application)
		message.Sequence = tx.PutPollMessage(message)
		tx.PutTLD(tld)
	})
	view(t, st, func(tx *store.ReadTx) {
		gotToken, _ := tx.AllocationToken(token.SHA256)
		gotApplication, _ := tx.Application("A1-EX")
		gotMessage, _ := tx.PollMessage("reg-a", message.Sequence)
		gotTLD, _ := tx.TLD("example")
		for name, diff := range map[string]string{
			"token": cmp.Diff(token, gotToken), "application": cmp.Diff(application, gotApplication), "message": cmp.Diff(message, gotMessage),
			"TLD": cmp.Diff(tld, gotTLD),
		} {
			if diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if !tx.HasAllocationToken("one.example") || tx.HasAllocationToken("one") || tx.HasAllocationToken("two.example") {
			t.Error("tokens are not found by their names")
		}
		if kind, key, _ := tx.ROID("A1-EX"); kind != registry.KindApplication || key != "one.example" {
			t.Errorf("the identifier leads to %s %s", kind, key)
		}
		count := 0
		tx.EachApplicationFor("one.example", func(*registry.Application) bool { count++; return true })
		if count != 1 {
			t.Errorf("%d applications for the name", count)
		}
		tx.History("A1-EX", func(v *store.Version) bool {
			if diff := cmp.Diff(application, v.Application("A1-EX")); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
			return true
		})
	})
	write(t, st, 2, func(tx *store.Tx) { tx.DeleteApplication(application) })
	view(t, st, func(tx *store.ReadTx) {
		if _, found := tx.Application("A1-EX"); found {
			t.Error("a deleted application is there")
		}
		tx.EachApplicationFor("one.example", func(a *registry.Application) bool { t.Errorf("%s is found by its name", a.ID); return true })
	})
}
