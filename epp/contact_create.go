package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// contactCreate is <create> of a contact (RFC 5733 section 3.2.1).
func (c *call) contactCreate(ctx context.Context, q *eppxml.ContactCreate) (*answer, error) {
	if err := checkContactCreate(q); err != nil {
		return nil, err
	}
	command := &fsmpb.ContactCreate{
		Id: q.ID, Email: q.Email, Voice: phoneCommand(q.Voice), Fax: phoneCommand(q.Fax), Disclose: discloseCommand(q.Disclose),
		Orgs: orgLinks(c.extensions.orgCreate),
	}
	for i := range q.PostalInfos {
		p := &q.PostalInfos[i]
		command.Postal = append(command.Postal, &fsmpb.PostalInfo{
			Type: p.Type, Name: p.Name, Organization: p.Org, Street: p.Addr.Street, City: p.Addr.City,
			StateProvince: p.Addr.SP, PostalCode: p.Addr.PC, CountryCode: p.Addr.CC,
		})
	}
	var err error
	if command.AuthInfo, err = c.newAuthInfo(q.AuthInfo); err != nil {
		return nil, err
	}
	if command.AdditionalEmail, err = additionalEmail(c.extensions.addlEmail); err != nil {
		return nil, err
	}
	if command.Roid, err = newROID("C"); err != nil {
		return nil, err
	}
	result, err := c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_ContactCreate{ContactCreate: command}})
	if err != nil {
		return nil, err
	}
	return c.done(result, eppxml.AppendContactCreData(nil, &eppxml.ContactCreData{
		ID: command.GetId(), CrDate: instant(result.GetCreatedAtMs()),
	})), nil
}

func checkContactCreate(q *eppxml.ContactCreate) error {
	if q.Voice != nil && q.Voice.Number == "" {
		return refuse(registry.CodeParameterSyntax, "voice", "", "a telephone number that is given is not empty")
	}
	if err := checkPhones(q.Voice, q.Fax); err != nil {
		return err
	}
	for i := range q.PostalInfos {
		p := &q.PostalInfos[i]
		if err := checkTexts("postalInfo", p.Name, p.Org); err != nil {
			return err
		}
		if err := checkPostalAddress(&p.Addr); err != nil {
			return err
		}
	}
	return checkEmail(q.Email)
}

// phoneCommand keeps nil apart from an empty number: in an update the one leaves the number
// as it is and the other takes it away.
func phoneCommand(p *eppxml.Phone) *fsmpb.Phone {
	if p == nil {
		return nil
	}
	return &fsmpb.Phone{Number: p.Number, Extension: p.Ext}
}

func discloseCommand(d *eppxml.Disclose) *fsmpb.Disclose {
	if d == nil {
		return nil
	}
	command := &fsmpb.Disclose{Flag: d.Flag}
	for _, f := range []struct {
		named bool
		field string
	}{
		{d.NameInt, "name.int"}, {d.NameLoc, "name.loc"}, {d.OrgInt, "org.int"}, {d.OrgLoc, "org.loc"},
		{d.AddrInt, "addr.int"}, {d.AddrLoc, "addr.loc"}, {d.Voice, "voice"}, {d.Fax, "fax"}, {d.Email, "email"},
	} {
		if f.named {
			command.Fields = append(command.Fields, f.field)
		}
	}
	return command
}
