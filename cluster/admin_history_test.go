package cluster

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"cadastre/cluster/clusterpb"
	"cadastre/registry"
	"cadastre/store"
)

// chunks reads a stream whose last message has done set.
func chunks[M any](t *testing.T, stream grpc.ServerStreamingClient[M], err error, done func(*M) bool) ([]*M, error) {
	t.Helper()
	if err != nil {
		return nil, err
	}
	var all []*M
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			if len(all) == 0 || !done(all[len(all)-1]) {
				t.Error("the stream ended without its last chunk")
			}
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
}

func statementOf(t *testing.T, admin clusterpb.AdminClient, req *clusterpb.LedgerRequest) (entries []*clusterpb.LedgerEntry, last *clusterpb.LedgerChunk, err error) {
	t.Helper()
	stream, err := admin.Ledger(testContext(t), req)
	all, err := chunks(t, stream, err, func(c *clusterpb.LedgerChunk) bool { return c.GetDone() })
	if err != nil {
		return nil, nil, ErrorFromStatus(err)
	}
	for _, c := range all {
		entries = append(entries, c.GetEntries()...)
	}
	return entries, all[len(all)-1], nil
}

func TestLedgerSumsToTheBalance(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1")
	start := time.UnixMilli(1_000_000_000).UTC()
	account := store.RegistrarAccount("reg-a")
	change(t, c.nodes["n1"], func(tx *store.Tx) {
		tx.PutRegistrar(&registry.Registrar{ID: "reg-a", ROID: "R1-REG", Currency: "EUR"})
		tx.PostLedger(store.LedgerRow{Kind: store.LedgerDeposit, From: store.AccountBank, To: account, AmountMinor: 100_000, Currency: "EUR", At: start})
		for i := range 3 * rowsPerChunk {
			tx.PostLedger(store.LedgerRow{Kind: store.LedgerCreate, From: account, To: store.AccountRevenue, AmountMinor: 10, Currency: "EUR",
				Object: fmt.Sprintf("n%d.example", i), Years: 1, At: start.Add(time.Duration(i+1) * time.Second)})
		}
	})
	admin := operatorOf(t, c, "n1")
	entries, last, err := statementOf(t, admin, &clusterpb.LedgerRequest{RegistrarId: "reg-a"})
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, e := range entries {
		if sum += e.GetAmountMinor(); sum != e.GetBalanceMinor() {
			t.Fatalf("row %d says %d, the sum is %d", e.GetNumber(), e.GetBalanceMinor(), sum)
		}
	}
	if len(entries) != 3*rowsPerChunk+1 || sum != last.GetBalanceMinor() || last.GetClosingMinor() != sum || last.GetOpeningMinor() != 0 || last.GetCurrency() != "EUR" {
		t.Errorf("%d rows, sum %d, last %v", len(entries), sum, last)
	}
	entries, last, err = statementOf(t, admin, &clusterpb.LedgerRequest{RegistrarId: "reg-a",
		FromMs: start.Add(2 * time.Second).UnixMilli(), ToMs: start.Add(4 * time.Second).UnixMilli()})
	if err != nil || len(entries) != 2 || entries[0].GetObject() != "n1.example" || last.GetOpeningMinor() != 99_990 || last.GetClosingMinor() != 99_970 || last.GetBalanceMinor() != sum {
		t.Errorf("two seconds: %v, last %v, %v", entries, last, err)
	}
	if _, _, err := statementOf(t, admin, &clusterpb.LedgerRequest{RegistrarId: "reg-b"}); !errors.Is(err, registry.CodeObjectDoesNotExist) {
		t.Errorf("of nobody: %v", err)
	}
	if _, _, err := statementOf(t, admin, &clusterpb.LedgerRequest{RegistrarId: "reg-a", FromMs: 5, ToMs: 4}); !errors.Is(err, registry.CodeParameterRange) {
		t.Errorf("backwards: %v", err)
	}
}

