package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// domainDelete is <delete> of a domain (RFC 5731 section 3.2.2).
func (c *call) domainDelete(ctx context.Context, q *eppxml.DomainDelete) (*answer, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	result, err := c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_DomainDelete{DomainDelete: &fsmpb.DomainDelete{Name: name}}})
	if err != nil {
		return nil, err
	}
	return c.withFees(c.done(result, nil), "delData", feeRefund, result), nil
}
