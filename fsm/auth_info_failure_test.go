package fsm_test

import (
	"fmt"
	"testing"
	"time"

	"cadastre/fsm"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// attempts lets a registrar fail a number of times and returns how many were counted.
func attempts(w *world, registrar string, object registry.ROID, times int) int {
	counted := 0
	for range times {
		if w.apply(w.command(registrar, "auth_info_failure", fmt.Sprintf(`{"roid": %q}`, object))).GetCode() == uint32(registry.CodeOK) {
			counted++
		}
	}
	return counted
}

func isClosed(w *world, registrar string, object registry.ROID) bool {
	closed := false
	w.view(func(tx *store.ReadTx) {
		closed = fsm.CheckAuthInfoAttempt(tx, registry.RegistrarID(registrar), object) != nil
	})
	return closed
}

// newTargets returns a world with registrars reg-a to reg-h and the ROIDs of contacts of reg-a.
func newTargets(t *testing.T, contacts int) (*world, []registry.ROID) {
	t.Helper()
	w := newWorld(t)
	w.apply(w.command("operator", "tld_put", tldJSON))
	for c := 'a'; c <= 'h'; c++ {
		w.apply(w.command("operator", "registrar_create", fmt.Sprintf(`{"id": "reg-%c", "roid": "R%c", "currency": "EUR"}`, c, c)))
	}
	var roids []registry.ROID
	for i := range contacts {
		result := w.apply(w.command("reg-a", "contact_create", fmt.Sprintf(`{"id": "con-%d", "postal": [{"type": "int", "name": "A", "city": "Bern", "country_code": "CH"}], "email": "a@example.net"}`, i)))
		if result.GetRoid() == "" {
			t.Fatal(describe(result))
		}
		roids = append(roids, registry.ROID(result.GetRoid()))
	}
	return w, roids
}

func TestOneRegistrarCannotCloseAnObjectToOthers(t *testing.T) {
	w, roids := newTargets(t, 1)
	object := roids[0]
	if counted := attempts(w, "reg-b", object, 100); counted != policy.MaxAuthFailures || !isClosed(w, "reg-b", object) || isClosed(w, "reg-c", object) {
		t.Errorf("%d attempts were counted; closed to reg-b: %v, to reg-c: %v", counted, isClosed(w, "reg-b", object), isClosed(w, "reg-c", object))
	}
	for _, other := range []string{"reg-c", "reg-d", "reg-e", "reg-f"} {
		attempts(w, other, object, 100)
	}
	if !isClosed(w, "reg-g", object) {
		t.Errorf("%d attempts by five registrars leave the object open to a sixth", policy.MaxAuthFailuresOfObject)
	}
	w.now = w.now.Add(policy.AuthFailureWindow)
	w.tickAll()
	if isClosed(w, "reg-g", object) || isClosed(w, "reg-b", object) {
		t.Error("the object stays closed after the window")
	}
}

func TestARegistrarThatTriesManyObjectsIsShutOut(t *testing.T) {
	const each = policy.MaxAuthFailures - 1
	w, roids := newTargets(t, policy.MaxAuthFailuresOfRegistrar/each+2)
	counted := 0
	for _, object := range roids {
		counted += attempts(w, "reg-b", object, each)
	}
	if last := roids[len(roids)-1]; counted != policy.MaxAuthFailuresOfRegistrar || !isClosed(w, "reg-b", last) || isClosed(w, "reg-c", last) {
		t.Errorf("%d attempts were counted; closed to reg-b: %v, to reg-c: %v", counted, isClosed(w, "reg-b", last), isClosed(w, "reg-c", last))
	}
}

// TestAttemptsAreForgotten: counts leave nothing in the state once their window is over, and
// windows begin with the first attempt, however the later ones come.
func TestAttemptsAreForgotten(t *testing.T) {
	w, roids := newTargets(t, 50)
	for _, object := range roids {
		attempts(w, "reg-b", object, 1)
		w.now = w.now.Add(time.Second)
	}
	w.now = w.now.Add(policy.AuthFailureWindow - 25*time.Second)
	w.tickAll()
	if left := countsOf(w, roids); left != 25 {
		t.Errorf("%d counts are left half way, want 25", left)
	}
	attempts(w, "reg-b", roids[0], policy.MaxAuthFailures-1)
	if isClosed(w, "reg-b", roids[0]) {
		t.Error("an attempt of an earlier window counts")
	}
	w.now = w.now.Add(2 * policy.AuthFailureWindow)
	w.tickAll()
	if left := countsOf(w, roids); left != 0 {
		t.Errorf("%d counts are left at the end", left)
	}
}

func countsOf(w *world, objects []registry.ROID) int {
	left := 0
	w.view(func(tx *store.ReadTx) {
		for _, object := range objects {
			if tx.AuthFailures("reg-b", object).Count > 0 {
				left++
			}
		}
	})
	return left
}
