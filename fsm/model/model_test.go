package model_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/fsm/model"
	"cadastre/registry"
	"cadastre/store"
)

func TestMain(m *testing.M) {
	flag.Int("commands", 8000, "how many random commands")
	flag.Uint64("seed", 1, "of the random commands")
	flag.Parse()
	os.Exit(m.Run())
}

func intFlag(name string) int { return flag.Lookup(name).Value.(flag.Getter).Get().(int) }

// pair is the state machine and the model, side by side.
type pair struct {
	t       *testing.T
	random  *rand.Rand
	store   *store.Store
	machine *fsm.Machine
	model   *model.Model
	index   uint64
	roids   int
	actor   string // who sends the next command
	// How much of the ledger has been compared: rows of the model, and the next of the store.
	ledgerSeen int
	nextRow    uint64
}

// own picks, half of the time, one of what the actor has, so that many commands succeed.
func own[T any](p *pair, all map[string]T, sponsor func(T) string) (string, bool) {
	if p.random.IntN(2) == 0 {
		return "", false
	}
	var keys []string
	for key, object := range all {
		if sponsor(object) == p.actor {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return "", false
	}
	slices.Sort(keys)
	return p.pick(keys...), true
}

func policyOf(autoRenew bool) *registry.TLDPolicy {
	return &registry.TLDPolicy{
		ROIDSuffix: "EX", Currency: "EUR", CreatePriceMinor: 1000, RenewPriceMinor: 700, TransferPriceMinor: 900, RestorePriceMinor: 4000, MinPeriodYears: 1, MaxPeriodYears: 10, AutoRenew: autoRenew,
		AddGraceDays: 5, RenewGraceDays: 5, AutoRenewGraceDays: 45, TransferGraceDays: 5, RedemptionDays: 30, PendingDeleteDays: 5,
		MinNameServers: 2, MaxNameServers: 4, MaxContacts: 3, RegistrantRequired: true, AllowPrivateAddresses: true, ReservedLabels: []string{"nic"},
		TransferPendingDays: 6, RestoreReportDays: 8, MaxDelegationSigners: 3,
		PremiumNames: []registry.PremiumName{{Label: "d5", Class: "tier 1", CreatePriceMinor: 3000, RenewPriceMinor: 2000, RestorePriceMinor: 6000}},
		ApexServers:  []registry.ApexServer{{Name: "a.nic.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}},
		SOAMName:     "a.nic.example", SOARName: "h.nic.example", SOARefreshSeconds: 1, SOARetrySeconds: 1, SOAExpireSeconds: 1, SOAMinimumSeconds: 1,
		ApexTTLSeconds: 1, DelegationTTLSeconds: 1,
	}
}

func newPair(t *testing.T, seed uint64, autoRenew bool) *pair {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	start := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	p := policyOf(autoRenew)
	if !autoRenew && seed%2 == 1 {
		p.ExpiryGraceDays, p.PurgeTimeSeconds = 20, 50400
	}
	m := model.New(model.Policy{
		TLD: "example", CreatePriceMinor: p.CreatePriceMinor, RenewPriceMinor: p.RenewPriceMinor, MinYears: p.MinPeriodYears, MaxYears: p.MaxPeriodYears, AutoRenew: p.AutoRenew,
		AddGraceDays: p.AddGraceDays, RenewGraceDays: p.RenewGraceDays, AutoGraceDays: p.AutoRenewGraceDays, RedemptionDays: p.RedemptionDays, PendingDeleteDays: p.PendingDeleteDays,
		MinNameServers: int(p.MinNameServers), MaxNameServers: int(p.MaxNameServers), MaxContacts: int(p.MaxContacts), RegistrantRequired: true, Reserved: p.ReservedLabels,
		TransferPriceMinor: p.TransferPriceMinor, RestorePriceMinor: p.RestorePriceMinor, TransferGraceDays: p.TransferGraceDays, TransferPendingDays: p.TransferPendingDays,
		RestoreReportDays: p.RestoreReportDays, ExpiryGraceDays: p.ExpiryGraceDays, PurgeTime: time.Duration(p.PurgeTimeSeconds) * time.Second, MaxDS: int(p.MaxDelegationSigners), Premium: map[string]model.Prices{"d5": {CreateMinor: 3000, RenewMinor: 2000, TransferMinor: 2000, RestoreMinor: 6000}},
	}, start)
	out := &pair{t: t, random: rand.New(rand.NewPCG(seed, 7)), nextRow: 1, store: st, machine: fsm.New(st), model: m}
	operator := &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"}
	level := registry.LevelLifecycle // the first whose rules are the model's; the newest keeps other rows
	if seed%2 == 0 {
		level = registry.MaxFeatureLevel
		m.Policy.ExactTerms = true
	}
	out.apply(&fsmpb.Command{Actor: operator, Body: &fsmpb.Command_FeatureLevelRaise{FeatureLevelRaise: &fsmpb.FeatureLevelRaise{Level: level}}})
	out.apply(&fsmpb.Command{Actor: operator, Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: "example", Roid: "T", Policy: fsm.PolicyToProto(p)}}})
	for i, r := range registrars() {
		create := &fsmpb.RegistrarCreate{Id: r, Roid: fmt.Sprint("R", i), Currency: "EUR", OpeningDepositMinor: 60000, CreditLimitMinor: 500, LowBalanceMinor: 4000}
		if r != "reg-c" {
			create.Tlds = []string{"example"}
		}
		out.apply(&fsmpb.Command{Actor: operator, Body: &fsmpb.Command_RegistrarCreate{RegistrarCreate: create}})
		m.Registrars[r] = &model.Registrar{CreditMinor: 500, LowBalanceMinor: 4000, Accredited: r != "reg-c"}
		m.Deposit(r, 60000)
	}
	return out
}

func registrars() []string { return []string{"reg-a", "reg-b", "reg-c"} }

func (p *pair) apply(c *fsmpb.Command) *fsmpb.Result {
	data, err := proto.Marshal(&fsmpb.Envelope{FormatVersion: fsm.FormatVersion, LeaderTimeMs: p.model.Now.UnixMilli(), Commands: []*fsmpb.Command{c}})
	if err != nil {
		p.t.Fatal(err)
	}
	p.index++
	results, _ := p.machine.Apply([]fsm.Entry{{Index: p.index, Term: 1, Data: data}})
	return results[0][0]
}

func (p *pair) pick(list ...string) string { return list[p.random.IntN(len(list))] }

func (p *pair) some(most int, list ...string) []string {
	var out []string
	for range p.random.IntN(most + 1) {
		out = append(out, p.pick(list...))
	}
	return out
}

func (p *pair) domain() string {
	if name, found := own(p, p.model.Domains, func(d *model.Domain) string { return d.Sponsor }); found {
		return name
	}
	return p.pick("d1", "d2", "d3", "d4", "d5", "nic", "ab--c", "x.d1") + p.pick(".example", ".example", ".example", ".example", ".example", ".example", ".other")
}

func (p *pair) host() string {
	if name, found := own(p, p.model.Hosts, func(h *model.Host) string { return h.Sponsor }); found {
		return name
	}
	return p.pick("ns1.d1.example", "ns2.d1.example", "ns1.d2.example", "d3.example", "a.b.d4.example", "ns1.ext.test", "ns2.ext.test", "ns3.ext.test")
}

func (p *pair) hosts(most int) []string {
	var out []string
	for range p.random.IntN(most + 1) {
		out = append(out, p.host())
	}
	return out
}

func (p *pair) contact() string {
	if id, found := own(p, p.model.Contacts, func(c *model.Contact) string { return c.Sponsor }); found {
		return id
	}
	return p.pick("con-1", "CON-1", "con-2", "con-3", "con-4")
}

func (p *pair) contacts(most int) []*fsmpb.DomainContact {
	var out []*fsmpb.DomainContact
	for range p.random.IntN(most + 1) {
		out = append(out, &fsmpb.DomainContact{Role: p.pick("admin", "tech", "billing"), Id: p.contact()})
	}
	return out
}

func (p *pair) addresses(most int) [][]byte {
	var out [][]byte
	for range p.random.IntN(most + 1) {
		out = append(out, netip.MustParseAddr(p.pick("192.0.2.1", "192.0.2.2", "2001:db8::1", "127.0.0.1")).AsSlice())
	}
	return out
}

func (p *pair) statuses() []string {
	return p.some(2, "clientHold", "clientUpdateProhibited", "clientDeleteProhibited", "clientRenewProhibited", "clientTransferProhibited", "serverHold", "ok")
}

func (p *pair) roid() string {
	p.roids++
	return fmt.Sprint("X", p.roids)
}

// command makes a command: often one that fits the state, often any.
func (p *pair) command() *fsmpb.Command {
	c := &fsmpb.Command{}
	if p.random.IntN(2) != 0 || !p.sensible(c) {
		p.anyCommand(c)
	}
	c.Actor = &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_REGISTRAR, Id: p.actor}
	if strings.HasSuffix(fsm.Verb(c), "_server_update") {
		c.Actor = &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"}
		c.Reason = "a test"
	}
	return c
}

