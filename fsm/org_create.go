package fsm

import (
	"slices"
	"strings"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// maxOrgAncestors bounds the generations above a new parent's child, so that looking for a
// cycle ends soon: a registrar, its resellers and theirs are three generations.
const maxOrgAncestors = 15

// orgCreate makes an organisation (RFC 8543 section 4.2.1).
func (r *run) orgCreate(c *fsmpb.OrgCreate) (*fsmpb.Result, error) {
	id := registry.OrgID(c.GetId())
	if r.tx.HasOrg(id) {
		return nil, refuse(registry.CodeObjectExists, "id", c.GetId(), "the id is taken by another organisation; ids differ by more than case")
	}
	org := &registry.Org{
		ID: id, Voice: phoneFromProto(c.GetVoice()), Fax: phoneFromProto(c.GetFax()), Email: c.GetEmail(), URL: c.GetUrl(),
	}
	for _, p := range c.GetPostal() {
		org.Postal = append(org.Postal, postalFromProto(p))
	}
	var err error
	if org.Statuses, err = changeStatuses(registry.KindOrg, nil, c.GetStatuses(), nil); err != nil {
		return nil, err
	}
	if org.Roles, err = changeOrgRoles(nil, c.GetRoles(), nil); err != nil {
		return nil, err
	}
	if c.GetParent() != "" {
		if org.Parent, err = r.orgParent(id, c.GetParent()); err != nil {
			return nil, err
		}
	}
	if org.Contacts, err = r.changeOrgContacts(nil, c.GetContacts(), nil); err != nil {
		return nil, err
	}
	roid, err := r.newROID(c.GetRoid(), r.repositorySuffix())
	if err != nil {
		return nil, err
	}
	org.Provenance = r.created(roid)
	r.tx.PutOrg(nil, org)
	return r.createdResult(roid), nil
}

// changeOrgRoles removes and adds roles, and statuses of roles.
func changeOrgRoles(have []registry.OrgRole, add, remove []*fsmpb.OrgRole) ([]registry.OrgRole, error) {
	next := slices.Clone(have)
	find := func(t string) int {
		return slices.IndexFunc(next, func(r registry.OrgRole) bool { return string(r.Type) == t })
	}
	for _, gone := range remove {
		at := find(gone.GetType())
		if at < 0 || gone.GetId() != "" && gone.GetId() != next[at].ID {
			return nil, refuse(registry.CodeParameterPolicy, "role", gone.GetType(), "the organisation does not have the role to remove")
		}
		if len(gone.GetStatuses()) == 0 {
			next = slices.Delete(next, at, at+1)
			continue
		}
		for _, s := range gone.GetStatuses() {
			if status := registry.Status(s); status != registry.StatusClientLinkProhibited || !next[at].Statuses.Has(status) {
				return nil, refuse(registry.CodeParameterPolicy, "role", s, "the role has no such status that its registrar can remove")
			}
			next[at].Statuses = next[at].Statuses.Without(registry.Status(s))
		}
	}
	for _, given := range add {
		at := find(given.GetType())
		switch {
		case !registry.IsOrgRoleType(registry.OrgRoleType(given.GetType())):
			return nil, refuse(registry.CodeParameterPolicy, "role", given.GetType(), "a role is registrar, reseller, privacyproxy or dns-operator (RFC 8543 section 7.3)")
		case at < 0:
			at = len(next)
			next = append(next, registry.OrgRole{Type: registry.OrgRoleType(given.GetType()), ID: given.GetId()})
		case len(given.GetStatuses()) == 0 && given.GetId() == "", given.GetId() != "" && next[at].ID != "":
			return nil, refuse(registry.CodeParameterPolicy, "role", given.GetType(), "the organisation has the role already")
		case given.GetId() != "":
			next[at].ID = given.GetId()
		}
		for _, s := range given.GetStatuses() {
			if status := registry.Status(s); status != registry.StatusClientLinkProhibited || next[at].Statuses.Has(status) {
				return nil, refuse(registry.CodeParameterPolicy, "role", s, "the one status of a role that its registrar can set, once, is clientLinkProhibited")
			}
			next[at].Statuses = next[at].Statuses.With(registry.Status(s))
		}
	}
	if len(next) == 0 {
		return nil, refuse(registry.CodeParameterPolicy, "role", "", "an organisation has one role at least (RFC 8543 section 3.2)")
	}
	slices.SortFunc(next, func(a, b registry.OrgRole) int { return strings.Compare(string(a.Type), string(b.Type)) })
	return next, nil
}

// changeOrgContacts removes and adds contacts, which are the acting registrar's own.
func (r *run) changeOrgContacts(have []registry.OrgContact, add, remove []*fsmpb.OrgContact) ([]registry.OrgContact, error) {
	next := slices.Clone(have)
	find := func(c *fsmpb.OrgContact) int {
		key := registry.ContactID(c.GetId()).Key()
		return slices.IndexFunc(next, func(h registry.OrgContact) bool {
			return h.Type == c.GetType() && h.TypeName == c.GetTypeName() && h.ID.Key() == key
		})
	}
	for _, gone := range remove {
		at := find(gone)
		if at < 0 {
			return nil, refuse(registry.CodeParameterPolicy, "contact", gone.GetId(), "the contact to remove is not one of that type")
		}
		next = slices.Delete(next, at, at+1)
	}
	for _, given := range add {
		contact, err := r.linkableContact("contact", given.GetId())
		if err != nil {
			return nil, err
		}
		if find(given) >= 0 {
			return nil, refuse(registry.CodeParameterPolicy, "contact", given.GetId(), "the contact is one of that type already")
		}
		next = append(next, registry.OrgContact{Type: given.GetType(), TypeName: given.GetTypeName(), ID: contact.ID})
	}
	if len(next) > maxOrgContacts {
		return nil, refuse(registry.CodeParameterPolicy, "contact", "", "an organisation has at most %d contacts", maxOrgContacts)
	}
	return next, nil
}

// orgParent returns the parent that an organisation may have: one of the acting registrar's
// own that takes links and does not stand below the organisation (RFC 8543 section 3.6).
func (r *run) orgParent(child registry.OrgID, given string) (registry.OrgID, error) {
	if registry.OrgID(given).Key() == child.Key() {
		return "", refuse(registry.CodeParameterPolicy, "parentId", given, "an organisation is not its own parent (RFC 8543 section 3.6)")
	}
	parent, err := r.linkableOrg("parentId", given)
	if err != nil {
		return "", err
	}
	above := parent
	for range maxOrgAncestors {
		if above.Parent == "" {
			return parent.ID, nil
		}
		if above.Parent.Key() == child.Key() {
			return "", refuse(registry.CodeParameterPolicy, "parentId", given, "the organisation stands above its parent already; trees have no cycles (RFC 8543 section 3.6)")
		}
		next, found := r.tx.Org(above.Parent)
		if !found {
			return "", refuse(registry.CodeInternal, "parentId", string(above.Parent), "an organisation names a parent that does not exist")
		}
		above = next
	}
	return "", refuse(registry.CodeParameterPolicy, "parentId", given, "at most %d organisations stand above another", maxOrgAncestors)
}
