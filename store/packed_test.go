package store_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cadastre/registry"
	"cadastre/store"
)

// packedROID is the identifier that the state machine gives an object made at that place.
func packedROID(letter string, index uint64, inEntry uint32) registry.ROID {
	return registry.ROID(fmt.Sprintf("%s%X_%d-EX", letter, index, inEntry)) // one digit each, the same to the base of 36
}

func packedDomain(name registry.DomainName, roid registry.ROID) *registry.Domain {
	return &registry.Domain{Provenance: registry.Provenance{ROID: roid, Sponsor: "reg-a"}, Name: name, TLD: "example", ExpiresAt: now()}
}

// versionsOf returns the history of an object as text.
func versionsOf(tx *store.ReadTx, roid registry.ROID) (versions []string) {
	tx.History(roid, func(v *store.Version) bool {
		text := fmt.Sprintf("%d/%d %s %s %s deleted=%v", v.Index, v.InEntry, v.Verb, v.CLTRID, v.Key, v.Deleted)
		if !v.Deleted {
			text += " sponsor=" + string(v.Domain().Sponsor)
		}
		versions = append(versions, text)
		return true
	})
	return versions
}

func raisePacked(t *testing.T, st *store.Store, index uint64) {
	t.Helper()
	write(t, st, index, func(tx *store.Tx) { tx.SetFeatureLevel(registry.LevelPackedRows) })
}

func checkHash(t *testing.T, st *store.Store) {
	t.Helper()
	view(t, st, func(tx *store.ReadTx) {
		if diff := cmp.Diff(tx.StateHash(), tx.VerifyStateHash()); diff != "" {
			t.Errorf("the kept hash is not that of the rows:\n%s", diff)
		}
	})
}

