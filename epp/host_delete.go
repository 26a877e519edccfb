package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// hostDelete is <delete> of a host (RFC 5732 section 3.2.2).
func (c *call) hostDelete(ctx context.Context, q *eppxml.HostDelete) (*answer, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	return c.transform(ctx, &fsmpb.Command{Body: &fsmpb.Command_HostDelete{HostDelete: &fsmpb.HostDelete{Name: name}}})
}
