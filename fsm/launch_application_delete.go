package fsm

import "cadastre/fsm/fsmpb"

// launchApplicationDelete withdraws an application that is not decided (RFC 8334 section
// 3.5) and gives the price back.
func (r *run) launchApplicationDelete(c *fsmpb.LaunchApplicationDelete) (*fsmpb.Result, error) {
	a, err := r.ownApplication(c.GetApplicationId(), c.GetLaunchPhase(), c.GetName())
	if err != nil {
		return nil, err
	}
	tld, err := r.requireTLD(a.Domain.TLD)
	if err != nil {
		return nil, err
	}
	released := r.releaseRow(a.ReservedRow)
	r.tx.DeleteApplication(a)
	result := ok()
	r.settled(result, tld, -released.AmountMinor, 0)
	return result, nil
}
