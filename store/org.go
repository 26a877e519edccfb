package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// fieldOrgLink is the field of the rows of domains, hosts and contacts that holds a link to an
// organisation.
const fieldOrgLink protowire.Number = 120

// Org returns the organisation with the id, compared without case.
func (tx *ReadTx) Org(id registry.OrgID) (*registry.Org, bool) {
	value, ok := tx.get(tableOrg.key().tail(id.Key()))
	if !ok {
		return nil, false
	}
	return decodeOrg(value), true
}

// HasOrg says whether the id is taken.
func (tx *ReadTx) HasOrg(id registry.OrgID) bool { return tx.has(tableOrg.key().tail(id.Key())) }

// OrgIsLinked says whether another object is linked to the organisation: a domain, host or
// contact in any role, or an organisation of which it is the parent.
func (tx *ReadTx) OrgIsLinked(id registry.OrgID) bool {
	return tx.anyRow(tableOrgUse.key().str(id.Key()))
}

// OrgHasChildren says whether the organisation is the parent of another.
func (tx *ReadTx) OrgHasChildren(id registry.OrgID) bool {
	return tx.anyRow(orgUsePrefix(registry.OrgLink{ID: id}))
}

// OrgRoleIsLinked says whether an object is linked to the organisation in the role.
func (tx *ReadTx) OrgRoleIsLinked(id registry.OrgID, role registry.OrgRoleType) bool {
	return tx.anyRow(orgUsePrefix(registry.OrgLink{Role: role, ID: id}))
}

// ContactIsLinked says whether a domain or an organisation names the contact.
func (tx *ReadTx) ContactIsLinked(id registry.ContactID) bool {
	return len(tx.ContactUsers(id, 1)) > 0 || tx.anyRow(tableOrgContact.key().str(id.Key()))
}

func (tx *ReadTx) anyRow(prefix key) bool {
	found := false
	tx.scan(prefix, nil, func(_, _ []byte) bool { found = true; return false })
	return found
}

// orgUsePrefix begins the rows of what is linked to an organisation in a role. Its children
// stand under the empty role.
func orgUsePrefix(link registry.OrgLink) key {
	return tableOrgUse.key().str(link.ID.Key()).str(string(link.Role))
}

func orgUseKey(link registry.OrgLink, kind registry.ObjectKind, objectKey string) key {
	return orgUsePrefix(link).bytes([]byte{byte(kind)}).tail(objectKey)
}

// orgUseKeys returns the index rows that links of an object stand for.
func orgUseKeys(links []registry.OrgLink, kind registry.ObjectKind, objectKey string) []key {
	var keys []key
	for _, link := range links {
		keys = append(keys, orgUseKey(link, kind, objectKey))
	}
	return keys
}

// moveIndexes replaces the index rows of an object. They have no content.
func (tx *Tx) moveIndexes(before, after []key) {
	for _, k := range before {
		tx.del(k)
	}
	for _, k := range after {
		tx.set(k, nil)
	}
}

// PutOrg writes o with its indexes and history. old is the version that it replaces, nil for
// a new organisation.
func (tx *Tx) PutOrg(old, o *registry.Org) {
	row := encodeOrg(o)
	tx.set(tableOrg.key().tail(o.ID.Key()), row)
	if old == nil {
		tx.putROID(o.ROID, registry.KindOrg, string(o.ID))
		tx.noteName(registry.KindOrg, o.ID.Key(), o.ROID)
	}
	tx.moveIndexes(orgIndexKeys(old), orgIndexKeys(o))
	tx.addHistory(registry.KindOrg, o.ROID, string(o.ID), row)
}

// DeleteOrg removes o with its indexes; its history stays.
func (tx *Tx) DeleteOrg(o *registry.Org) {
	tx.del(tableOrg.key().tail(o.ID.Key()))
	tx.del(tableROID.key().tail(string(o.ROID)))
	tx.moveIndexes(orgIndexKeys(o), nil)
	tx.addHistory(registry.KindOrg, o.ROID, string(o.ID), nil)
}

