package fsm_test

import (
	"fmt"
	"testing"

	"cadastre/registry"
	"cadastre/store"
)

// TestPurgeOfAHosterIsDoneInSteps: the hosts of a domain that hundreds use leave their
// delegations over several ticks, and the name is not free before they have.
func TestPurgeOfAHosterIsDoneInSteps(t *testing.T) {
	for _, policy := range []string{"tld.json", "tld_sacrificial.json"} {
		t.Run(policy, func(t *testing.T) {
			const customers = 450
			w := registryWith(t, "tld_sacrificial.json")
			w.must(`operator feature_level_raise {"level": 2}`)
			w.must(`reg-a domain_create {"name": "op.example", "registrant": "c-one"}`)
			w.must(`reg-a host_create {"name": "ns1.op.example", "addresses": ["wAACCg=="]}`)
			w.must(`reg-a host_create {"name": "ns2.op.example", "addresses": ["wAACCw=="]}`)
			for i := range customers {
				w.must(fmt.Sprintf(`reg-a domain_create {"name": "c%03d.example", "registrant": "c-one", "name_servers": ["ns1.op.example", "ns2.op.example", "ns1.net.test"]}`, i))
			}
			w.must(`reg-a domain_delete {"name": "op.example"}`)
			w.must("operator tld_put @" + policy)
			count := func() (old, moved int) {
				w.view(func(tx *store.ReadTx) {
					old = len(tx.HostUsers("ns1.op.example", 1000))
					for _, name := range tx.MovedHosts("op.example") {
						moved += len(tx.HostUsers(name, 1000))
					}
				})
				return old, moved
			}
			before, _ := count()
			for ticks := 0; before > 0; ticks++ {
				more := w.tick().GetMoreDue()
				after, _ := count()
				if before-after > 300 || ticks > 10 {
					t.Fatalf("tick %d changed %d delegations", ticks, before-after)
				}
				var registered bool
				w.view(func(tx *store.ReadTx) { registered = tx.HasDomain("op.example") })
				if registered == (after == 0) {
					t.Fatalf("with %d users left the domain is registered: %v (more due: %v)", after, registered, more)
				}
				before = after
			}
			w.view(func(tx *store.ReadTx) {
				d, _ := tx.Domain("c007.example")
				want := "[ns1.net.test]"
				if policy == "tld_sacrificial.json" {
					want = fmt.Sprint(append(tx.MovedHosts("op.example"), "ns1.net.test"))
				}
				if got := fmt.Sprint(d.NameServers); got != want {
					t.Errorf("a customer is delegated to %s, want %s", got, want)
				}
				for _, name := range []registry.DomainName{"ns1.op.example", "ns2.op.example"} {
					if tx.HasHost(name) {
						t.Errorf("the host %s is still there", name)
					}
				}
			})
			if policy == "tld_sacrificial.json" {
				w.must(`reg-a domain_create {"name": "op.example", "registrant": "c-one"}`)
				_, left := count()
				for ticks := 0; left > 0; ticks++ {
					w.tick()
					_, now := count()
					if left-now > 200 || ticks > 20 {
						t.Fatalf("tick %d gave %d delegations back", ticks, left-now)
					}
					left = now
				}
				if back, _ := count(); back != customers {
					t.Errorf("%d delegations came back, want %d", back, customers)
				}
			}
			w.checkInvariants()
		})
	}
}
