package fsm_test

import (
	"fmt"
	"testing"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// registryWith returns a world with .example, and a registrar with a contact and two hosts.
func registryWith(t *testing.T, policyFile string) *world {
	t.Helper()
	w := newWorld(t)
	for _, line := range []string{
		"operator tld_put @" + policyFile,
		`operator registrar_create {"id": "reg-a", "roid": "RA", "currency": "EUR", "tlds": ["example"], "opening_deposit_minor": 100000000}`,
		`operator registrar_create {"id": "reg-b", "roid": "RB", "currency": "EUR", "tlds": ["example"], "opening_deposit_minor": 100000000}`,
		"reg-a contact_create @contact.json",
		`reg-a host_create {"name": "ns1.net.test"}`, `reg-a host_create {"name": "ns2.net.test"}`,
	} {
		w.must(line)
	}
	return w
}

// must runs the command, which may not be refused.
func (w *world) must(line string) string {
	w.t.Helper()
	answer := w.run(line)
	if len(answer) < 2 || answer[:2] != "ok" && answer[:2] != "ac" {
		w.t.Fatalf("%s: %s", line, answer)
	}
	return answer
}

// tick applies one tick.
func (w *world) tick() *fsmpb.Result { return w.apply(w.command("system", "tick", "{}")) }

// publishAll publishes every dirty name, with a record that says nothing.
func (w *world) publishAll() {
	w.t.Helper()
	var c *fsmpb.ZonePublish
	w.view(func(tx *store.ReadTx) {
		state := tx.ZoneState("example")
		c = &fsmpb.ZonePublish{Tld: "example", BaseSerial: state.Serial, Serial: state.Serial + 1}
		c.ReadIndex, _ = tx.Applied()
		for _, owner := range tx.Dirty("example", 10000) {
			c.Cleaned = append(c.Cleaned, string(owner))
			c.Changes = append(c.Changes, &fsmpb.OwnerChange{Owner: string(owner), Rrs: []byte("x")})
		}
	})
	command := w.command("system", "tick", "{}")
	command.Body = &fsmpb.Command_ZonePublish{ZonePublish: c}
	if result := w.apply(command); result.GetCode() != 0 {
		w.t.Fatal(result)
	}
}

func (w *world) dirty() int {
	var n int
	w.view(func(tx *store.ReadTx) { n = len(tx.Dirty("example", 100000)) })
	return n
}

// TestNewTTLReachesTheWholeZone: when the default TTL changes, all that is published is
// computed anew, some of it with each tick, and no faster than it is published.
func TestNewTTLReachesTheWholeZone(t *testing.T) {
	w := registryWith(t, "tld.json")
	w.must(`operator feature_level_raise {"level": 2}`)
	const domains = 4500
	for i := range domains {
		w.must(fmt.Sprintf(`reg-a domain_create {"name": "n%d.example", "registrant": "c-one", "name_servers": ["ns1.net.test", "ns2.net.test"]}`, i))
	}
	w.publishAll()
	w.must("operator tld_put @tld.json")
	if n := w.dirty(); n > 2 {
		t.Fatalf("the same policy again makes %d names dirty, want the apex and its server at most", n)
	}
	w.publishAll()
	w.must("operator tld_put @tld_slow.json")
	seen := 0
	for step := 0; ; step++ {
		if step > 20 {
			t.Fatal("the zone is never done")
		}
		due := false
		w.view(func(tx *store.ReadTx) { due = tx.DueNow() })
		if !due {
			break
		}
		w.tick()
		marked := w.dirty()
		if marked > 2002 {
			t.Fatalf("one tick makes %d names dirty", marked)
		}
		w.tick() // the publisher has done nothing: no more of them
		if again := w.dirty(); again > marked && marked > 2 {
			t.Fatalf("the queue grows from %d to %d names though nobody publishes", marked, again)
		}
		seen += marked
		w.publishAll()
	}
	if seen < domains {
		t.Errorf("%d names were published anew, want all %d", seen, domains)
	}
	w.checkInvariants()
}

// TestOldAddGraceMonthsGo: what was counted for the limit of refunds goes after the next month.
func TestOldAddGraceMonthsGo(t *testing.T) {
	w := registryWith(t, "tld.json")
	w.must(`operator feature_level_raise {"level": 2}`)
	months := func() (jan, feb, mar registry.AddGraceMonth) {
		w.view(func(tx *store.ReadTx) {
			at := func(m time.Month) registry.AddGraceMonth {
				return tx.AddGraceMonth("reg-a", "example", time.Date(2000, m, 9, 0, 0, 0, 0, time.UTC))
			}
			jan, feb, mar = at(time.January), at(time.February), at(time.March)
		})
		return jan, feb, mar
	}
	for i, at := range []string{"2000-01-31T23:59:59Z", "2000-02-01T00:00:00Z", "2000-03-15T00:00:00Z"} {
		w.run("at " + at)
		w.must(fmt.Sprintf(`reg-a domain_create {"name": "n%d.example", "registrant": "c-one"}`, i))
		if i < 2 {
			w.run("tick")
			if jan, _, _ := months(); jan.Adds != 1 {
				t.Fatalf("in the month after, January has %d adds, want 1", jan.Adds)
			}
		}
	}
	w.run("tick")
	jan, feb, mar := months()
	if jan.Adds != 0 || feb.Adds != 1 || mar.Adds != 1 {
		t.Errorf("in March, January, February and March have %d, %d and %d adds, want 0, 1, 1", jan.Adds, feb.Adds, mar.Adds)
	}
	w.checkInvariants()
}

// TestOldAddGraceMonthsGoInSteps: no tick looks at more of them than it may.
func TestOldAddGraceMonthsGoInSteps(t *testing.T) {
	w := registryWith(t, "tld.json")
	w.must(`operator feature_level_raise {"level": 2}`)
	w.run("at 2001-05-05T00:00:00Z")
	if err := w.store.Update(func(tx *store.Tx) error {
		for i := range 1200 {
			tx.PutAddGraceMonth(registry.RegistrarID(fmt.Sprintf("r%04d", i)), "example", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), registry.AddGraceMonth{Adds: 1})
		}
		tx.Keep()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	left := func() (n int) {
		w.view(func(tx *store.ReadTx) {
			for i := range 1200 {
				if tx.AddGraceMonth(registry.RegistrarID(fmt.Sprintf("r%04d", i)), "example", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).Adds > 0 {
					n++
				}
			}
		})
		return n
	}
	for _, want := range []int{700, 200, 0, 0} {
		w.tick()
		if got := left(); got != want {
			t.Fatalf("%d rows are left, want %d", got, want)
		}
	}
}

// TestClockThatJumpsCatchesUpInSteps: each tick does a bounded number of things, all of them
// happen in the order of time, and each once.
func TestClockThatJumpsCatchesUpInSteps(t *testing.T) {
	w := registryWith(t, "tld.json")
	const domains, years = 90, 5
	for i := range domains {
		w.run("at " + time.Date(2000, 1, 1, 0, 0, i, 0, time.UTC).Format(time.RFC3339))
		w.must(fmt.Sprintf(`reg-a domain_create {"name": "n%d.example", "registrant": "c-one"}`, domains-i))
	}
	w.run("at 2005-06-01T00:00:00Z")
	ticks := 1
	for ; w.tick().GetMoreDue(); ticks++ {
		if ticks > domains*years {
			t.Fatal("work is due for ever")
		}
	}
	if want := domains*years/200 + 1; ticks != want {
		t.Errorf("%d renewals took %d ticks, want %d of 200 each", domains*years, ticks, want)
	}
	var told int
	w.view(func(tx *store.ReadTx) {
		queue := tx.PollQueue("reg-a")
		told = int(queue.Count)
		var last time.Time
		for n := queue.Head; n < queue.Head+queue.Count; n++ {
			m, _ := tx.PollMessage("reg-a", n)
			if m.ActAt.Before(last) {
				t.Fatalf("message %d is of %s, after one of %s", n, m.ActAt, last)
			}
			last = m.ActAt
		}
	})
	if told != domains*years {
		t.Errorf("%d renewals were told, want %d", told, domains*years)
	}
	w.checkInvariants()
}