// orgIndexKeys returns the index rows that an organisation stands for.
func orgIndexKeys(o *registry.Org) []key {
	if o == nil {
		return nil
	}
	var keys []key
	if o.Parent != "" {
		keys = append(keys, orgUseKey(registry.OrgLink{ID: o.Parent}, registry.KindOrg, o.ID.Key()))
	}
	for _, c := range o.Contacts {
		keys = append(keys, tableOrgContact.key().str(c.ID.Key()).tail(o.ID.Key()))
	}
	return keys
}

// Org returns the organisation as of this version.
func (v *Version) Org() *registry.Org { return decodeOrg(v.row) }

func encodeOrg(o *registry.Org) []byte {
	var e encoder
	e.provenance(&o.Provenance)
	e.statuses(o.Statuses)
	e.str(12, string(o.ID))
	for i := range o.Roles {
		e.msg(13, func(e *encoder) {
			e.str(1, string(o.Roles[i].Type))
			e.str(2, o.Roles[i].ID)
			for _, s := range o.Roles[i].Statuses {
				e.elem(3, []byte(s))
			}
		})
	}
	e.str(14, string(o.Parent))
	for i := range o.Postal {
		e.msg(15, func(e *encoder) { e.postal(&o.Postal[i]) })
	}
	e.phone(16, o.Voice)
	e.phone(17, o.Fax)
	e.str(18, o.Email)
	e.str(19, o.URL)
	for _, c := range o.Contacts {
		e.msg(20, func(e *encoder) { e.str(1, c.Type); e.str(2, c.TypeName); e.str(3, string(c.ID)) })
	}
	return e.b
}

func decodeOrg(value []byte) *registry.Org {
	o := &registry.Org{}
	decodeRow("organisation", value, func(d *decoder) {
		for d.next() {
			d.orgField(o)
		}
	})
	return o
}

func (d *decoder) orgField(o *registry.Org) {
	switch d.num {
	case fieldStatus:
		o.Statuses = append(o.Statuses, registry.Status(d.str()))
	case 12:
		o.ID = registry.OrgID(d.str())
	case 13:
		o.Roles = append(o.Roles, d.orgRole())
	case 14:
		o.Parent = registry.OrgID(d.str())
	case 15:
		o.Postal = append(o.Postal, d.postal())
	case 16:
		o.Voice = d.phone()
	case 17:
		o.Fax = d.phone()
	case 18:
		o.Email = d.str()
	case 19:
		o.URL = d.str()
	case 20:
		o.Contacts = append(o.Contacts, d.orgContact())
	default:
		d.provenance(&o.Provenance)
	}
}

func (d *decoder) orgRole() registry.OrgRole {
	var role registry.OrgRole
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				role.Type = registry.OrgRoleType(d.str())
			case 2:
				role.ID = d.str()
			case 3:
				role.Statuses = append(role.Statuses, registry.Status(d.str()))
			default:
				d.unknown()
			}
		}
	})
	return role
}

func (d *decoder) orgContact() registry.OrgContact {
	var c registry.OrgContact
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				c.Type = d.str()
			case 2:
				c.TypeName = d.str()
			case 3:
				c.ID = registry.ContactID(d.str())
			default:
				d.unknown()
			}
		}
	})
	return c
}

func (e *encoder) orgLinks(links []registry.OrgLink) {
	for _, link := range links {
		e.msg(fieldOrgLink, func(e *encoder) { e.str(1, string(link.Role)); e.str(2, string(link.ID)) })
	}
}

func (d *decoder) orgLink() registry.OrgLink {
	var link registry.OrgLink
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				link.Role = registry.OrgRoleType(d.str())
			case 2:
				link.ID = registry.OrgID(d.str())
			default:
				d.unknown()
			}
		}
	})
	return link
}
