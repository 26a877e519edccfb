package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// launchApplicationDelete withdraws an application (RFC 8334 section 3.5).
func (c *call) launchApplicationDelete(ctx context.Context, q *eppxml.DomainDelete) (*answer, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	meant := c.extensions.launchDelete
	result, err := c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_LaunchApplicationDelete{LaunchApplicationDelete: &fsmpb.LaunchApplicationDelete{
		ApplicationId: meant.ApplicationID, LaunchPhase: phaseName(meant.Phase), Name: name,
	}}})
	if err != nil {
		return nil, err
	}
	return c.withFees(c.done(result, nil), "delData", feeRefund, result), nil
}
