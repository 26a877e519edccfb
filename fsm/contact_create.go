package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

func (r *run) contactCreate(c *fsmpb.ContactCreate) (*fsmpb.Result, error) {
	id := registry.ContactID(c.GetId())
	if r.tx.HasContact(id) {
		return nil, refuse(registry.CodeObjectExists, "id", c.GetId(), "the contact id is taken; ids differ by more than case")
	}
	if err := r.requireContactAuthInfo(c.GetAuthInfo()); err != nil {
		return nil, err
	}
	orgs, err := r.addOrgs(nil, c.GetOrgs())
	if err != nil {
		return nil, err
	}
	roid, err := r.objectROID("C", c.GetRoid(), r.repositorySuffix())
	if err != nil {
		return nil, err
	}
	contact := &registry.Contact{
		Provenance: r.created(roid), ID: id, Voice: phoneFromProto(c.GetVoice()), Fax: phoneFromProto(c.GetFax()),
		Email: c.GetEmail(), AuthInfo: r.newAuthInfo(c.GetAuthInfo(), r.tx.TLDs()...), Disclose: discloseFromProto(c.GetDisclose()),
		AdditionalEmail: additionalEmailFromProto(c.GetAdditionalEmail()), Orgs: orgs,
	}
	for _, p := range c.GetPostal() {
		contact.Postal = append(contact.Postal, postalFromProto(p))
	}
	r.tx.PutContact(nil, contact)
	return r.createdResult(roid), nil
}

// created is the provenance of an object that the acting registrar makes now.
func (r *run) created(roid registry.ROID) registry.Provenance {
	return registry.Provenance{ROID: roid, Sponsor: r.registrarID(), Creator: r.registrarID(), CreatedAt: r.now}
}

func (r *run) createdResult(roid registry.ROID) *fsmpb.Result {
	result := ok()
	result.Roid, result.CreatedAtMs = string(roid), r.now.UnixMilli()
	return result
}

// updated notes that the acting registrar changed the object now.
func (r *run) updated(p *registry.Provenance) {
	p.Updater, p.UpdatedAt = r.registrarID(), r.now
}

// repositorySuffix ends the ROIDs of contacts and external hosts, which belong to no TLD:
// the suffix of the first TLD.
func (r *run) repositorySuffix() string {
	for _, tld := range r.tx.TLDs() {
		return tld.Policy.ROIDSuffix
	}
	return operatorROIDSuffix
}

// requireContactAuthInfo says whether authorisation information may be set for a contact,
// which belongs to no TLD: weak one only where every TLD admits it.
func (r *run) requireContactAuthInfo(a *fsmpb.AuthInfo) error {
	if !a.GetWeak() {
		return nil
	}
	for _, tld := range r.tx.TLDs() {
		if err := policy.CheckAuthInfo(tld, true); err != nil {
			return err
		}
	}
	return nil
}

func postalFromProto(p *fsmpb.PostalInfo) registry.PostalInfo {
	return registry.PostalInfo{
		Type: p.GetType(), Name: p.GetName(), Organization: p.GetOrganization(), Street: p.GetStreet(),
		City: p.GetCity(), StateProvince: p.GetStateProvince(), PostalCode: p.GetPostalCode(), CountryCode: p.GetCountryCode(),
	}
}

func phoneFromProto(p *fsmpb.Phone) registry.Phone {
	return registry.Phone{Number: p.GetNumber(), Extension: p.GetExtension()}
}

// newAuthInfo is authorisation information that is set now, for an object of the TLDs.
func (r *run) newAuthInfo(a *fsmpb.AuthInfo, tlds ...*registry.TLD) registry.AuthInfo {
	info := registry.AuthInfo{Salt: a.GetSalt(), Hash: a.GetHash()}
	if a.GetExpires() && len(info.Hash) > 0 {
		info.ExpiresAt = policy.AuthInfoExpiry(r.now, tlds...)
	}
	return info
}

// additionalEmailFromProto converts an address; an empty one is none, whatever goes with it.
func additionalEmailFromProto(a *fsmpb.AdditionalEmail) registry.AdditionalEmail {
	if a.GetAddress() == "" {
		return registry.AdditionalEmail{}
	}
	return registry.AdditionalEmail{Address: a.GetAddress(), Primary: a.GetPrimary()}
}

func discloseFromProto(d *fsmpb.Disclose) *registry.Disclose {
	if d == nil {
		return nil
	}
	return &registry.Disclose{Flag: d.GetFlag(), Fields: d.GetFields()}
}
