package fsm_test

import (
	"bytes"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// raise brings the cluster to the level of this program.
func (w *world) raise() {
	w.t.Helper()
	var ids []string
	w.view(func(tx *store.ReadTx) {
		for _, n := range tx.Nodes() {
			ids = append(ids, n.ID)
		}
	})
	r := w.apply(&fsmpb.Command{Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"},
		Body: &fsmpb.Command_FeatureLevelRaise{FeatureLevelRaise: &fsmpb.FeatureLevelRaise{Level: registry.MaxFeatureLevel, NodeIds: ids}}})
	if err := fsm.ResultError(r); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) dirtyNames() (names []registry.DomainName) {
	w.view(func(tx *store.ReadTx) { names = tx.Dirty("example", 99) })
	return names
}

// TestLeanRows raises the level in the middle of everything: what was kept before is found
// and removed as before, and a node that starts anew or groups the entries otherwise comes
// to the same state.
func TestLeanRows(t *testing.T) {
	w := newRegistry(t)
	create := func(name string) *fsmpb.Command {
		return w.command("reg-a", "domain_create", fmt.Sprintf(`{"name": %q, "name_servers": ["ns.test"]}`, name))
	}
	host := w.command("reg-a", "host_create", `{"name": "ns.test"}`)
	before, refused := create("before.example"), create("before.example")
	w.apply(host, before, refused)
	first := w.apply(create("also.example"))
	w.raise()
	after, sameEntry := create("after.example"), create("third.example")
	result := w.apply(after, sameEntry, after)
	if !regexp.MustCompile(`^D[0-9A-Z]+_0-EX$`).MatchString(result.GetRoid()) || registry.Code(result.GetCode()) != registry.CodeOK {
		t.Errorf("a create repeated in its own entry answers %v", result)
	}
	if first.GetRoid() != "D6-EX" {
		t.Errorf("below the level the ROID is %s", first.GetRoid())
	}
	w.view(func(tx *store.ReadTx) {
		for _, roid := range []registry.ROID{registry.ROID(first.GetRoid()), registry.ROID(result.GetRoid())} {
			if kind, _, found := tx.ROID(roid); !found || kind != registry.KindDomain {
				t.Errorf("%s leads to %v %v", roid, kind, found)
			}
		}
	})
	publish := func(serial int, cleaned string) {
		w.apply(w.command("system", "zone_publish", fmt.Sprintf(`{"tld": "example", "base_serial": %d, "serial": %d, "read_index": %d, "cleaned": [%s], "changes": [{"owner": "after.example", "rrs": "AAEC"}]}`,
			serial-1, serial, w.index, cleaned)))
	}
	w.apply(w.command("reg-a", "domain_update", `{"name": "also.example", "remove_name_servers": ["ns.test"]}`)) // dirty again, in the other form
	publish(1, `"before.example", "after.example", "example", "a.nic.example"`)
	want := []registry.DomainName{"also.example", "third.example"}
	if diff := cmp.Diff(want, w.dirtyNames()); diff != "" {
		t.Errorf("names that await publication (-want +got):\n%s", diff)
	}
	for _, c := range []*fsmpb.Command{before, refused, after, sameEntry} {
		balance := w.show("balance reg-a")
		once, twice := w.apply(c), w.apply(c)
		if diff := cmp.Diff(once, twice, protocmp.Transform()); diff != "" || once.GetIndex() >= w.index-1 || w.show("balance reg-a") != balance {
			t.Errorf("a repeated request was done again: %v", once)
		}
	}
	w.checkInvariants()
	compareWithReplay(t, w)

	w.now = w.now.Add(time.Hour)
	w.tickAll()
	if code := registry.Code(w.apply(after).GetCode()); code != registry.CodeObjectExists {
		t.Errorf("after the window the request is applied anew, but ends with %v", code)
	}
	if code := registry.Code(w.apply(before).GetCode()); code != registry.CodeObjectExists {
		t.Errorf("after the window the request is applied anew, but ends with %v", code)
	}
	publish(2, `"also.example", "third.example"`)
	if names := w.dirtyNames(); len(names) > 0 {
		t.Errorf("%v still await publication", names)
	}
	w.checkInvariants()
	compareWithReplay(t, w)
}

// compareWithReplay applies the world's log in one batch, and in pieces with a fresh start
// after each, and compares the states.
func compareWithReplay(t *testing.T, w *world) {
	t.Helper()
	var want []byte
	w.view(func(tx *store.ReadTx) { want = tx.StateHash() })
	for _, piece := range []int{len(w.log), 1, 3} {
		dir := t.TempDir()
		var got, ofRows []byte
		var dirty []registry.DomainName
		for from := 0; from < len(w.log); from += piece {
			st, err := store.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			fsm.New(st).Apply(w.log[from:min(from+piece, len(w.log))])
			if err := st.View(func(tx *store.ReadTx) error {
				got, ofRows, dirty = tx.StateHash(), tx.VerifyStateHash(), tx.Dirty("example", 99)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, want) || !bytes.Equal(ofRows, want) {
			t.Errorf("in pieces of %d the state has hash %x, of its rows %x, want %x", piece, got, ofRows, want)
		}
		if diff := cmp.Diff(w.dirtyNames(), dirty); diff != "" {
			t.Errorf("in pieces of %d other names await publication:\n%s", piece, diff)
		}
	}
}
