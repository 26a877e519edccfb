package fsm

import (
	"cadastre/policy"
	"cadastre/registry"
)

// countAdd notes a registration for the limit of refunds in the add grace period.
func (r *run) countAdd(d *registry.Domain) {
	month := r.tx.AddGraceMonth(d.Sponsor, d.TLD, r.now)
	month.Adds++
	r.tx.PutAddGraceMonth(d.Sponsor, d.TLD, r.now, month)
}

// countAddGraceDelete notes a deletion in the add grace period and says whether it is paid
// back.
func (r *run) countAddGraceDelete(d *registry.Domain) bool {
	month := r.tx.AddGraceMonth(d.Sponsor, d.TLD, r.now)
	refunds := policy.RefundsAddGraceDelete(month)
	month.Deletes++
	if refunds {
		month.Refunds++
	}
	r.tx.PutAddGraceMonth(d.Sponsor, d.TLD, r.now, month)
	return refunds
}