func (p *pair) anyCommand(c *fsmpb.Command) {
	switch p.random.IntN(30) {
	case 16, 17, 18, 19, 20, 21:
		p.transferCommand(c)
	case 22, 23, 24:
		p.restoreCommand(c)
	case 25, 26:
		p.operatorCommand(c)
	case 27, 28, 29:
		p.pollCommand(c)
	case 0, 1:
		c.Body = &fsmpb.Command_ContactCreate{ContactCreate: &fsmpb.ContactCreate{Id: p.contact(), Roid: p.roid(), Email: "a@example.net", AuthInfo: p.authInfo(),
			Postal: []*fsmpb.PostalInfo{{Type: "int", Name: "A", City: "B", CountryCode: "CH"}}}}
	case 2:
		c.Body = &fsmpb.Command_ContactUpdate{ContactUpdate: &fsmpb.ContactUpdate{Id: p.contact(), AddStatuses: p.statuses(), RemoveStatuses: p.statuses(), AuthInfo: p.newSecret()}}
	case 3:
		c.Body = &fsmpb.Command_ContactDelete{ContactDelete: &fsmpb.ContactDelete{Id: p.contact()}}
	case 4, 5:
		c.Body = &fsmpb.Command_HostCreate{HostCreate: &fsmpb.HostCreate{Name: p.host(), Roid: p.roid(), Addresses: p.addresses(2)}}
	case 6:
		update := &fsmpb.HostUpdate{Name: p.host(), AddAddresses: p.addresses(1), RemoveAddresses: p.addresses(1), AddStatuses: p.statuses(), RemoveStatuses: p.statuses()}
		if p.random.IntN(2) == 0 {
			update.NewName = p.host()
		}
		c.Body = &fsmpb.Command_HostUpdate{HostUpdate: update}
	case 7:
		c.Body = &fsmpb.Command_HostDelete{HostDelete: &fsmpb.HostDelete{Name: p.host()}}
	case 8, 9, 10:
		name, years := p.domain(), uint32(p.random.IntN(12))
		c.Body = &fsmpb.Command_DomainCreate{DomainCreate: &fsmpb.DomainCreate{Name: name, Roid: p.roid(), PeriodYears: years, AuthInfo: p.authInfo(),
			Ds: p.delegationSigners(1), Fee: p.fee(name, p.prices(name).CreateMinor*int64(max(1, years))),
			Registrant: p.pick("", p.contact(), p.contact(), p.contact()), Contacts: p.contacts(2), NameServers: p.hosts(3)}}
	case 11, 12:
		update := &fsmpb.DomainUpdate{Name: p.domain(), AddNameServers: p.hosts(2), RemoveNameServers: p.hosts(1), AddContacts: p.contacts(1), RemoveContacts: p.contacts(1),
			AddStatuses: p.statuses(), RemoveStatuses: p.statuses(), AuthInfo: p.newSecret()}
		switch p.random.IntN(6) {
		case 0:
			update.RemoveAllDs = true
		case 1:
			update.AddDs, update.RemoveDs = p.delegationSigners(2), p.delegationSigners(1)
		}
		if p.random.IntN(3) == 0 {
			registrant := p.pick("", p.contact())
			update.Registrant = &registrant
		}
		if p.random.IntN(3) == 0 { // an update of statuses alone has its own rule
			update = &fsmpb.DomainUpdate{Name: update.Name, RemoveStatuses: []string{p.pick("clientUpdateProhibited", "clientHold", "clientDeleteProhibited", "clientTransferProhibited")}}
		}
		c.Body = &fsmpb.Command_DomainUpdate{DomainUpdate: update}
	case 13:
		c.Body = &fsmpb.Command_DomainDelete{DomainDelete: &fsmpb.DomainDelete{Name: p.domain()}}
	default:
		name := p.domain()
		expiry := p.model.Now.Format(time.DateOnly)
		if d := p.model.Domains[name]; d != nil && p.random.IntN(4) != 0 {
			expiry = d.ExpiresAt.Format(time.DateOnly)
		}
		years := uint32(p.random.IntN(4))
		c.Body = &fsmpb.Command_DomainRenew{DomainRenew: &fsmpb.DomainRenew{Name: name, CurrentExpiryDate: expiry, PeriodYears: years, Fee: p.fee(name, p.prices(name).RenewMinor*int64(max(1, years)))}}
	}
}

