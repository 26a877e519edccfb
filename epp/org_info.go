package epp

import (
	"context"
	"net/url"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// orgInfo is <info> of an organisation (RFC 8543 section 4.1.2). Its sponsor sees all of it,
// every other registrar who it is and in which roles it acts, but neither its addresses nor
// its contacts.
func (c *call) orgInfo(ctx context.Context, q *eppxml.OrgInfo) (*answer, error) {
	var info *eppxml.OrgInfData
	err := c.view(ctx, func(tx *store.ReadTx) error {
		org, found := tx.Org(registry.OrgID(q.ID))
		if !found {
			return refuse(registry.CodeObjectDoesNotExist, "id", q.ID, "there is no such organisation")
		}
		if info = publicOrg(tx, org); org.Sponsor == c.registrar {
			addFullOrg(info, org)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ok(eppxml.AppendOrgInfData(nil, info)), nil
}

// publicOrg is what every registrar sees of an organisation.
func publicOrg(tx *store.ReadTx, org *registry.Org) *eppxml.OrgInfData {
	info := &eppxml.OrgInfData{
		ID: string(org.ID), ROID: string(org.ROID), Statuses: orgStatuses(org.Statuses, tx.OrgIsLinked(org.ID)), Parent: string(org.Parent),
		ClID: string(org.Sponsor), CrID: string(org.Creator), CrDate: org.CreatedAt, UpDate: org.UpdatedAt,
	}
	for _, role := range org.Roles {
		info.Roles = append(info.Roles, eppxml.OrgRole{
			Type: string(role.Type), ID: role.ID, Statuses: orgStatuses(role.Statuses, tx.OrgRoleIsLinked(org.ID, role.Type)),
		})
	}
	for _, p := range org.Postal {
		info.PostalInfos = append(info.PostalInfos, eppxml.OrgPostalInfo{Type: p.Type, Name: p.Name})
	}
	if org.URL != "" {
		info.URL = &org.URL
	}
	return info
}

// addFullOrg adds what only the sponsor sees.
func addFullOrg(info *eppxml.OrgInfData, org *registry.Org) {
	for i, p := range org.Postal {
		if p.City != "" {
			info.PostalInfos[i].Addr = &eppxml.PostalAddr{Street: p.Street, City: p.City, SP: p.StateProvince, PC: p.PostalCode, CC: p.CountryCode}
		}
	}
	info.Voice, info.Fax, info.Email = shownPhone(org.Voice), shownPhone(org.Fax), org.Email
	for _, contact := range org.Contacts {
		info.Contacts = append(info.Contacts, eppxml.OrgContact{Type: contact.Type, TypeName: contact.TypeName, ID: string(contact.ID)})
	}
	info.UpID = string(org.Updater)
}

// orgStatuses returns the statuses of an organisation or role for an info, as shownStatuses
// has them.
func orgStatuses(explicit registry.Statuses, linked bool) []string {
	return statusValues(shownStatuses(explicit, linked, false))
}

// checkURL admits what a browser can open.
func checkURL(given string) error {
	parsed, err := url.Parse(given)
	if given != "" && (err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https") {
		return refuse(registry.CodeParameterSyntax, "url", given, "the URL of an organisation is an http or https URL with a host (RFC 8543 section 3.7)")
	}
	return nil
}
