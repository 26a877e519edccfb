package fsm_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

const tldJSON = `{"name": "example", "roid": "T1", "policy": {"roid_suffix": "EX", "currency": "EUR", "create_price_minor": 1000, "renew_price_minor": 1000,
 "min_period_years": 1, "max_period_years": 10, "max_name_servers": 13, "apex_servers": [{"name": "a.nic.example", "addresses": ["wAACAQ=="]}],
 "soa_mname": "a.nic.example", "soa_rname": "h.nic.example", "soa_refresh_seconds": 1, "soa_retry_seconds": 1, "soa_expire_seconds": 1, "soa_minimum_seconds": 1,
 "apex_ttl_seconds": 1, "delegation_ttl_seconds": 1}}`

func newRegistry(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.apply(w.command("operator", "tld_put", tldJSON))
	w.apply(w.command("operator", "registrar_create", `{"id": "reg-a", "roid": "RA", "currency": "EUR", "tlds": ["example"], "opening_deposit_minor": 100000}`))
	return w
}

func TestRepeatedRequestIsAppliedOnce(t *testing.T) {
	w := newRegistry(t)
	create := w.command("reg-a", "domain_create", `{"name": "one.example"}`)
	first := w.apply(create)
	w.now = w.now.Add(time.Minute)
	if diff := cmp.Diff(first, w.apply(create), protocmp.Transform()); diff != "" {
		t.Errorf("the repeated request is answered otherwise (-first +second):\n%s", diff)
	}
	if got := w.show("balance reg-a"); got != "reg-a 990.00" {
		t.Errorf("after the repetition the balance is %q", got)
	}
	again := proto.CloneOf(create) // the same clTRID with another request id is another request
	again.RequestId.Counter = 99999
	if code := registry.Code(w.apply(again).GetCode()); code != registry.CodeObjectExists {
		t.Errorf("another request for the same name ends with %v", code)
	}
	w.now = w.now.Add(time.Hour)
	w.tickAll()
	if code := registry.Code(w.apply(create).GetCode()); code != registry.CodeObjectExists {
		t.Errorf("after the window the request is applied anew, but ends with %v", code)
	}
	w.checkInvariants()
}

func TestRefusalLeavesNothing(t *testing.T) {
	w := newRegistry(t)
	var before []byte
	w.view(func(tx *store.ReadTx) { before = tx.StateHash() })
	c := w.command("reg-a", "domain_create", `{"name": "one.example", "period_years": 11}`)
	c.RequestId = nil // a kept result would be part of the state
	if code := registry.Code(w.apply(c).GetCode()); code != registry.CodeParameterRange {
		t.Fatalf("ends with %v", code)
	}
	w.view(func(tx *store.ReadTx) {
		if !bytes.Equal(before, tx.StateHash()) {
			t.Error("a refused command changed the state")
		}
	})
}

func TestEntriesAtOrBelowTheAppliedIndexAreSkipped(t *testing.T) {
	w := newRegistry(t)
	w.apply(w.command("reg-a", "domain_create", `{"name": "one.example"}`))
	var before []byte
	w.view(func(tx *store.ReadTx) { before = tx.StateHash() })
	results, effects := w.machine.Apply(w.log)
	for i, r := range results {
		if r != nil {
			t.Errorf("entry %d was applied again", i)
		}
	}
	w.view(func(tx *store.ReadTx) {
		if !bytes.Equal(before, tx.StateHash()) || effects.Dirty {
			t.Error("replayed entries had effects")
		}
	})
}

func TestTimeNeverGoesBack(t *testing.T) {
	w := newRegistry(t)
	w.now = w.now.Add(-time.Hour)
	r := w.apply(w.command("reg-a", "domain_create", `{"name": "one.example"}`))
	if got := time.UnixMilli(r.GetCreatedAtMs()).UTC(); got.Before(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("a leader with a slow clock made a domain at %v", got)
	}
}

// haltOf applies the entry data and returns the halt that it must cause.
func haltOf(t *testing.T, w *world, data []byte) (halt *fsm.Halt) {
	t.Helper()
	defer func() {
		err, _ := recover().(error)
		if !errors.As(err, &halt) {
			t.Fatalf("applying it ends with %v, not a halt", err)
		}
	}()
	w.machine.Apply([]fsm.Entry{{Index: w.index + 1, Term: 1, Data: data}})
	return nil
}

