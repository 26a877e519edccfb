package epp

import (
	"context"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// domainRenew is <renew> of a domain (RFC 5731 section 3.2.3).
func (c *call) domainRenew(ctx context.Context, q *eppxml.DomainRenew) (*answer, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	years, err := periodYears(q.Period)
	if err != nil {
		return nil, err
	}
	fee, err := c.agreedFee()
	if err != nil {
		return nil, err
	}
	result, err := c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_DomainRenew{DomainRenew: &fsmpb.DomainRenew{
		Name: name, CurrentExpiryDate: q.CurExpDate.Format(time.DateOnly), PeriodYears: years, Fee: fee,
	}}})
	if err != nil {
		return nil, err
	}
	a := c.done(result, eppxml.AppendDomainRenData(nil, &eppxml.DomainRenData{
		Name: name, ExDate: instant(result.GetExpiresAtMs()),
	}))
	return c.withFees(a, "renData", feeRenewal, result), nil
}
