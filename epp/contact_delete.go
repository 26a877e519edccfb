package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// contactDelete is <delete> of a contact (RFC 5733 section 3.2.2).
func (c *call) contactDelete(ctx context.Context, q *eppxml.ContactDelete) (*answer, error) {
	return c.transform(ctx, &fsmpb.Command{Body: &fsmpb.Command_ContactDelete{ContactDelete: &fsmpb.ContactDelete{Id: q.ID}}})
}