func TestHistoryOutlivesTheObject(t *testing.T) {
	c := startFakeCluster(t, "n1", "n1")
	at := func(second int) time.Time { return time.UnixMilli(int64(second) * 1000).UTC() }
	step := func(second int, verb string, fn func(tx *store.Tx)) {
		change(t, c.nodes["n1"], func(tx *store.Tx) {
			tx.BeginEntry(uint64(second), 7)
			tx.BeginCommand(1)
			tx.SetCause(store.Cause{Verb: verb, ActorKind: 1, Actor: "reg-a", CLTRID: "c", Reason: "why", At: at(second)})
			fn(tx)
			tx.Keep()
			tx.EndEntry()
		})
	}
	domain := func(roid registry.ROID, class string) *registry.Domain {
		return &registry.Domain{Provenance: registry.Provenance{ROID: roid, Sponsor: "reg-a"}, Name: "one.example", TLD: "example", ExpiresAt: at(99), PriceClass: class,
			AuthInfo: registry.AuthInfo{Salt: []byte("salt"), Hash: []byte("hash")}}
	}
	host := &registry.Host{Provenance: registry.Provenance{ROID: "H1-EX"}, Name: "one.example"}
	renamed := *host
	renamed.Name = "two.example"
	step(10, "domain_create", func(tx *store.Tx) { tx.PutDomain(nil, domain("D1-EX", "")) })
	step(20, "domain_delete", func(tx *store.Tx) { tx.DeleteDomain(domain("D1-EX", "")) })
	step(30, "domain_create", func(tx *store.Tx) { tx.PutDomain(nil, domain("D2-EX", "gold")) })
	step(40, "host_create", func(tx *store.Tx) { tx.PutHost(nil, host) })
	step(50, "host_update", func(tx *store.Tx) { tx.DeleteHost(host); tx.PutHost(nil, &renamed) })
	step(60, "contact_create", func(tx *store.Tx) {
		tx.PutContact(nil, &registry.Contact{Provenance: registry.Provenance{ROID: "C1-EX"}, ID: "Con-1", Email: "a@b"})
	})
	org := &registry.Org{Provenance: registry.Provenance{ROID: "O1-EX"}, ID: "Org-1", Email: "o@b", Roles: []registry.OrgRole{{Type: "reseller"}}}
	step(70, "org_create", func(tx *store.Tx) { tx.PutOrg(nil, org) })
	step(80, "org_delete", func(tx *store.Tx) { tx.DeleteOrg(org) })
	admin := operatorOf(t, c, "n1")
	read := func(name string, second int) []string {
		t.Helper()
		stream, err := admin.History(testContext(t), &clusterpb.HistoryRequest{Name: name, AtMs: at(second).UnixMilli()})
		all, err := chunks(t, stream, err, func(c *clusterpb.HistoryChunk) bool { return c.GetDone() })
		if err != nil {
			refused, known := errors.AsType[*registry.Error](ErrorFromStatus(err))
			if !known {
				t.Fatal(err)
			}
			return []string{refused.Code.String()}
		}
		var out []string
		for _, chunk := range all {
			for _, v := range chunk.GetVersions() {
				out = append(out, fmt.Sprintf("%s %s %s %d-%d-%d by %s deleted=%v", v.GetRoid(), v.GetName(), v.GetVerb(), v.GetTerm(), v.GetIndex(), v.GetInEntry(), v.GetActor(), v.GetDeleted()))
				for _, f := range v.GetFacts() {
					if f.GetName() == "price_class" || f.GetName() == "auth_info_set" || f.GetName() == "email" {
						out[len(out)-1] += " " + f.GetName() + "=" + f.GetValue()
					}
				}
			}
		}
		return out
	}
	first, second := "D1-EX one.example domain_create 7-10-1 by reg-a deleted=false auth_info_set=true", "D2-EX one.example domain_create 7-30-1 by reg-a deleted=false price_class=gold auth_info_set=true"
	hostMade, hostRenamed := "H1-EX one.example host_create 7-40-1 by reg-a deleted=false", "H1-EX two.example host_update 7-50-1 by reg-a deleted=false"
	contact := "C1-EX Con-1 contact_create 7-60-1 by reg-a deleted=false email=a@b auth_info_set=false"
	for _, test := range []struct {
		name   string
		second int
		want   []string
	}{
		{"ONE.example", 0, []string{first, "D1-EX one.example domain_delete 7-20-1 by reg-a deleted=true", second, hostMade, hostRenamed}},
		{"one.example", 15, []string{first}},
		{"one.example", 25, nil},
		{"one.example", 45, []string{second, hostMade}},
		{"one.example", 55, []string{second}},
		{"two.example", 55, []string{hostRenamed}},
		{"two.example", 45, nil},
		{"CON-1", 0, []string{contact}},
		{"org-1", 0, []string{"O1-EX Org-1 org_create 7-70-1 by reg-a deleted=false email=o@b", "O1-EX Org-1 org_delete 7-80-1 by reg-a deleted=true"}},
		{"org-1", 75, []string{"O1-EX Org-1 org_create 7-70-1 by reg-a deleted=false email=o@b"}},
		{"nobody.example", 0, []string{"object does not exist"}},
		{"-", 0, []string{"parameter syntax error"}},
	} {
		if diff := cmp.Diff(test.want, read(test.name, test.second)); diff != "" {
			t.Errorf("%s at %d (-want +got):\n%s", test.name, test.second, diff)
		}
	}
}
