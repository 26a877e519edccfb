package epp

import (
	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// orgExtElements are what commands carry of organisations (RFC 8544 section 4).
func orgExtElements() []extensionElement {
	isCreate := func(b eppxml.Body) bool {
		return isBody[*eppxml.DomainCreate](b) || isBody[*eppxml.HostCreate](b) || isBody[*eppxml.ContactCreate](b)
	}
	isUpdate := func(b eppxml.Body) bool {
		return isBody[*eppxml.DomainUpdate](b) || isBody[*eppxml.HostUpdate](b) || isBody[*eppxml.ContactUpdate](b)
	}
	return []extensionElement{
		{"create", isCreate, func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
			x.orgCreate, err = eppxml.DecodeOrgExtCreate(e)
			return err
		}},
		{"update", isUpdate, func(e *eppxml.Element, x *commandExtensions) (err *eppxml.Error) {
			x.orgUpdate, err = eppxml.DecodeOrgExtUpdate(e)
			return err
		}},
	}
}

// orgLinks returns links as the registry takes them.
func orgLinks(given []eppxml.OrgLink) []*fsmpb.OrgLink {
	links := make([]*fsmpb.OrgLink, 0, len(given))
	for _, link := range given {
		links = append(links, &fsmpb.OrgLink{Role: link.Role, Id: link.ID})
	}
	return links
}

// changedOrgs returns the links that an update adds, removes and changes.
func (c *call) changedOrgs() (add, remove, change []*fsmpb.OrgLink) {
	u := c.extensions.orgUpdate
	if u == nil {
		return nil, nil, nil
	}
	return orgLinks(u.Add), orgLinks(u.Rem), orgLinks(u.Chg)
}

// shownOrgs is what an info says of organisations to those who see all of the object. That
// there is none is said to clients only that use the extension.
func (c *call) shownOrgs(links []registry.OrgLink) []extensionData {
	if len(links) == 0 && (c.services == nil || !c.services.hasExtension(eppxml.NSOrgExt)) {
		return nil
	}
	shown := make([]eppxml.OrgLink, 0, len(links))
	for _, link := range links {
		shown = append(shown, eppxml.OrgLink{Role: string(link.Role), ID: string(link.ID)})
	}
	return []extensionData{{uri: eppxml.NSOrgExt, xml: eppxml.AppendOrgExtInfData(nil, shown)}}
}
