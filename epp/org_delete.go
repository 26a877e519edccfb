package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// orgDelete is <delete> of an organisation (RFC 8543 section 4.2.2).
func (c *call) orgDelete(ctx context.Context, q *eppxml.OrgDelete) (*answer, error) {
	return c.transform(ctx, &fsmpb.Command{Body: &fsmpb.Command_OrgDelete{OrgDelete: &fsmpb.OrgDelete{Id: q.ID}}})
}
