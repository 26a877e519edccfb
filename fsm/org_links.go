package fsm

import (
	"slices"
	"strings"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// orgChanges is the part of an update that changes the organisations of an object (RFC 8544
// section 4.2.5).
type orgChanges interface {
	GetAddOrgs() []*fsmpb.OrgLink
	GetRemoveOrgs() []*fsmpb.OrgLink
	GetChangeOrgs() []*fsmpb.OrgLink
}

func changesOrgs(c orgChanges) bool {
	return len(c.GetAddOrgs())+len(c.GetRemoveOrgs())+len(c.GetChangeOrgs()) > 0
}

// addOrgs returns the links of an object with those to add. An object has one organisation in
// a role.
func (r *run) addOrgs(have []registry.OrgLink, add []*fsmpb.OrgLink) ([]registry.OrgLink, error) {
	next := slices.Clone(have)
	for _, given := range add {
		if orgInRole(next, given.GetRole()) >= 0 {
			return nil, refuse(registry.CodeParameterPolicy, orgExtField, given.GetId(), "the object has an organisation in the role %s already; change it", given.GetRole())
		}
		link, err := r.newOrgLink(given)
		if err != nil {
			return nil, err
		}
		next = append(next, link)
	}
	slices.SortFunc(next, func(a, b registry.OrgLink) int { return strings.Compare(string(a.Role), string(b.Role)) })
	return next, nil
}

// changeOrgs removes, changes and adds links of an object, in this order.
func (r *run) changeOrgs(have []registry.OrgLink, c orgChanges) ([]registry.OrgLink, error) {
	next := slices.Clone(have)
	for _, gone := range c.GetRemoveOrgs() {
		at := orgInRole(next, gone.GetRole())
		if at < 0 || gone.GetId() != "" && registry.OrgID(gone.GetId()).Key() != next[at].ID.Key() {
			return nil, refuse(registry.CodeParameterPolicy, orgExtField, gone.GetId(), "the organisation to remove is not there in the role %s", gone.GetRole())
		}
		next = slices.Delete(next, at, at+1)
	}
	for _, given := range c.GetChangeOrgs() {
		at := orgInRole(next, given.GetRole())
		if at < 0 {
			return nil, refuse(registry.CodeParameterPolicy, orgExtField, given.GetId(), "the object has no organisation in the role %s; add it", given.GetRole())
		}
		link, err := r.newOrgLink(given)
		if err != nil {
			return nil, err
		}
		next[at] = link
	}
	return r.addOrgs(next, c.GetAddOrgs())
}

// orgExtField is how refusals name an organisation of the extension, whose element has the
// name of another schema's.
const orgExtField = "orgext"

func orgInRole(links []registry.OrgLink, role string) int {
	return slices.IndexFunc(links, func(l registry.OrgLink) bool { return string(l.Role) == role })
}

// newOrgLink returns a link to an organisation that has the role and takes links in it.
func (r *run) newOrgLink(given *fsmpb.OrgLink) (registry.OrgLink, error) {
	org, err := r.linkableOrg(orgExtField, given.GetId())
	if err != nil {
		return registry.OrgLink{}, err
	}
	role, found := org.Role(registry.OrgRoleType(given.GetRole()))
	if !found {
		return registry.OrgLink{}, refuse(registry.CodeParameterPolicy, orgExtField, given.GetId(), "the organisation does not have the role %s", given.GetRole())
	}
	if status := firstOf(role.Statuses, registry.StatusClientLinkProhibited, registry.StatusServerLinkProhibited); status != "" {
		return registry.OrgLink{}, refuse(registry.CodeStatusProhibits, orgExtField, given.GetId(), "%s of the role %s forbids new links", status, given.GetRole())
	}
	return registry.OrgLink{Role: role.Type, ID: org.ID}, nil
}

// linkableOrg returns an organisation to which the acting registrar may link objects: one of
// its own, so that nobody keeps another's organisation from being deleted.
func (r *run) linkableOrg(field, id string) (*registry.Org, error) {
	org, err := r.existingOrg(field, id)
	if err != nil {
		return nil, err
	}
	if err := r.requireSponsor(&org.Provenance, field, id); err != nil {
		return nil, err
	}
	status := firstOf(org.Statuses, registry.StatusHold, registry.StatusTerminated, registry.StatusClientLinkProhibited,
		registry.StatusServerLinkProhibited, registry.StatusPendingCreate, registry.StatusPendingDelete)
	if status != "" {
		return nil, refuse(registry.CodeStatusProhibits, field, id, "%s of the organisation forbids new links (RFC 8543 section 3.4)", status)
	}
	return org, nil
}
