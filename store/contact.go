package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// Contact returns the contact with the id, compared without case.
func (tx *ReadTx) Contact(id registry.ContactID) (*registry.Contact, bool) {
	value, ok := tx.get(tableContact.key().tail(id.Key()))
	if !ok {
		return nil, false
	}
	return decodeContact(value), true
}

// HasContact says whether the id is taken.
func (tx *ReadTx) HasContact(id registry.ContactID) bool {
	return tx.has(tableContact.key().tail(id.Key()))
}

// ContactUsers returns up to limit domains that name the contact, by name.
func (tx *ReadTx) ContactUsers(id registry.ContactID, limit int) []registry.DomainName {
	var users []registry.DomainName
	tx.scan(tableContactUse.key().str(id.Key()), nil, func(rest, _ []byte) bool {
		users = append(users, registry.DomainName(rest))
		return len(users) < limit
	})
	return users
}

// PutContact writes c with its index and history. old is the version that it replaces, nil for a new
// contact.
func (tx *Tx) PutContact(old, c *registry.Contact) {
	row := encodeContact(c)
	tx.set(tableContact.key().tail(c.ID.Key()), row)
	if old == nil {
		tx.putROID(c.ROID, registry.KindContact, string(c.ID))
		tx.noteName(registry.KindContact, c.ID.Key(), c.ROID)
	}
	tx.moveContactDue(old, c)
	tx.moveIndexes(contactOrgKeys(old), contactOrgKeys(c))
	tx.addHistory(registry.KindContact, c.ROID, string(c.ID), row)
}

// DeleteContact removes c; its history stays.
func (tx *Tx) DeleteContact(c *registry.Contact) {
	tx.del(tableContact.key().tail(c.ID.Key()))
	tx.dropROID(c.ROID)
	tx.moveContactDue(c, nil)
	tx.moveIndexes(contactOrgKeys(c), nil)
	tx.addHistory(registry.KindContact, c.ROID, string(c.ID), nil)
}

// moveContactDue replaces the row that says when time next changes the contact.
func (tx *Tx) moveContactDue(old, c *registry.Contact) {
	if old != nil && !old.NextDueAt().IsZero() {
		tx.del(dueContactKey(old.NextDueAt(), old.ID))
	}
	if c != nil && !c.NextDueAt().IsZero() {
		tx.set(dueContactKey(c.NextDueAt(), c.ID), nil)
	}
}

// contactOrgKeys returns the index rows of the organisations that the contact is linked to.
func contactOrgKeys(c *registry.Contact) []key {
	if c == nil {
		return nil
	}
	return orgUseKeys(c.Orgs, registry.KindContact, c.ID.Key())
}

func encodeContact(c *registry.Contact) []byte {
	var e encoder
	e.provenance(&c.Provenance)
	e.statuses(c.Statuses)
	e.authInfo(c.AuthInfo)
	e.str(12, string(c.ID))
	for i := range c.Postal {
		e.msg(13, func(e *encoder) { e.postal(&c.Postal[i]) })
	}
	e.phone(14, c.Voice)
	e.phone(15, c.Fax)
	e.str(16, c.Email)
	if c.Disclose != nil {
		e.msg(17, func(e *encoder) {
			e.bool(1, c.Disclose.Flag)
			for _, f := range c.Disclose.Fields {
				e.elem(2, []byte(f))
			}
		})
	}
	e.transfer(fieldContactTransfer, c.Transfer)
	e.additionalEmail(c.AdditionalEmail)
	e.orgLinks(c.Orgs)
	return e.b
}

func (e *encoder) postal(p *registry.PostalInfo) {
	e.str(1, p.Type)
	e.str(2, p.Name)
	e.str(3, p.Organization)
	for _, line := range p.Street {
		e.elem(4, []byte(line))
	}
	e.str(5, p.City)
	e.str(6, p.StateProvince)
	e.str(7, p.PostalCode)
	e.str(8, p.CountryCode)
}

func (e *encoder) phone(num protowire.Number, p registry.Phone) {
	if p != (registry.Phone{}) {
		e.msg(num, func(e *encoder) { e.str(1, p.Number); e.str(2, p.Extension) })
	}
}

func decodeContact(value []byte) *registry.Contact {
	c := &registry.Contact{}
	decodeRow("contact", value, func(d *decoder) {
		for d.next() {
			d.contactField(c)
		}
	})
	return c
}

func (d *decoder) contactField(c *registry.Contact) {
	switch d.num {
	case fieldStatus:
		c.Statuses = append(c.Statuses, registry.Status(d.str()))
	case fieldAuthInfo:
		c.AuthInfo = d.authInfo()
	case 12:
		c.ID = registry.ContactID(d.str())
	case 13:
		c.Postal = append(c.Postal, d.postal())
	case 14:
		c.Voice = d.phone()
	case 15:
		c.Fax = d.phone()
	case 16:
		c.Email = d.str()
	case 17:
		c.Disclose = d.disclose()
	case fieldContactEmail:
		c.AdditionalEmail = d.additionalEmail()
	case fieldContactTransfer:
		c.Transfer = d.transfer()
	case fieldOrgLink:
		c.Orgs = append(c.Orgs, d.orgLink())
	default:
		d.provenance(&c.Provenance)
	}
}

func (d *decoder) postal() registry.PostalInfo {
	var p registry.PostalInfo
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				p.Type = d.str()
			case 2:
				p.Name = d.str()
			case 3:
				p.Organization = d.str()
			case 4:
				p.Street = append(p.Street, d.str())
			case 5:
				p.City = d.str()
			case 6:
				p.StateProvince = d.str()
			case 7:
				p.PostalCode = d.str()
			case 8:
				p.CountryCode = d.str()
			default:
				d.unknown()
			}
		}
	})
	return p
}

func (d *decoder) phone() registry.Phone {
	var p registry.Phone
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				p.Number = d.str()
			case 2:
				p.Extension = d.str()
			default:
				d.unknown()
			}
		}
	})
	return p
}

func (d *decoder) disclose() *registry.Disclose {
	out := &registry.Disclose{}
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				out.Flag = d.bool()
			case 2:
				out.Fields = append(out.Fields, d.str())
			default:
				d.unknown()
			}
		}
	})
	return out
}
