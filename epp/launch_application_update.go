package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// launchApplicationUpdate changes an application (RFC 8334 section 3.4).
func (c *call) launchApplicationUpdate(ctx context.Context, q *eppxml.DomainUpdate) (*answer, error) {
	change, err := c.domainUpdateCommand(q)
	if err != nil {
		return nil, err
	}
	meant := c.extensions.launchUpdate
	return c.transform(ctx, &fsmpb.Command{Body: &fsmpb.Command_LaunchApplicationUpdate{LaunchApplicationUpdate: &fsmpb.LaunchApplicationUpdate{
		ApplicationId: meant.ApplicationID, LaunchPhase: phaseName(meant.Phase), Change: change,
	}}})
}
