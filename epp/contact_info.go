package epp

import (
	"context"
	"slices"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// contactInfo is <info> of a contact (RFC 5733 section 3.1.2): for its sponsor, and for
// whoever gives the right authorisation information.
func (c *call) contactInfo(ctx context.Context, q *eppxml.ContactInfo) (*answer, error) {
	var info *eppxml.ContactInfData
	var extensions []extensionData
	err := c.view(ctx, func(tx *store.ReadTx) error {
		contact, found := tx.Contact(registry.ContactID(q.ID))
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "id", q.ID, "there is no such contact")
		}
		isSponsor := contact.Sponsor == c.registrar
		switch {
		case q.AuthInfo != nil:
			if err := c.checkContactAuthInfo(tx, contact, q.AuthInfo); err != nil {
				return err
			}
		case !isSponsor:
			return refuse(registry.CodeAuthorization, "id", q.ID, "the contact is sponsored by another registrar")
		}
		info, extensions = shownContact(contact), append(c.shownAdditionalEmail(contact), c.shownOrgs(contact.Orgs)...)
		info.Statuses = shownStatuses(contact.Statuses, tx.ContactIsLinked(contact.ID), false)
		return nil
	})
	if err != nil {
		return nil, err
	}
	a := ok(eppxml.AppendContactInfData(nil, info))
	a.extensions = extensions
	return a, nil
}

func (c *call) checkContactAuthInfo(tx *store.ReadTx, contact *registry.Contact, given *eppxml.AuthInfo) error {
	if given.ROID != "" && registry.ROID(given.ROID) != contact.ROID {
		return refuse(registry.CodeInvalidAuthInfo, "authInfo", "", "the object identifier is not that of the contact")
	}
	return c.checkAuthInfo(tx, given, contactTarget(contact))
}

func contactTarget(contact *registry.Contact) *authTarget {
	return &authTarget{object: contact.ROID, sponsor: contact.Sponsor, stored: contact.AuthInfo}
}

func shownContact(contact *registry.Contact) *eppxml.ContactInfData {
	info := &eppxml.ContactInfData{
		ID: string(contact.ID), ROID: string(contact.ROID),
		Voice: shownPhone(contact.Voice), Fax: shownPhone(contact.Fax), Email: contact.Email,
		ClID: string(contact.Sponsor), CrID: string(contact.Creator), UpID: string(contact.Updater),
		CrDate: contact.CreatedAt, UpDate: contact.UpdatedAt, TrDate: contact.TransferredAt,
		Disclose: shownDisclose(contact.Disclose),
	}
	for _, p := range contact.Postal {
		info.PostalInfos = append(info.PostalInfos, eppxml.PostalInfo{
			Type: p.Type, Name: p.Name, Org: p.Organization,
			Addr: eppxml.PostalAddr{Street: p.Street, City: p.City, SP: p.StateProvince, PC: p.PostalCode, CC: p.CountryCode},
		})
	}
	return info
}

func shownPhone(p registry.Phone) *eppxml.Phone {
	if p.Number == "" {
		return nil
	}
	return &eppxml.Phone{Number: p.Number, Ext: p.Extension}
}

func shownDisclose(d *registry.Disclose) *eppxml.Disclose {
	if d == nil {
		return nil
	}
	has := func(field string) bool { return slices.Contains(d.Fields, field) }
	return &eppxml.Disclose{
		Flag:    d.Flag,
		NameInt: has("name.int"), NameLoc: has("name.loc"),
		OrgInt: has("org.int"), OrgLoc: has("org.loc"),
		AddrInt: has("addr.int"), AddrLoc: has("addr.loc"),
		Voice: has("voice"), Fax: has("fax"), Email: has("email"),
	}
}