// identify tells the model the identifier of a new object, which is the state machine's to choose.
func (p *pair) identify(c *fsmpb.Command, roid string) {
	switch body := c.GetBody().(type) {
	case *fsmpb.Command_DomainCreate:
		p.model.Domains[body.DomainCreate.GetName()].ROID = roid
	case *fsmpb.Command_ContactCreate:
		p.model.Contacts[strings.ToLower(body.ContactCreate.GetId())].ROID = roid
	}
}

// newSecret changes authorisation information now and then.
func (p *pair) newSecret() *fsmpb.AuthInfo {
	if p.random.IntN(3) != 0 {
		return nil
	}
	return p.authInfo()
}

// pay fills the account of a registrar who has run out of money, sometimes.
func (p *pair) pay() {
	id := p.pick(registrars()...)
	if p.model.Registrars[id].BalanceMinor > 3000 {
		return
	}
	deposit := int64(20000)
	p.model.Deposit(id, deposit)
	p.apply(&fsmpb.Command{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"},
		Body:  &fsmpb.Command_RegistrarUpdate{RegistrarUpdate: &fsmpb.RegistrarUpdate{Id: id, DepositMinor: &deposit}},
	})
}

// pass lets time pass, from hours to years.
func (p *pair) pass() {
	p.pay()
	hours := []int{1, 24, 24 * 4, 24 * 31, 24 * 200, 24 * 365 * 2}[p.random.IntN(6)]
	p.model.Advance(p.model.Now.Add(time.Duration(1+p.random.IntN(hours)) * time.Hour))
	tick := &fsmpb.Command{Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM}, Body: &fsmpb.Command_Tick{Tick: &fsmpb.Tick{}}}
	for due := true; due; {
		p.apply(tick)
		if err := p.store.View(func(tx *store.ReadTx) error { due = tx.DueNow(); return nil }); err != nil {
			p.t.Fatal(err)
		}
	}
}

