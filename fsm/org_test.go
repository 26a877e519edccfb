package fsm_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cadastre/registry"
	"cadastre/store"
)

func showOrg(out *strings.Builder, tx *store.ReadTx, id registry.OrgID) {
	o, found := tx.Org(id)
	if !found {
		fmt.Fprintf(out, "no org %s", id)
		return
	}
	fmt.Fprintf(out, "%s %s sponsor=%s parent=%q statuses=%v linked=%v", o.ID, o.ROID, o.Sponsor, o.Parent, o.Statuses, tx.OrgIsLinked(o.ID))
	for _, r := range o.Roles {
		fmt.Fprintf(out, " role=%s/%s/%v/%v", r.Type, r.ID, r.Statuses, tx.OrgRoleIsLinked(o.ID, r.Type))
	}
	for _, p := range o.Postal {
		fmt.Fprintf(out, " %s=%s,%s", p.Type, p.Name, p.City)
	}
	fmt.Fprintf(out, " voice=%s fax=%s email=%s url=%s contacts=%v", o.Voice.Number, o.Fax.Number, o.Email, o.URL, o.Contacts)
}

func showOrgLinks(out *strings.Builder, links []registry.OrgLink) {
	for _, link := range links {
		fmt.Fprintf(out, " org=%s:%s", link.Role, link.ID)
	}
}

func showKeyRelay(out *strings.Builder, relay *registry.KeyRelay) {
	if relay == nil {
		return
	}
	fmt.Fprintf(out, " from=%s", relay.From)
	for _, k := range relay.Keys {
		fmt.Fprintf(out, " key=%d/%d/%d/%q for=%s", k.Key.Flags, k.Key.Protocol, k.Key.Algorithm, k.Key.Data, k.For)
		if !k.Until.IsZero() {
			fmt.Fprintf(out, " until=%s", k.Until.Format(time.RFC3339))
		}
	}
}

// TestOrgTreesHaveNoCycles changes parents at random: from every organisation a walk upwards
// ends, and whether it is linked follows from the rows.
func TestOrgTreesHaveNoCycles(t *testing.T) {
	const orgs = 7
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.run("operator tld_put @tld.json")
		w.run(`operator registrar_create {"id": "reg-a", "roid": "RA", "currency": "EUR", "tlds": ["example"]}`)
		for i := range orgs {
			if got := w.run(fmt.Sprintf(`reg-a org_create {"id": "org-%d", "roles": [{"type": "reseller"}]}`, i)); !strings.HasPrefix(got, "ok") {
				rt.Fatal(got)
			}
		}
		for range rapid.IntRange(1, 25).Draw(rt, "changes") {
			child, parent := rapid.IntRange(0, orgs-1).Draw(rt, "child"), rapid.IntRange(0, orgs-1).Draw(rt, "parent")
			w.run(fmt.Sprintf(`reg-a org_update {"id": "org-%d", "parent": "ORG-%d"}`, child, parent))
		}
		w.view(func(tx *store.ReadTx) {
			parents := map[registry.OrgID]bool{}
			for i := range orgs {
				above, found := tx.Org(registry.OrgID(fmt.Sprint("org-", i)))
				for steps := 0; found && above.Parent != ""; steps++ {
					parents[above.Parent] = true
					if steps > orgs {
						rt.Fatalf("org-%d stands in a cycle", i)
					}
					above, found = tx.Org(above.Parent)
				}
			}
			for i := range orgs {
				if id := registry.OrgID(fmt.Sprint("org-", i)); tx.OrgHasChildren(id) != parents[id] {
					rt.Fatalf("%s has children: %v, by the rows: %v", id, parents[id], tx.OrgHasChildren(id))
				}
			}
		})
		w.checkInvariants()
	})
}

func TestOrgTreesAreBounded(t *testing.T) {
	w := newWorld(t)
	w.run("operator tld_put @tld.json")
	w.run(`operator registrar_create {"id": "reg-a", "roid": "RA", "currency": "EUR", "tlds": ["example"]}`)
	parent, made := "", 0
	for i := range 40 {
		id := fmt.Sprintf("org-%d", i)
		got := w.run(fmt.Sprintf(`reg-a org_create {"id": %q, "roles": [{"type": "reseller"}], "parent": %q}`, id, parent))
		if !strings.HasPrefix(got, "ok") {
			if want := "at most 15 organisations stand above another"; !strings.Contains(got, want) {
				t.Fatalf("got %q, want %q", got, want)
			}
			break
		}
		parent, made = id, made+1
	}
	if made != 16 {
		t.Errorf("%d generations were admitted, want 16", made)
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[string]bool{
		"P1Y": true, "P1Y2M3DT4H5M6.75S": true, "-P1D": true, "PT0S": true, "P0Y": true, "P1M": true, "PT1M": true,
		"": false, "P": false, "PT": false, "P1DT": false, "1D": false, "P1H": false, "PT1D": false, "P1M1Y": false, "P1.5D": false,
		"PT.5S": false, "PT5.S": false, "P-1D": false, "P1": false, "+P1D": false, "P1D ": false, "P1D2D": false,
	} {
		if got := registry.IsDuration(s); got != want {
			t.Errorf("IsDuration(%q) = %v, want %v", s, got, want)
		}
	}
}
