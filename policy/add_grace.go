package policy

import "cadastre/registry"

// How many deletions within the add grace period a registrar gets its money back for in a
// calendar month: a share of its net adds of the month, but that many in any case (ICANN's
// AGP limits policy, section 1).
const (
	addGraceRefundFloor   = 50
	addGraceRefundPercent = 10
)

// RefundsAddGraceDelete says whether one more deletion within the add grace period is paid
// back, by what the registrar did in the month so far. Net adds are registrations less those
// deleted within the add grace period, this one included.
func RefundsAddGraceDelete(month registry.AddGraceMonth) bool {
	var net uint64
	if gone := month.Deletes + 1; month.Adds > gone {
		net = month.Adds - gone
	}
	return month.Refunds < max(addGraceRefundFloor, net*addGraceRefundPercent/100)
}