// TestAgainstModel runs random commands of three registrars over a handful of names: the
// state machine must end each as the model does, and come to the same registry.
func TestAgainstModel(t *testing.T) {
	for _, autoRenew := range []bool{true, false} {
		t.Run(fmt.Sprintf("auto_renew=%v", autoRenew), func(t *testing.T) {
			seed := flag.Lookup("seed").Value.(flag.Getter).Get().(uint64)
			p := newPair(t, seed, autoRenew)
			counts, succeeded := map[registry.Code]int{}, map[string]int{}
			for i := range intFlag("commands") {
				if p.random.IntN(50) == 0 {
					p.pass()
					p.step(fmt.Sprintf("time before command %d of seed %d", i, seed))
				}
				p.actor = p.pick("reg-a", "reg-a", "reg-b", "reg-b", "reg-c")
				c := p.command()
				want := p.model.Apply(c)
				result := p.apply(c)
				if got := registry.Code(result.GetCode()); got != want {
					t.Fatalf("command %d of seed %d: %s by %s %v: the state machine says %v %v, the model %v", i, seed, fsm.Verb(c), p.actor, c.GetBody(), got, result.GetErrors(), want)
				}
				counts[want]++
				if want.IsSuccess() {
					succeeded[fsm.Verb(c)]++
					p.identify(c, result.GetRoid())
				}
				p.step(fmt.Sprintf("command %d of seed %d, %s %v,", i, seed, fsm.Verb(c), c.GetBody()))
			}
			if len(counts) < 17 {
				t.Errorf("only %d kinds of outcome occurred: %v", len(counts), counts)
			}
			if len(succeeded) < 24 && intFlag("commands") >= 8000 {
				t.Errorf("only these commands succeeded: %v", succeeded)
			}
			t.Logf("outcomes: %v, successes: %v", counts, succeeded)
		})
	}
}

