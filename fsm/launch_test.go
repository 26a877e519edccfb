package fsm_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"cadastre/registry"
	"cadastre/store"
)

// showToken shows an allocation token by its hash in base64.
func showToken(out *strings.Builder, tx *store.ReadTx, encoded string) {
	hash, _ := base64.StdEncoding.DecodeString(encoded)
	t, found := tx.AllocationToken(hash)
	if !found {
		fmt.Fprint(out, "no such token")
		return
	}
	fmt.Fprintf(out, "for=%s%s registrar=%s unlimited=%v reserved=%v by=%s uses=%d", t.Name, t.TLD, t.Registrar, t.Unlimited, t.UnlocksReserved, t.CreatedBy, t.Uses)
	if t.HasPrice {
		fmt.Fprintf(out, " price=%s", registry.FormatMinorUnits(t.PriceMinor))
	}
	if t.DiscountPercent > 0 {
		fmt.Fprintf(out, " discount=%d", t.DiscountPercent)
	}
	for _, at := range []struct {
		name string
		time time.Time
	}{{"from", t.ValidFrom}, {"until", t.ValidUntil}, {"revoked", t.RevokedAt}, {"used", t.LastUsedAt}} {
		if !at.time.IsZero() {
			fmt.Fprintf(out, " %s=%s", at.name, at.time.Format(time.RFC3339))
		}
	}
	if t.Uses > 0 {
		fmt.Fprintf(out, " last=%s/%s", t.LastUsedBy, t.LastUsedFor)
	}
}

// showApplication shows an application by its identifier.
func showApplication(out *strings.Builder, tx *store.ReadTx, id string) {
	a, found := tx.Application(id)
	if !found {
		fmt.Fprintf(out, "no application %s", id)
		return
	}
	d := &a.Domain
	fmt.Fprintf(out, "%s for %s by %s: %s %s%s since %s, years=%d reserved=%v registrant=%s contacts=%v ns=%v statuses=%v authInfo=%v applied=%d-%d", a.ID, d.Name, d.Sponsor, a.Phase, a.Status, a.StatusName,
		a.StatusAt.Format(time.DateOnly), a.PeriodYears, a.ReservedRow != 0, d.Registrant, d.Contacts, d.NameServers, d.Statuses, d.AuthInfo.IsSet(tx.Now()), a.Action.Term, a.Action.Index)
	for _, c := range a.Codes {
		fmt.Fprintf(out, " code=%s/%s mark=%q", c.ValidatorID, c.Code, c.Mark)
	}
	tx.EachApplicationFor(d.Name, func(other *registry.Application) bool {
		fmt.Fprintf(out, " beside=%s", other.ID)
		return true
	})
}