// TestFirstVersionsInOneRow makes objects in one entry, one of them by a command that is
// refused afterwards, and reads their histories in the entry, in the transaction and later.
func TestFirstVersionsInOneRow(t *testing.T) {
	dir := t.TempDir()
	st := open(t, dir)
	raisePacked(t, st, 1)
	one, two, gone, imported := packedROID("D", 2, 0), packedROID("D", 2, 1), packedROID("D", 2, 2), registry.ROID("D2_9-EX")
	want := map[registry.ROID][]string{
		one:      {"2/0 domain_create A-1 one.example deleted=false sponsor=reg-a", "3/0   one.example deleted=false sponsor=reg-b"},
		two:      {"2/1 domain_import A-2 two.example deleted=false sponsor=reg-c", "3/0   two.example deleted=true"},
		imported: {"2/1 domain_import A-2 foreign.example deleted=false sponsor=reg-a"}, // its identifier only looks like a place
		gone:     nil,
	}
	check := func(when string, tx *store.ReadTx, versions int) {
		for roid, all := range want {
			if diff := cmp.Diff(all[:min(len(all), versions)], versionsOf(tx, roid)); diff != "" {
				t.Errorf("%s, versions of %s (-want +got):\n%s", when, roid, diff)
			}
		}
	}
	err := st.Update(func(tx *store.Tx) error {
		tx.BeginEntry(2, 1)
		tx.BeginCommand(0)
		tx.SetCause(store.Cause{Verb: "domain_create", Actor: "reg-a", CLTRID: "A-1", At: now()})
		tx.PutDomain(nil, packedDomain("one.example", one))
		tx.Keep()
		tx.BeginCommand(1)
		tx.SetCause(store.Cause{Verb: "domain_import", Actor: "op", CLTRID: "A-2", At: now()})
		tx.PutDomain(nil, packedDomain("two.example", two))
		twice := packedDomain("two.example", two)
		twice.Sponsor = "reg-c"
		tx.PutDomain(packedDomain("two.example", two), twice)
		tx.PutDomain(nil, packedDomain("foreign.example", imported))
		tx.Keep()
		tx.BeginCommand(2)
		tx.PutDomain(nil, packedDomain("gone.example", gone))
		if versions := versionsOf(&tx.ReadTx, gone); len(versions) != 1 {
			t.Errorf("a command sees %q of what it made", versions)
		}
		tx.Drop()
		check("in the entry", &tx.ReadTx, 1)
		tx.EndEntry()
		check("after the entry", &tx.ReadTx, 1)
		tx.BeginEntry(3, 1)
		tx.BeginCommand(0)
		tx.SetCause(store.Cause{})
		changed := packedDomain("one.example", one)
		changed.Sponsor = "reg-b"
		tx.PutDomain(packedDomain("one.example", one), changed)
		tx.DeleteDomain(twice)
		tx.EndEntry()
		check("in the transaction", &tx.ReadTx, 2)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	checkHash(t, st)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	st = open(t, dir)
	view(t, st, func(tx *store.ReadTx) {
		check("after a start", tx, 2)
		if kind, name, found := tx.ROID(one); kind != registry.KindDomain || name != "one.example" || !found {
			t.Errorf("%s leads to %v %q %v", one, kind, name, found)
		}
		if _, _, found := tx.ROID(two); found {
			t.Errorf("%s, which is deleted, leads to something", two)
		}
		if before, at := tx.VersionAt(one, 3, 0); before == nil || before.Index != 2 || at == nil || at.Domain().Sponsor != "reg-b" {
			t.Errorf("around the update lie %+v and %+v", before, at)
		}
		for name, want := range map[string][]registry.ROID{"one.example": {one}, "two.example": {two}, "gone.example": nil} {
			if diff := cmp.Diff(want, tx.ROIDsOf(registry.KindDomain, name)); diff != "" {
				t.Errorf("domains with the name %s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// TestNamesNotedBeforeAndAfterTheLevel has a name taken below the level and again above it.
func TestNamesNotedBeforeAndAfterTheLevel(t *testing.T) {
	st := open(t, t.TempDir())
	write(t, st, 1, func(tx *store.Tx) { tx.PutDomain(nil, packedDomain("one.example", "D1-EX")) })
	raisePacked(t, st, 2)
	ids := func() (roids []registry.ROID) {
		view(t, st, func(tx *store.ReadTx) { roids = tx.ROIDsOf(registry.KindDomain, "one.example") })
		return roids
	}
	steps := []struct {
		do   func(tx *store.Tx)
		want []registry.ROID
	}{
		{func(tx *store.Tx) { tx.DeleteDomain(packedDomain("one.example", "D1-EX")) }, []registry.ROID{"D1-EX"}},
		{func(tx *store.Tx) { tx.PutDomain(nil, packedDomain("one.example", "D4_0-EX")) }, []registry.ROID{"D1-EX", "D4_0-EX"}},
		{func(tx *store.Tx) { tx.DeleteDomain(packedDomain("one.example", "D4_0-EX")) }, []registry.ROID{"D1-EX", "D4_0-EX"}},
		{func(tx *store.Tx) { tx.PutDomain(nil, packedDomain("one.example", "D6_0-EX")) }, []registry.ROID{"D1-EX", "D4_0-EX", "D6_0-EX"}},
	}
	for i, step := range steps {
		write(t, st, uint64(3+i), step.do)
		if diff := cmp.Diff(step.want, ids()); diff != "" {
			t.Errorf("after step %d (-want +got):\n%s", i, diff)
		}
	}
	checkHash(t, st)
}

// TestPostingsInOneRow posts below and above the level and reads everything back, in the
// transaction and after it.
func TestPostingsInOneRow(t *testing.T) {
	dir := t.TempDir()
	st := open(t, dir)
	account, other := store.RegistrarAccount("reg-a"), store.RegistrarAccount("reg-ab")
	post := func(tx *store.Tx, from, to store.Account, minor int64, object string, undoes uint64) uint64 {
		return tx.PostLedger(store.LedgerRow{
			Kind: store.LedgerCreate, From: from, To: to, AmountMinor: minor, Currency: "EUR", Object: object, Years: 1, Undoes: undoes, At: now(),
		})
	}
	write(t, st, 1, func(tx *store.Tx) {
		post(tx, store.AccountBank, account, 500, "", 0)
		post(tx, account, store.AccountRevenue, 30, "one.example", 0)
	})
	raisePacked(t, st, 2)
	seen := func(tx *store.ReadTx, account store.Account) (rows []string) {
		tx.EachLedgerRow(account, func(r *store.LedgerRow) bool {
			if same, found := tx.LedgerRow(r.Number); !found || *same != *r {
				t.Errorf("row %d is %+v by its number, %+v by its account", r.Number, same, r)
			}
			rows = append(rows, fmt.Sprintf("%d %s %d %s %d @%d", r.Number, r.Object, r.AmountMinor, r.From, r.Undoes, r.Index))
			return true
		})
		return rows
	}
	wantOwn := []string{
		"1  500 registry:bank 0 @1", "2 one.example 30 registrar:reg-a 0 @1", "3 two.example 10 registrar:reg-a 0 @3",
		"5 two.example 10 registry:revenue 3 @3", "6 four.example 7 registrar:reg-a 0 @4",
	}
	wantOther := []string{"4 three.example 0 registrar:reg-ab 0 @3"}
	wantRevenue := []string{wantOwn[1], wantOwn[2], wantOther[0], wantOwn[3], wantOwn[4]}
	check := func(when string, tx *store.ReadTx) {
		for account, want := range map[store.Account][]string{account: wantOwn, other: wantOther, store.AccountRevenue: wantRevenue} {
			if diff := cmp.Diff(want, seen(tx, account)); diff != "" {
				t.Errorf("%s, rows of %s (-want +got):\n%s", when, account, diff)
			}
		}
		first := 0
		tx.EachLedgerRow(account, func(*store.LedgerRow) bool { first++; return first < 4 })
		if first != 4 {
			t.Errorf("%s, a reader that wants 4 rows gets %d", when, first)
		}
		if _, found := tx.LedgerRow(99); found {
			t.Errorf("%s there is a row 99", when)
		}
		if minor := tx.BalanceMinor(account, "EUR"); minor != 500-30-7 {
			t.Errorf("%s the balance is %d", when, minor)
		}
	}
	err := st.Update(func(tx *store.Tx) error {
		tx.BeginEntry(3, 1)
		tx.BeginCommand(0)
		charge := post(tx, account, store.AccountRevenue, 10, "two.example", 0)
		tx.Keep()
		tx.BeginCommand(1)
		if dropped := post(tx, account, store.AccountRevenue, 1000, "refused.example", 0); dropped != charge+1 {
			t.Errorf("after row %d comes %d", charge, dropped)
		}
		tx.Drop()
		if _, found := tx.LedgerRow(charge + 1); found {
			t.Error("what a refused command posted is there")
		}
		tx.BeginCommand(2)
		post(tx, other, store.AccountRevenue, 0, "three.example", 0)
		tx.Keep()
		tx.BeginCommand(3)
		row, found := tx.LedgerRow(charge)
		if !found || row.Object != "two.example" {
			t.Fatalf("within the entry row %d is %+v", charge, row)
		}
		post(tx, row.To, row.From, row.AmountMinor, row.Object, row.Number)
		tx.EndEntry()
		tx.BeginEntry(4, 1)
		tx.BeginCommand(0)
		post(tx, account, store.AccountRevenue, 7, "four.example", 0)
		tx.EndEntry()
		check("in the transaction", &tx.ReadTx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	checkHash(t, st)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	st = open(t, dir)
	view(t, st, func(tx *store.ReadTx) { check("after a start", tx) })
}
