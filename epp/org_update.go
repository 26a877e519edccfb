package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// orgUpdate is <update> of an organisation (RFC 8543 section 4.2.5).
func (c *call) orgUpdate(ctx context.Context, q *eppxml.OrgUpdate) (*answer, error) {
	command := &fsmpb.OrgUpdate{Id: q.ID}
	if add := q.Add; add != nil {
		command.AddContacts, command.AddRoles, command.AddStatuses = orgContacts(add.Contacts), orgRoles(add.Roles), add.Statuses
	}
	if remove := q.Rem; remove != nil {
		command.RemoveContacts, command.RemoveRoles, command.RemoveStatuses = orgContacts(remove.Contacts), orgRoles(remove.Roles), remove.Statuses
	}
	if q.Chg != nil {
		if err := fillOrgChange(command, q.Chg); err != nil {
			return nil, err
		}
	}
	if changesNoOrg(command) {
		return nil, errEmptyUpdate()
	}
	return c.transform(ctx, &fsmpb.Command{Body: &fsmpb.Command_OrgUpdate{OrgUpdate: command}})
}

func fillOrgChange(command *fsmpb.OrgUpdate, change *eppxml.OrgChg) error {
	if change.Parent != "" {
		command.Parent = &change.Parent
	}
	for i := range change.PostalInfos {
		p := &change.PostalInfos[i]
		postal, err := postalChange(&eppxml.PostalInfoChg{Type: p.Type, Name: p.Name, Addr: p.Addr})
		if err != nil {
			return err
		}
		command.Postal = append(command.Postal, postal)
	}
	command.Voice, command.Fax = phoneCommand(change.Voice), phoneCommand(change.Fax)
	if change.Email != "" {
		if err := checkEmail(change.Email); err != nil {
			return err
		}
		command.Email = &change.Email
	}
	if change.URL != nil {
		if err := checkURL(*change.URL); err != nil {
			return err
		}
		command.Url = change.URL
	}
	return nil
}

func changesNoOrg(u *fsmpb.OrgUpdate) bool {
	lists := len(u.GetAddContacts()) + len(u.GetRemoveContacts()) + len(u.GetAddRoles()) + len(u.GetRemoveRoles()) +
		len(u.GetAddStatuses()) + len(u.GetRemoveStatuses()) + len(u.GetPostal())
	return lists == 0 && u.Parent == nil && u.Voice == nil && u.Fax == nil && u.Email == nil && u.Url == nil
}
