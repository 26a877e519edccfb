package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// hostUpdate is <update> of a host (RFC 5732 section 3.2.5).
func (c *call) hostUpdate(ctx context.Context, q *eppxml.HostUpdate) (*answer, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	command := &fsmpb.HostUpdate{Name: name}
	if q.Add != nil {
		command.AddStatuses = statusValues(q.Add.Statuses)
		if command.AddAddresses, err = addressOctets(q.Add.Addrs); err != nil {
			return nil, err
		}
	}
	if q.Rem != nil {
		command.RemoveStatuses = statusValues(q.Rem.Statuses)
		if command.RemoveAddresses, err = addressOctets(q.Rem.Addrs); err != nil {
			return nil, err
		}
	}
	if q.NewName != "" {
		if command.NewName, err = canonicalName("name", q.NewName); err != nil {
			return nil, err
		}
	}
	if command.Ttls, err = ttlCommands(c.extensions.ttls); err != nil {
		return nil, err
	}
	command.AddOrgs, command.RemoveOrgs, command.ChangeOrgs = c.changedOrgs()
	if changesNoHost(command) {
		return nil, errEmptyUpdate()
	}
	return c.transform(ctx, &fsmpb.Command{Body: &fsmpb.Command_HostUpdate{HostUpdate: command}})
}

func changesNoHost(u *fsmpb.HostUpdate) bool {
	lists := len(u.GetAddAddresses()) + len(u.GetRemoveAddresses()) + len(u.GetAddStatuses()) + len(u.GetRemoveStatuses()) +
		len(u.GetAddOrgs()) + len(u.GetRemoveOrgs()) + len(u.GetChangeOrgs())
	return lists == 0 && u.GetNewName() == "" && len(u.GetTtls()) == 0
}
