package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// domainUpdate is <update> of a domain (RFC 5731 section 3.2.5).
func (c *call) domainUpdate(ctx context.Context, q *eppxml.DomainUpdate) (*answer, error) {
	command, err := c.domainUpdateCommand(q)
	if err != nil {
		return nil, err
	}
	return c.transform(ctx, &fsmpb.Command{Body: &fsmpb.Command_DomainUpdate{DomainUpdate: command}})
}

// domainUpdateCommand returns what the client asks for as the registry takes it.
func (c *call) domainUpdateCommand(q *eppxml.DomainUpdate) (*fsmpb.DomainUpdate, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	command := &fsmpb.DomainUpdate{Name: name}
	if add := q.Add; add != nil {
		command.AddStatuses = statusValues(add.Statuses)
		if command.AddNameServers, err = hostNames(add.NS); err != nil {
			return nil, err
		}
		if command.AddHostAttributes, err = hostAttributes(add.NS); err != nil {
			return nil, err
		}
		if command.AddContacts, err = domainContacts(add.Contacts); err != nil {
			return nil, err
		}
	}
	if remove := q.Rem; remove != nil {
		command.RemoveStatuses = statusValues(remove.Statuses)
		if command.RemoveNameServers, err = hostNames(remove.NS); err != nil {
			return nil, err
		}
		if command.RemoveHostAttributes, err = hostAttributeNames(remove.NS); err != nil {
			return nil, err
		}
		if command.RemoveContacts, err = domainContacts(remove.Contacts); err != nil {
			return nil, err
		}
	}
	if change := q.Chg; change != nil {
		command.Registrant = change.Registrant
		if change.AuthInfo != nil {
			if command.AuthInfo, err = c.newAuthInfo(change.AuthInfo); err != nil {
				return nil, err
			}
		}
	}
	if err := changeSecurity(command, c.extensions.secDNSUpdate); err != nil {
		return nil, err
	}
	if command.Ttls, err = ttlCommands(c.extensions.ttls); err != nil {
		return nil, err
	}
	command.AddOrgs, command.RemoveOrgs, command.ChangeOrgs = c.changedOrgs()
	if changesNoDomain(command) && c.extensions.secDNSUpdate == nil {
		return nil, errEmptyUpdate()
	}
	return command, nil
}

func changesNoDomain(u *fsmpb.DomainUpdate) bool {
	lists := len(u.GetAddHostAttributes()) + len(u.GetRemoveHostAttributes()) + len(u.GetAddNameServers()) + len(u.GetRemoveNameServers()) + len(u.GetAddContacts()) +
		len(u.GetRemoveContacts()) + len(u.GetAddStatuses()) + len(u.GetRemoveStatuses()) +
		len(u.GetAddOrgs()) + len(u.GetRemoveOrgs()) + len(u.GetChangeOrgs())
	return lists == 0 && u.Registrant == nil && u.AuthInfo == nil && len(u.GetTtls()) == 0
}
