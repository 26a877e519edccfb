package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// orgCreate is <create> of an organisation (RFC 8543 section 4.2.1).
func (c *call) orgCreate(ctx context.Context, q *eppxml.OrgCreate) (*answer, error) {
	command := &fsmpb.OrgCreate{
		Id: q.ID, Roles: orgRoles(q.Roles), Statuses: withoutOK(q.Statuses), Parent: q.Parent,
		Voice: phoneCommand(q.Voice), Fax: phoneCommand(q.Fax), Email: q.Email, Contacts: orgContacts(q.Contacts),
	}
	for i := range command.Roles {
		command.Roles[i].Statuses = withoutOK(command.Roles[i].GetStatuses())
	}
	for i := range q.PostalInfos {
		p := &q.PostalInfos[i]
		form := &fsmpb.PostalInfo{Type: p.Type, Name: p.Name}
		if a := p.Addr; a != nil {
			if err := checkCountry(a.CC); err != nil {
				return nil, err
			}
			form.Street, form.City, form.StateProvince, form.PostalCode, form.CountryCode = a.Street, a.City, a.SP, a.PC, a.CC
		}
		command.Postal = append(command.Postal, form)
	}
	if q.Email != "" {
		if err := checkEmail(q.Email); err != nil {
			return nil, err
		}
	}
	if q.URL != nil {
		if err := checkURL(*q.URL); err != nil {
			return nil, err
		}
		command.Url = *q.URL
	}
	var err error
	if command.Roid, err = newROID("O"); err != nil {
		return nil, err
	}
	result, err := c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_OrgCreate{OrgCreate: command}})
	if err != nil {
		return nil, err
	}
	return c.done(result, eppxml.AppendOrgCreData(nil, &eppxml.OrgCreData{ID: command.GetId(), CrDate: instant(result.GetCreatedAtMs())})), nil
}

// withoutOK leaves out the status ok if it stands alone: a new object without other statuses
// has it anyway.
func withoutOK(statuses []string) []string {
	if len(statuses) == 1 && statuses[0] == string(registry.StatusOK) {
		return nil
	}
	return statuses
}

func orgRoles(given []eppxml.OrgRole) []*fsmpb.OrgRole {
	roles := make([]*fsmpb.OrgRole, 0, len(given))
	for _, r := range given {
		roles = append(roles, &fsmpb.OrgRole{Type: r.Type, Id: r.ID, Statuses: r.Statuses})
	}
	return roles
}

func orgContacts(given []eppxml.OrgContact) []*fsmpb.OrgContact {
	contacts := make([]*fsmpb.OrgContact, 0, len(given))
	for _, c := range given {
		contacts = append(contacts, &fsmpb.OrgContact{Type: c.Type, TypeName: c.TypeName, Id: c.ID})
	}
	return contacts
}
