package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// hostCreate is <create> of a host (RFC 5732 section 3.2.1).
func (c *call) hostCreate(ctx context.Context, q *eppxml.HostCreate) (*answer, error) {
	command := &fsmpb.HostCreate{Orgs: orgLinks(c.extensions.orgCreate)}
	var err error
	if command.Name, err = canonicalName("name", q.Name); err != nil {
		return nil, err
	}
	if command.Addresses, err = addressOctets(q.Addrs); err != nil {
		return nil, err
	}
	if command.Ttls, err = ttlCommands(c.extensions.ttls); err != nil {
		return nil, err
	}
	if command.Roid, err = newROID("H"); err != nil {
		return nil, err
	}
	result, err := c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_HostCreate{HostCreate: command}})
	if err != nil {
		return nil, err
	}
	return c.done(result, eppxml.AppendHostCreData(nil, &eppxml.HostCreData{
		Name: command.GetName(), CrDate: instant(result.GetCreatedAtMs()),
	})), nil
}
