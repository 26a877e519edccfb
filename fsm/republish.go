package fsm

import (
	"cadastre/registry"
	"cadastre/store"
)

// republishStep is how many owner names one tick has computed anew. With five ticks a second
// a million take two minutes, which leaves publications time for what registrars do.
const republishStep = 2000

// republish carries on with a zone whose records all may have changed, such as by another
// TTL. Only what is published can be outdated. It waits while the publisher is behind, so that
// the queue of dirty names does not grow with the zone.
func (r *run) republish() {
	task, found := r.tx.FirstTask(store.TaskRepublish)
	if !found {
		return
	}
	tld := registry.DomainName(task.Subject)
	if r.tx.IsDirty(tld, registry.DomainName(task.Cursor)) {
		return
	}
	owners := r.tx.PublishedAfter(tld, task.Cursor, republishStep)
	for _, owner := range owners {
		r.markDirty(tld, owner)
	}
	if len(owners) < republishStep {
		r.tx.EndTask(store.TaskRepublish, task.Subject)
		return
	}
	r.tx.PutTask(store.TaskRepublish, task.Subject, string(owners[len(owners)-1]))
}
