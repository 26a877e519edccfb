package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// contactUpdate is <update> of a contact (RFC 5733 section 3.2.4).
func (c *call) contactUpdate(ctx context.Context, q *eppxml.ContactUpdate) (*answer, error) {
	command := &fsmpb.ContactUpdate{Id: q.ID, AddStatuses: statusValues(q.Add), RemoveStatuses: statusValues(q.Rem)}
	if q.Chg != nil {
		if err := c.fillContactChange(command, q.Chg); err != nil {
			return nil, err
		}
	}
	var err error
	if command.AdditionalEmail, err = additionalEmail(c.extensions.addlEmail); err != nil {
		return nil, err
	}
	command.AddOrgs, command.RemoveOrgs, command.ChangeOrgs = c.changedOrgs()
	if changesNoContact(command) {
		return nil, errEmptyUpdate()
	}
	return c.transform(ctx, &fsmpb.Command{Body: &fsmpb.Command_ContactUpdate{ContactUpdate: command}})
}

func (c *call) fillContactChange(command *fsmpb.ContactUpdate, change *eppxml.ContactChg) error {
	if err := checkPhones(change.Voice, change.Fax); err != nil {
		return err
	}
	for i := range change.PostalInfos {
		if i > 0 && change.PostalInfos[i].Type == change.PostalInfos[0].Type {
			return refuse(registry.CodeParameterPolicy, "postalInfo", change.PostalInfos[i].Type, "two changes of one address contradict each other; each type is given once")
		}
		postal, err := postalChange(&change.PostalInfos[i])
		if err != nil {
			return err
		}
		command.Postal = append(command.Postal, postal)
	}
	command.Voice, command.Fax = phoneCommand(change.Voice), phoneCommand(change.Fax)
	command.Disclose = discloseCommand(change.Disclose)
	if change.Email != "" {
		if err := checkEmail(change.Email); err != nil {
			return err
		}
		command.Email = &change.Email
	}
	if change.AuthInfo != nil {
		var err error
		if command.AuthInfo, err = c.newAuthInfo(change.AuthInfo); err != nil {
			return err
		}
	}
	return nil
}

func postalChange(p *eppxml.PostalInfoChg) (*fsmpb.PostalInfoChange, error) {
	change := &fsmpb.PostalInfoChange{Type: p.Type, Organization: p.Org}
	if err := checkTexts("postalInfo", p.Name); err != nil {
		return nil, err
	}
	if p.Org != nil {
		if err := checkTexts("postalInfo", *p.Org); err != nil {
			return nil, err
		}
	}
	if p.Name != "" {
		change.Name = &p.Name
	}
	if p.Addr != nil {
		if err := checkPostalAddress(p.Addr); err != nil {
			return nil, err
		}
		change.Address = &fsmpb.Address{
			Street: p.Addr.Street, City: p.Addr.City, StateProvince: p.Addr.SP, PostalCode: p.Addr.PC, CountryCode: p.Addr.CC,
		}
	}
	return change, nil
}

func changesNoContact(u *fsmpb.ContactUpdate) bool {
	lists := len(u.GetAddStatuses()) + len(u.GetRemoveStatuses()) + len(u.GetPostal()) +
		len(u.GetAddOrgs()) + len(u.GetRemoveOrgs()) + len(u.GetChangeOrgs())
	return lists == 0 &&
		u.Voice == nil && u.Fax == nil && u.Email == nil && u.AuthInfo == nil && u.Disclose == nil && u.AdditionalEmail == nil
}