// compare requires both sides to hold the same registry, and the ledger to sum to zero.
func (p *pair) compare(at string) {
	p.t.Helper()
	var got []string
	var sum int64
	err := p.store.View(func(tx *store.ReadTx) error {
		for _, r := range registrars() {
			got = append(got, fmt.Sprintf("balance %s %d", r, tx.Balance(registry.RegistrarID(r))))
		}
		tx.EachBalance(func(_ store.Account, _ string, minor int64) { sum += minor })
		got = append(got, p.storeObjects(tx)...)
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if sum != 0 {
		p.t.Fatalf("after %s all accounts sum to %d", at, sum)
	}
	if diff := cmp.Diff(p.modelObjects(), got); diff != "" {
		p.t.Fatalf("after %s (-model +state machine):\n%s", at, diff)
	}
}

func (p *pair) modelObjects() []string {
	var out []string
	for _, r := range registrars() {
		out = append(out, fmt.Sprintf("balance %s %d", r, p.model.Registrars[r].BalanceMinor))
	}
	var objects []string
	for _, c := range p.model.Contacts {
		objects = append(objects, fmt.Sprintf("contact %s %s %v secret=%s transfer=%s", c.ID, c.Sponsor, c.Statuses, modelSecretText(c.Secret), c.Transfer))
	}
	for _, h := range p.model.Hosts {
		objects = append(objects, fmt.Sprintf("host %s %s %v %v", h.Name, h.Sponsor, h.Addresses, h.Statuses))
	}
	for _, d := range p.model.Domains {
		var graces []string
		for _, g := range d.Graces {
			graces = append(graces, g.EndsAt.Format(time.RFC3339))
		}
		objects = append(objects, fmt.Sprintf("domain %s %s %s %s ns=%v contacts=%v %v graces=%v phase=%s %s secret=%s transfer=%s ds=%v", d.Name, d.Sponsor, d.ExpiresAt.Format(time.RFC3339),
			d.Registrant, d.NameServers, d.Contacts, d.Statuses, graces, d.Phase, phaseEnd(d.Phase != "", d.PhaseEndsAt), modelSecretText(d.Secret), d.Transfer, d.DS))
	}
	sort.Strings(objects)
	return append(out, objects...)
}

func phaseEnd(in bool, at time.Time) string {
	if !in {
		return "-"
	}
	return at.Format(time.RFC3339)
}

func (p *pair) storeObjects(tx *store.ReadTx) []string {
	var out []string
	for _, id := range []registry.ContactID{"con-1", "con-2", "con-3", "con-4", "con-5"} {
		if c, found := tx.Contact(id); found {
			out = append(out, fmt.Sprintf("contact %s %s %v secret=%s transfer=%s", c.ID, c.Sponsor, c.Statuses, secretText(c.AuthInfo), transferText(c.Transfer)))
		}
	}
	for _, name := range []registry.DomainName{"ns1.d1.example", "ns2.d1.example", "ns1.d2.example", "d3.example", "a.b.d4.example", "ns1.ext.test", "ns2.ext.test", "ns3.ext.test"} {
		if h, found := tx.Host(name); found {
			out = append(out, fmt.Sprintf("host %s %s %v %v", h.Name, h.Sponsor, h.Addresses, h.Statuses))
		}
	}
	for _, name := range []registry.DomainName{"d1.example", "d2.example", "d3.example", "d4.example", "d5.example"} {
		if d, found := tx.Domain(name); found {
			out = append(out, storeDomain(d))
		}
	}
	sort.Strings(out)
	return out
}

func storeDomain(d *registry.Domain) string {
	var graces, contacts []string
	for _, g := range d.Graces {
		graces = append(graces, g.EndsAt.Format(time.RFC3339))
	}
	for _, c := range d.Contacts {
		contacts = append(contacts, string(c.Role)+":"+string(c.ID))
	}
	phase := map[registry.DeletionPhase]string{registry.PhaseRedemption: "redemption", registry.PhasePendingDelete: "pendingDelete", registry.PhasePendingRestore: "pendingRestore"}[d.Phase]
	text := fmt.Sprintf("domain %s %s %s %s ns=%v contacts=%v %v graces=%v phase=%s %s secret=%s transfer=%s ds=%v", d.Name, d.Sponsor, d.ExpiresAt.Format(time.RFC3339),
		d.Registrant, d.NameServers, contacts, d.Statuses, graces, phase, phaseEnd(d.Phase != 0, d.PhaseEndsAt), secretText(d.AuthInfo), transferText(d.Transfer), dsTexts(d.DS))
	return strings.TrimSpace(text)
}

// TestModelKnowsEveryRegistrarCommandOfTheGenerator keeps the two lists of commands together.
func TestModelKnowsEveryRegistrarCommandOfTheGenerator(t *testing.T) {
	p := newPair(t, 3, true)
	seen := map[string]bool{}
	for range 2000 {
		p.actor = "reg-a"
		c := p.command()
		seen[fsm.Verb(c)] = true
		if code := p.model.Apply(c); code == registry.CodeInternal {
			t.Fatalf("the model does not know %s", fsm.Verb(c))
		}
	}
	want := []string{
		"contact_create", "contact_delete", "contact_server_update", "contact_transfer_approve", "contact_transfer_cancel", "contact_transfer_reject", "contact_transfer_request", "contact_update",
		"domain_create", "domain_delete", "domain_renew", "domain_restore_report", "domain_restore_request", "domain_server_update", "domain_transfer_approve", "domain_transfer_cancel",
		"domain_transfer_reject", "domain_transfer_request", "domain_update", "host_create", "host_delete", "host_server_update", "host_update", "poll_ack",
	}
	var got []string
	for verb := range seen {
		got = append(got, verb)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
