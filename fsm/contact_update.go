package fsm

import (
	"slices"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

func (r *run) contactUpdate(c *fsmpb.ContactUpdate) (*fsmpb.Result, error) {
	old, err := r.ownContact(c.GetId())
	if err != nil {
		return nil, err
	}
	onlyStatuses := len(c.GetPostal()) == 0 && c.Voice == nil && c.Fax == nil && c.Email == nil && c.AuthInfo == nil && c.Disclose == nil && c.AdditionalEmail == nil && !changesOrgs(c)
	if err := requireUpdatable(old.Statuses, onlyStatuses, c.GetAddStatuses(), c.GetRemoveStatuses()); err != nil {
		return nil, err
	}
	if err := r.requireContactAuthInfo(c.GetAuthInfo()); err != nil {
		return nil, err
	}
	next := *old
	next.Statuses, err = changeStatuses(registry.KindContact, old.Statuses, c.GetAddStatuses(), c.GetRemoveStatuses())
	if err != nil {
		return nil, err
	}
	if next.Orgs, err = r.changeOrgs(old.Orgs, c); err != nil {
		return nil, err
	}
	next.Postal = slices.Clone(old.Postal)
	for _, change := range c.GetPostal() {
		if next.Postal, err = changePostal(next.Postal, change); err != nil {
			return nil, err
		}
	}
	setIf(&next.Email, c.Email)
	if c.Voice != nil {
		next.Voice = phoneFromProto(c.GetVoice())
	}
	if c.Fax != nil {
		next.Fax = phoneFromProto(c.GetFax())
	}
	if c.AuthInfo != nil {
		next.AuthInfo = r.newAuthInfo(c.GetAuthInfo(), r.tx.TLDs()...)
	}
	if c.AdditionalEmail != nil {
		next.AdditionalEmail = additionalEmailFromProto(c.GetAdditionalEmail())
	}
	if c.Disclose != nil {
		next.Disclose = discloseFromProto(c.GetDisclose())
	}
	r.updated(&next.Provenance)
	r.tx.PutContact(old, &next)
	return ok(), nil
}

// ownContact returns a contact that the acting registrar sponsors.
func (r *run) ownContact(id string) (*registry.Contact, error) {
	contact, found := r.tx.Contact(registry.ContactID(id))
	if !found {
		return nil, refuse(registry.CodeObjectDoesNotExist, "id", id, "there is no such contact")
	}
	if err := r.requireSponsor(&contact.Provenance, "id", id); err != nil {
		return nil, err
	}
	return contact, nil
}

// changePostal changes the form of the given type, or adds it when the change is complete
// (RFC 5733 section 3.2.5).
func changePostal(forms []registry.PostalInfo, change *fsmpb.PostalInfoChange) ([]registry.PostalInfo, error) {
	at := slices.IndexFunc(forms, func(p registry.PostalInfo) bool { return p.Type == change.GetType() })
	if at < 0 {
		if change.Name == nil || change.Address == nil {
			return nil, refuse(registry.CodeParameterMissing, "postalInfo", change.GetType(), "the contact has no address of this type yet; a new one needs name and addr")
		}
		forms = append(forms, registry.PostalInfo{Type: change.GetType()})
		at = len(forms) - 1
	}
	p := &forms[at]
	setIf(&p.Name, change.Name)
	setIf(&p.Organization, change.Organization)
	if a := change.GetAddress(); a != nil {
		p.Street, p.City, p.StateProvince = a.GetStreet(), a.GetCity(), a.GetStateProvince()
		p.PostalCode, p.CountryCode = a.GetPostalCode(), a.GetCountryCode()
	}
	return forms, nil
}
