package fsm_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"cadastre/registry"
	"cadastre/store"
)

// TestWorthlessTokensGoInSteps: a tick looks at a bounded number of them, all are looked at in
// the end, and a cluster of an earlier level keeps them.
func TestWorthlessTokensGoInSteps(t *testing.T) {
	const tokens = 1200 // the one in the middle of use for ever
	for level, wants := range map[uint32][]int{3: {1200, 1200}, 4: {700, 201, 1, 1}} {
		t.Run(fmt.Sprint("level ", level), func(t *testing.T) {
			w := registryWith(t, "tld.json")
			w.must(fmt.Sprintf(`operator feature_level_raise {"level": %d}`, level))
			for i := range tokens {
				hash := make([]byte, 32)
				hash[0], hash[1] = byte(i>>8), byte(i)
				until := `, "valid_until_ms": "946771200000"`
				if i == tokens/2 {
					until = ""
				}
				w.must(fmt.Sprintf(`operator allocation_token_create {"token_sha256": %q, "tld": "example"%s}`, base64.StdEncoding.EncodeToString(hash), until))
			}
			left := func() (n int) {
				w.view(func(tx *store.ReadTx) {
					tx.EachAllocationToken(func(*registry.AllocationToken) bool { n++; return true })
				})
				return n
			}
			w.tick() // the walk of the first day finds nothing
			w.run("at 2000-06-01T00:00:00Z")
			for step, want := range wants {
				more := w.tick().GetMoreDue()
				if got := left(); got != want {
					t.Fatalf("after tick %d, %d tokens are left, want %d", step+1, got, want)
				}
				var due bool
				w.view(func(tx *store.ReadTx) { due = tx.DueNow() })
				if unfinished := level == 4 && step < 2; more != unfinished || due != unfinished {
					t.Errorf("after tick %d: more %v, due %v, want %v", step+1, more, due, unfinished)
				}
			}
			w.checkInvariants()
		})
	}
}
