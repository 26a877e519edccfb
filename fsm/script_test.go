package fsm_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

func rewrite() bool { return flag.Lookup("rewrite").Value.String() == "true" }

func TestMain(m *testing.M) {
	flag.Bool("rewrite", false, "write what the scripts answer into the scripts")
	flag.Parse()
	os.Exit(m.Run())
}

// TestScripts runs testdata/*.txt: blocks of commands, a line of dashes, and what they
// answer. A command is "ACTOR VERB JSON" (operator! gives a reason), "at TIME", "polled REGISTRAR"
// (its messages, which are acknowledged), "ledger" (the rows since the last time) or one of the
// show commands below. JSON may be @FILE, with members for its policy behind it; $AUTH stands for
// authorisation information, or the proof that one knows it.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts found: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	var out []string
	for _, block := range strings.Split(strings.TrimSpace(string(data)), "\n\n") {
		commands, want, isBlock := strings.Cut(block, "\n----")
		if !isBlock {
			out = append(out, block) // a comment
			continue
		}
		var got strings.Builder
		for _, line := range strings.Split(commands, "\n") {
			if !strings.HasPrefix(line, "#") {
				fmt.Fprintln(&got, w.run(line))
			}
		}
		answer := strings.TrimSpace(got.String())
		if diff := cmp.Diff(strings.TrimSpace(want), answer); diff != "" && !rewrite() {
			t.Errorf("%s: after\n%s\n(-want +got):\n%s", file, commands, diff)
		}
		out = append(out, commands+"\n----\n"+answer)
	}
	w.checkInvariants()
	if rewrite() {
		if err := os.WriteFile(file, []byte(strings.Join(out, "\n\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// world is a machine with its log written by hand.
type world struct {
	t       *testing.T
	store   *store.Store
	machine *fsm.Machine
	index   uint64
	now     time.Time
	counter uint64
	log     []fsm.Entry
	// shownRows is how many rows of the ledger a script has seen.
	shownRows uint64
}

func newWorld(t *testing.T) *world {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return &world{t: t, store: st, machine: fsm.New(st), now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (w *world) run(line string) string {
	head, rest, _ := strings.Cut(line, " ")
	switch head {
	case "at":
		at, err := time.Parse(time.RFC3339, rest)
		if err != nil {
			w.t.Fatal(err)
		}
		w.now = at
		return "at " + rest
	case "show":
		return w.show(rest)
	case "tick":
		return w.tickAll()
	case "polled":
		return w.polled(rest)
	case "ledger":
		return w.ledger()
	}
	verb, body, _ := strings.Cut(rest, " ")
	if file, isFile := strings.CutPrefix(body, "@"); isFile {
		body = w.fileWith(file)
	}
	body = strings.ReplaceAll(body, "$AUTH", proofJSON())
	return describe(w.apply(w.command(head, verb, body)))
}

func (w *world) command(actor, verb, body string) *fsmpb.Command {
	var c fsmpb.Command
	if err := protojson.Unmarshal(fmt.Appendf(nil, "{%q: %s}", verb, body), &c); err != nil {
		w.t.Fatalf("%s %s: %v", verb, body, err)
	}
	w.counter++
	if known, reasoned := strings.CutSuffix(actor, "!"); reasoned {
		actor, c.Reason = known, "a reason"
	}
	kind := map[string]fsmpb.ActorKind{"operator": fsmpb.ActorKind_ACTOR_KIND_OPERATOR, "system": fsmpb.ActorKind_ACTOR_KIND_SYSTEM}[actor]
	if kind == fsmpb.ActorKind_ACTOR_KIND_UNSPECIFIED {
		kind = fsmpb.ActorKind_ACTOR_KIND_REGISTRAR
	}
	c.Actor = &fsmpb.Actor{Kind: kind, Id: actor}
	c.RequestId = &fsmpb.RequestID{OriginNode: "n1", BootEpoch: 1, Counter: w.counter}
	if create := c.GetDomainCreate(); create != nil && create.GetRoid() == "" {
		create.Roid = fmt.Sprint("D", w.counter)
	}
	if create := c.GetHostCreate(); create != nil && create.GetRoid() == "" {
		create.Roid = fmt.Sprint("H", w.counter)
	}
	if create := c.GetContactCreate(); create != nil && create.GetRoid() == "" {
		create.Roid = fmt.Sprint("C", w.counter)
	}
	if create := c.GetOrgCreate(); create != nil && create.GetRoid() == "" {
		create.Roid = fmt.Sprint("O", w.counter)
	}
	return &c
}

// apply puts the commands into one entry and applies it.
func (w *world) apply(commands ...*fsmpb.Command) *fsmpb.Result {
	data, err := proto.Marshal(&fsmpb.Envelope{FormatVersion: fsm.FormatVersion, LeaderTimeMs: w.now.UnixMilli(), Commands: commands})
	if err != nil {
		w.t.Fatal(err)
	}
	w.index++
	e := fsm.Entry{Index: w.index, Term: 1, Data: data}
	w.log = append(w.log, e)
	results, _ := w.machine.Apply([]fsm.Entry{e})
	return results[0][len(commands)-1]
}

// tickAll ticks until nothing is due.
func (w *world) tickAll() string {
	for ticks := 1; ; ticks++ {
		if result := w.apply(w.command("system", "tick", "{}")); result.GetMoreDue() {
			continue
		}
		due := false
		w.view(func(tx *store.ReadTx) { due = tx.DueNow() })
		if !due {
			return "ticked"
		}
		if ticks > 1000 {
			w.t.Fatal("work is due for ever")
		}
	}
}

func (w *world) view(fn func(tx *store.ReadTx)) {
	w.t.Helper()
	if err := w.store.View(func(tx *store.ReadTx) error { fn(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

func describe(r *fsmpb.Result) string {
	var refused *registry.Error
	if err := fsm.ResultError(r); errors.As(err, &refused) {
		return fmt.Sprintf("%s: %s", refused.Code, refused)
	}
	parts := []string{registry.Code(r.GetCode()).String()}
	add := func(name, value string) {
		if value != "" && value != "0" {
			parts = append(parts, name+"="+value)
		}
	}
	add("roid", r.GetRoid())
	if r.GetExpiresAtMs() != 0 {
		add("expires", time.UnixMilli(r.GetExpiresAtMs()).UTC().Format(time.RFC3339))
	}
	if r.GetChargedMinor() != 0 {
		add("charged", registry.FormatMinorUnits(r.GetChargedMinor())+r.GetCurrency())
	}
	add("serial", fmt.Sprint(r.GetSerial()))
	if t := r.GetTransfer(); t != nil {
		add("transfer", describeTransfer(fsm.TransferFromProto(t)))
	}
	return strings.Join(parts, " ")
}

func (w *world) show(what string) string {
	var out strings.Builder
	kind, name, _ := strings.Cut(what, " ")
	w.view(func(tx *store.ReadTx) {
		switch kind {
		case "domain":
			showDomain(&out, tx, registry.DomainName(name))
		case "host":
			h, found := tx.Host(registry.DomainName(name))
			if !found {
				fmt.Fprintf(&out, "no host %s", name)
				return
			}
			fmt.Fprintf(&out, "%s %s sponsor=%s superordinate=%s addresses=%v statuses=%v users=%v", h.Name, h.ROID, h.Sponsor, h.Superordinate, h.Addresses, h.Statuses, tx.HostUsers(h.Name, 9))
			if h.FormerName != "" {
				fmt.Fprintf(&out, " formerly=%s", h.FormerName)
			}
			showTTLs(&out, h.TTLs)
			showOrgLinks(&out, h.Orgs)
		case "guard":
			g := tx.ZoneGuard(registry.DomainName(name))
			fmt.Fprintf(&out, "delegations=%d counted=%v removed=%d of %d since %s", g.Delegations, g.IsCounted, g.Removed, g.WindowBase, g.WindowAt.Format(time.RFC3339))
			for what, at := range []time.Time{g.HeldAt, g.ReleasedUntil, g.DSGoneAt} {
				if !at.IsZero() {
					fmt.Fprintf(&out, " %s=%s", []string{"held", "released_until", "ds_gone"}[what], at.Format(time.RFC3339))
				}
			}
			out.WriteString(" " + g.Limit)
		case "contact":
			c, found := tx.Contact(registry.ContactID(name))
			if !found {
				fmt.Fprintf(&out, "no contact %s", name)
				return
			}
			fmt.Fprintf(&out, "%s %s sponsor=%s statuses=%v authInfo=%v transfer=%s", c.ID, c.ROID, c.Sponsor, c.Statuses, c.AuthInfo.IsSet(tx.Now()), describeTransfer(c.Transfer))
			if c.AdditionalEmail.Address != "" {
				fmt.Fprintf(&out, " email=%s,%+v", c.Email, c.AdditionalEmail)
			}
			showOrgLinks(&out, c.Orgs)
		case "org":
			showOrg(&out, tx, registry.OrgID(name))
		case "transfer":
			d, _ := tx.Domain(registry.DomainName(name))
			fmt.Fprintf(&out, "%s authInfo=%v transfer=%s", d.Name, d.AuthInfo.IsSet(tx.Now()), describeTransfer(d.Transfer))
		case "access":
			r, _ := tx.Registrar(registry.RegistrarID(name))
			fmt.Fprintf(&out, "%s %s sources=%v thin=%v query=%d transform=%d", r.ID, r.State, r.Sources, r.ThinTLDs, r.QueryRate, r.TransformRate)
		case "maintenance":
			m, found := tx.Maintenance(name)
			if !found {
				fmt.Fprintf(&out, "no maintenance %s", name)
				return
			}
			fmt.Fprintf(&out, "%s revision=%d %s to %s tlds=%v cancelled=%v ended=%v courtesy=%s due=%s", m.ID, m.Revision, m.StartsAt.Format(time.RFC3339), m.EndsAt.Format(time.RFC3339),
				m.TLDs, m.Cancelled, m.Ended, m.CourtesyAt.Format(time.RFC3339), m.NextDueAt().Format(time.RFC3339))
		case "poll":
			showPoll(&out, tx, registry.RegistrarID(name))
		case "balance":
			fmt.Fprintf(&out, "%s %s", name, registry.FormatMinorUnits(tx.Balance(registry.RegistrarID(name))))
		case "release":
			d, _ := tx.Domain(registry.DomainName(name))
			fmt.Fprintf(&out, "%s expires=%s phase=%d due=%s delegated=%v", d.Name, d.ExpiresAt.Format(time.DateOnly), d.Phase, d.NextDueAt().Format(time.RFC3339), d.IsDelegated())
		case "dirty":
			fmt.Fprint(&out, tx.Dirty(registry.DomainName(name), 99))
		case "history":
			tx.History(registry.ROID(name), func(v *store.Version) bool {
				fmt.Fprintf(&out, "%d %s by %s deleted=%v", v.Index, v.Verb, v.Actor, v.Deleted)
				if r := v.Report; r != nil {
					fmt.Fprintf(&out, " report=%q", []string{r.PreData, r.PostData, r.DeletedAt.Format(time.RFC3339), r.RestoredAt.Format(time.RFC3339), r.Reason, fmt.Sprint(r.Statements), r.Other})
				}
				fmt.Fprintln(&out)
				return true
			})
		case "application":
			showApplication(&out, tx, name)
		case "token":
			showToken(&out, tx, name)
		case "zone":
			tx.EachPublished(registry.DomainName(name), func(o store.OwnerRecords) bool {
				fmt.Fprintf(&out, "%s %q\n", o.Owner, o.RRs)
				return true
			})
		default:
			w.t.Fatalf("cannot show %q", what)
		}
	})
	return strings.TrimSpace(out.String())
}

func describeTransfer(t *registry.Transfer) string {
	if t == nil {
		return "none"
	}
	text := fmt.Sprintf("%s %s->%s requested=%s act=%s", t.Status, t.Losing, t.Requester, t.RequestedAt.Format(time.DateOnly), t.ActAt.Format(time.DateOnly))
	if !t.ExpiresAt.IsZero() {
		text += " expires=" + t.ExpiresAt.Format(time.DateOnly)
	}
	return text
}

// showPoll shows the registrar's queue, the first message first.
func showPoll(out *strings.Builder, tx *store.ReadTx, id registry.RegistrarID) {
	queue := tx.PollQueue(id)
	fmt.Fprintf(out, "%s %d waiting\n", id, queue.Count)
	kinds := map[registry.PollKind]string{
		registry.PollTransfer: "transfer", registry.PollAutoRenew: "auto-renewal", registry.PollRedemption: "redemption", registry.PollPurge: "purge",
		registry.PollRestoreLapsed: "restore lapsed", registry.PollChange: "change", registry.PollLowBalance: "low balance",
		registry.PollKeyRelay:    "key relay",
		registry.PollExpired:     "expired",
		registry.PollApplication: "application",
	}
	for n := queue.Head; n < queue.Head+queue.Count; n++ {
		m, found := tx.PollMessage(id, n)
		if !found {
			fmt.Fprintf(out, "%d is lost\n", n)
			continue
		}
		fmt.Fprintf(out, "%d %s %s %s", n, m.At.Format(time.DateOnly), kinds[m.Kind], m.Key)
		if m.Transfer != nil {
			fmt.Fprintf(out, " %s", describeTransfer(m.Transfer))
		}
		if !m.ExpiresAt.IsZero() {
			fmt.Fprintf(out, " expires=%s act=%s", m.ExpiresAt.Format(time.DateOnly), m.ActAt.Format(time.DateOnly))
		}
		if b := m.LowBalance; b != nil {
			fmt.Fprintf(out, " %s of %s, credit %s", registry.FormatMinorUnits(b.BalanceMinor), registry.FormatMinorUnits(b.ThresholdMinor), registry.FormatMinorUnits(b.CreditLimitMinor))
		}
		if m.Action.Index != 0 {
			fmt.Fprintf(out, " action=%d-%d-%d", m.Action.Term, m.Action.Index, m.Action.InEntry)
		}
		if c := m.Change; c != nil {
			fmt.Fprintf(out, " %s %s by %s case=%v reason=%q", c.Operation, c.State, c.Who, c.Case, c.Reason)
		}
		showKeyRelay(out, m.KeyRelay)
		if s := m.Application; s != nil {
			fmt.Fprintf(out, " %s %s %s%s reason=%q", s.ID, s.Phase, s.Status, s.StatusName, s.Reason)
		}
		fmt.Fprintln(out)
	}
}

func showTTLs(out *strings.Builder, ttls registry.TTLs) {
	for _, t := range ttls {
		fmt.Fprintf(out, " ttl=%s/%d", t.Type, t.Seconds)
	}
}

func showDomain(out *strings.Builder, tx *store.ReadTx, name registry.DomainName) {
	d, found := tx.Domain(name)
	if !found {
		fmt.Fprintf(out, "no domain %s", name)
		return
	}
	fmt.Fprintf(out, "%s %s sponsor=%s expires=%s registrant=%s contacts=%v ns=%v statuses=%v phase=%d", d.Name, d.ROID, d.Sponsor,
		d.ExpiresAt.Format(time.RFC3339), d.Registrant, d.Contacts, d.NameServers, d.Statuses, d.Phase)
	for _, g := range d.Graces {
		fmt.Fprintf(out, " grace%d=%s", g.Kind, g.EndsAt.Format(time.DateOnly))
	}
	for _, ds := range d.DS {
		fmt.Fprintf(out, " ds=%d/%d/%d/%x", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest[:2])
	}
	for _, key := range d.Keys {
		fmt.Fprintf(out, " key=%d/%d/%d/%q", key.Flags, key.Protocol, key.Algorithm, key.Data)
	}
	showTTLs(out, d.TTLs)
	showOrgLinks(out, d.Orgs)
	if d.MaxSigLifeSeconds != 0 {
		fmt.Fprintf(out, " maxsiglife=%d", d.MaxSigLifeSeconds)
	}
	if d.IDN != (registry.IDN{}) {
		fmt.Fprintf(out, " idn=%s/%s", d.IDN.Table, d.IDN.Key)
	}
	if d.LaunchPhase.Type != "" {
		fmt.Fprintf(out, " phase=%s", d.LaunchPhase)
	}
	for _, n := range d.ClaimsNotices {
		fmt.Fprintf(out, " notice=%s/%s", n.ValidatorID, n.ID)
	}
	if d.PriceClass != "" {
		fmt.Fprintf(out, " class=%s", d.PriceClass)
	}
	if d.Phase == registry.PhasePendingRestore {
		fmt.Fprintf(out, " report until=%s delegated=%v", d.PhaseEndsAt.Format(time.RFC3339), d.IsDelegated())
	}
}

// checkInvariants holds at every state: the ledger sums to zero, the hash is that of the
// rows, and replaying the log in one batch or one by one gives the same state.
func (w *world) checkInvariants() {
	w.t.Helper()
	var hash []byte
	w.view(func(tx *store.ReadTx) {
		sums := map[string]int64{}
		tx.EachBalance(func(_ store.Account, currency string, minor int64) { sums[currency] += minor })
		for currency, sum := range sums {
			if sum != 0 {
				w.t.Errorf("the accounts in %s sum to %d, not zero", currency, sum)
			}
		}
		hash = tx.StateHash()
		if diff := cmp.Diff(hash, tx.VerifyStateHash()); diff != "" {
			w.t.Errorf("the kept state hash is not that of the rows:\n%s", diff)
		}
	})
	again := newWorld(w.t)
	again.machine.Apply(w.log)
	again.view(func(tx *store.ReadTx) {
		if diff := cmp.Diff(hash, tx.StateHash()); diff != "" {
			w.t.Errorf("replaying the log in one batch gives another state:\n%s", diff)
		}
	})
}
