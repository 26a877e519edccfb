package fsm

import (
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// orgUpdate changes an organisation (RFC 8543 section 4.2.5).
func (r *run) orgUpdate(c *fsmpb.OrgUpdate) (*fsmpb.Result, error) {
	old, err := r.ownOrg(c.GetId())
	if err != nil {
		return nil, err
	}
	if err := requireOrgUpdatable(old, c); err != nil {
		return nil, err
	}
	next := *old
	if next.Statuses, err = changeStatuses(registry.KindOrg, old.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses()); err != nil {
		return nil, err
	}
	if next.Roles, err = changeOrgRoles(old.Roles, c.GetAddRoles(), c.GetRemoveRoles()); err != nil {
		return nil, err
	}
	for _, role := range old.Roles {
		if _, kept := next.Role(role.Type); !kept && r.tx.OrgRoleIsLinked(old.ID, role.Type) {
			return nil, refuse(registry.CodeAssociationForbids, "role", string(role.Type), "objects are linked to the organisation in this role (RFC 8543 section 3.5)")
		}
	}
	if next.Contacts, err = r.changeOrgContacts(old.Contacts, c.GetAddContacts(), c.GetRemoveContacts()); err != nil {
		return nil, err
	}
	if c.Parent != nil && registry.OrgID(c.GetParent()).Key() != old.Parent.Key() {
		if next.Parent, err = r.orgParent(old.ID, c.GetParent()); err != nil {
			return nil, err
		}
	}
	next.Postal = slices.Clone(old.Postal)
	for _, change := range c.GetPostal() {
		if next.Postal, err = changeOrgPostal(next.Postal, change); err != nil {
			return nil, err
		}
	}
	if c.Voice != nil {
		next.Voice = phoneFromProto(c.GetVoice())
	}
	if c.Fax != nil {
		next.Fax = phoneFromProto(c.GetFax())
	}
	setIf(&next.Email, c.Email)
	setIf(&next.URL, c.Url)
	r.updated(&next.Provenance)
	r.tx.PutOrg(old, &next)
	return ok(), nil
}

// ownOrg returns an organisation that the acting registrar sponsors.
func (r *run) ownOrg(id string) (*registry.Org, error) {
	org, err := r.existingOrg("id", id)
	if err != nil {
		return nil, err
	}
	return org, r.requireSponsor(&org.Provenance, "id", id)
}

func (r *run) existingOrg(field, id string) (*registry.Org, error) {
	org, found := r.tx.Org(registry.OrgID(id))
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, field, id, "there is no such organisation")
	}
	return org, nil
}

// requireOrgUpdatable says whether the statuses admit an update. One that is on hold or
// terminated is for operators only.
func requireOrgUpdatable(old *registry.Org, c *fsmpb.OrgUpdate) error {
	if err := requireOrgInForce(old.Statuses); err != nil {
		return err
	}
	lists := len(c.GetAddContacts()) + len(c.GetRemoveContacts()) + len(c.GetAddRoles()) + len(c.GetRemoveRoles()) + len(c.GetPostal())
	onlyStatuses := lists == 0 && c.Parent == nil && c.Voice == nil && c.Fax == nil && c.Email == nil && c.Url == nil
	return requireUpdatable(old.Statuses, onlyStatuses, c.GetAddStatuses(), c.GetRemoveStatuses())
}

// requireOrgInForce refuses what registrars may not do while an organisation is on hold or
// terminated (RFC 8543 section 3.4).
func requireOrgInForce(have registry.Statuses) error {
	if status := firstOf(have, registry.StatusHold, registry.StatusTerminated, registry.StatusPendingCreate); status != "" {
		return refuse(registry.CodeStatusProhibits, "status", string(status), "the status forbids changes of the organisation (RFC 8543 section 3.4)")
	}
	return nil
}

// changeOrgPostal changes the form of the given type, or adds it when it comes with a name.
func changeOrgPostal(forms []registry.PostalInfo, change *fsmpb.PostalInfoChange) ([]registry.PostalInfo, error) {
	at := slices.IndexFunc(forms, func(p registry.PostalInfo) bool { return p.Type == change.GetType() })
	if at < 0 {
		if change.Name == nil {
			return nil, refuse(registry.CodeParameterMissing, "postalInfo", change.GetType(), "the organisation has no name of this type yet; a new one needs it")
		}
		forms = append(forms, registry.PostalInfo{Type: change.GetType()})
		at = len(forms) - 1
	}
	p := &forms[at]
	setIf(&p.Name, change.Name)
	if a := change.GetAddress(); a != nil {
		p.Street, p.City, p.StateProvince = a.GetStreet(), a.GetCity(), a.GetStateProvince()
		p.PostalCode, p.CountryCode = a.GetPostalCode(), a.GetCountryCode()
	}
	return forms, nil
}
