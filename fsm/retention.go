package fsm

import (
	"cadastre/policy"
	"cadastre/registry"
)

// tickRetentionLimit bounds the applications, and the tokens, that one tick looks at; each is
// looked at once a day.
const tickRetentionLimit = 500

// forget takes decided applications and worthless tokens out of the state some time after, by
// the policy of their TLDs. What was applied for stays in the history.
func (r *run) forget() (more bool) {
	applications := r.tx.WalkApplications(r.now, tickRetentionLimit, func(a *registry.Application) {
		if tld, found := r.tx.TLD(a.Domain.TLD); found && policy.ForgetsApplication(tld, a, r.now) {
			r.tx.DeleteApplication(a)
		}
	})
	tokens := r.tx.WalkAllocationTokens(r.now, tickRetentionLimit, func(t *registry.AllocationToken) {
		tld, found := r.tx.TLD(t.TLD)
		if t.Name != "" {
			tld, found = r.tx.TLDOf(t.Name)
		}
		if found && policy.ForgetsToken(tld, t, r.now) {
			r.tx.DeleteAllocationToken(t)
		}
	})
	return applications || tokens
}