func TestUnknownEntriesHaltTheNode(t *testing.T) {
	w := newRegistry(t)
	marshal := func(e *fsmpb.Envelope) []byte {
		data, err := proto.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	later := &fsmpb.Command{}
	later.ProtoReflect().SetUnknown([]byte{0xfa, 0x3f, 0x00}) // field 1023
	for name, data := range map[string][]byte{
		"garbage":         {0xff, 0xff, 0xff},
		"later format":    marshal(&fsmpb.Envelope{FormatVersion: 99}),
		"no command":      marshal(&fsmpb.Envelope{FormatVersion: fsm.FormatVersion, Commands: []*fsmpb.Command{{}}}),
		"unknown command": marshal(&fsmpb.Envelope{FormatVersion: fsm.FormatVersion, Commands: []*fsmpb.Command{later}}),
	} {
		if halt := haltOf(t, w, data); halt == nil || halt.Index != w.index+1 {
			t.Errorf("%s: %v", name, halt)
		}
	}
	var index uint64
	w.view(func(tx *store.ReadTx) { index, _ = tx.Applied() })
	if index != w.index {
		t.Errorf("the applied index moved to %d", index)
	}
}

func TestTickComparesStateHashes(t *testing.T) {
	w := newRegistry(t)
	var hash []byte
	w.view(func(tx *store.ReadTx) { hash = tx.StateHash() })
	tick := &fsmpb.Tick{HashIndex: w.index, Hash: hash}
	command := func() *fsmpb.Command {
		c := w.command("system", "tick", "{}")
		c.Body = &fsmpb.Command_Tick{Tick: tick}
		return c
	}
	if code := registry.Code(w.apply(command()).GetCode()); code != registry.CodeOK {
		t.Fatalf("a tick with the right hash ends with %v", code)
	}
	tick.Hash = bytes.Repeat([]byte{1}, 32)
	data, err := proto.Marshal(&fsmpb.Envelope{FormatVersion: fsm.FormatVersion, Commands: []*fsmpb.Command{command()}})
	if err != nil {
		t.Fatal(err)
	}
	if halt := haltOf(t, w, data); halt == nil {
		t.Error("a node whose state differs goes on")
	}
}

// FuzzApply feeds entries of any content: the machine applies them or halts, it never
// crashes otherwise and never moves past an entry that it did not understand.
func FuzzApply(f *testing.F) {
	seed := &fsmpb.Envelope{FormatVersion: fsm.FormatVersion, LeaderTimeMs: 1, Commands: []*fsmpb.Command{{
		Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_REGISTRAR, Id: "reg-a"},
		Body:  &fsmpb.Command_DomainCreate{DomainCreate: &fsmpb.DomainCreate{Name: "one.example", Roid: "D1"}},
	}}}
	data, err := proto.Marshal(seed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	seed.Commands = []*fsmpb.Command{
		{Actor: seed.Commands[0].Actor, Body: &fsmpb.Command_DomainTransferRequest{DomainTransferRequest: &fsmpb.DomainTransferRequest{
			Name: "one.example", PeriodYears: 2, AuthProof: &fsmpb.AuthProof{Roid: "D1-EX", Salt: []byte("salt-one"), Hash: make([]byte, 32)},
		}}},
		{Actor: seed.Commands[0].Actor, Body: &fsmpb.Command_PollAck{PollAck: &fsmpb.PollAck{Sequence: 1}}},
	}
	if data, err = proto.Marshal(seed); err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Add([]byte{0x08, 0x01})
	f.Fuzz(func(t *testing.T, data []byte) {
		w := newRegistry(t)
		defer func() {
			var halt *fsm.Halt
			if r := recover(); r != nil {
				if err, isErr := r.(error); !isErr || !errors.As(err, &halt) {
					panic(r)
				}
			}
		}()
		w.machine.Apply([]fsm.Entry{{Index: w.index + 1, Term: 1, Data: data}})
		w.view(func(tx *store.ReadTx) {
			if !bytes.Equal(tx.StateHash(), tx.VerifyStateHash()) {
				t.Error("the kept state hash is not that of the rows")
			}
		})
	})
}

// BenchmarkDomainCreate applies entries of 64 creates each.
func BenchmarkDomainCreate(b *testing.B) {
	st, err := store.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	w := &world{store: st, machine: fsm.New(st), now: time.Now()}
	w.apply(w.command("operator", "tld_put", tldJSON))
	w.apply(w.command("operator", "registrar_create", `{"id": "reg-a", "roid": "RA", "currency": "EUR", "tlds": ["example"], "opening_deposit_minor": 9000000000}`))
	const perEntry = 64
	var entries []fsm.Entry
	for n := 0; n < b.N; n += perEntry {
		e := &fsmpb.Envelope{FormatVersion: fsm.FormatVersion, LeaderTimeMs: w.now.UnixMilli()}
		for i := range perEntry {
			name := "d" + time.Duration(n+i).String() + "x"
			e.Commands = append(e.Commands, &fsmpb.Command{
				Actor:     &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_REGISTRAR, Id: "reg-a"},
				RequestId: &fsmpb.RequestID{OriginNode: "n1", BootEpoch: 2, Counter: uint64(n + i)},
				Body:      &fsmpb.Command_DomainCreate{DomainCreate: &fsmpb.DomainCreate{Name: letters(uint64(n+i)) + ".example", Roid: name}},
			})
		}
		data, err := proto.Marshal(e)
		if err != nil {
			b.Fatal(err)
		}
		w.index++
		entries = append(entries, fsm.Entry{Index: w.index, Term: 1, Data: data})
	}
	b.ResetTimer()
	for _, e := range entries {
		results, _ := w.machine.Apply([]fsm.Entry{e})
		if r := results[0][0]; r.GetCode() != 0 {
			b.Fatal(describe(r))
		}
	}
}

// letters writes n in a spread of letters, so that names are not made in key order.
func letters(n uint64) string {
	n = n*0x9e3779b97f4a7c15 ^ n>>7
	var out []byte
	for range 12 {
		out = append(out, 'a'+byte(n%26))
		n /= 26
	}
	return string(out)
}
