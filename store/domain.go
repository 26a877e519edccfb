package store

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// Domain returns the registered domain of the name.
func (tx *ReadTx) Domain(name registry.DomainName) (*registry.Domain, bool) {
	value, ok := tx.get(tableDomain.key().tail(string(name)))
	if !ok {
		return nil, false
	}
	return decodeDomain(value), true
}

// HasDomain says whether the name is registered.
func (tx *ReadTx) HasDomain(name registry.DomainName) bool {
	return tx.has(tableDomain.key().tail(string(name)))
}

// PutDomain writes d with its indexes and history. old is the version that it replaces,
// nil for a new domain.
func (tx *Tx) PutDomain(old, d *registry.Domain) {
	row := encodeDomain(d)
	tx.set(tableDomain.key().tail(string(d.Name)), row)
	if old == nil {
		tx.putROID(d.ROID, registry.KindDomain, string(d.Name))
		if !tx.packs {
			tx.noteName(registry.KindDomain, string(d.Name), d.ROID)
		}
	}
	tx.moveDomainIndexes(old, d)
	tx.addHistory(registry.KindDomain, d.ROID, string(d.Name), row)
}

// DeleteDomain removes d with its indexes; its history stays.
func (tx *Tx) DeleteDomain(d *registry.Domain) {
	tx.del(tableDomain.key().tail(string(d.Name)))
	tx.dropROID(d.ROID)
	if tx.packs {
		tx.noteName(registry.KindDomain, string(d.Name), d.ROID)
	}
	tx.moveDomainIndexes(d, nil)
	tx.addHistory(registry.KindDomain, d.ROID, string(d.Name), nil)
}

// moveDomainIndexes writes only what differs: an index row has no content, so one that
// stays the same need not be touched and one that is new cannot have been there.
func (tx *Tx) moveDomainIndexes(old, d *registry.Domain) {
	before, after := domainIndexKeys(old), domainIndexKeys(d)
	contains := func(keys []key, k key) bool {
		return slices.ContainsFunc(keys, func(other key) bool { return bytes.Equal(other, k) })
	}
	for _, k := range before {
		if !contains(after, k) {
			tx.del(k)
		}
	}
	for _, k := range after {
		if !contains(before, k) {
			tx.insert(k, nil)
		}
	}
}

// domainIndexKeys returns the index rows that a domain stands for.
func domainIndexKeys(d *registry.Domain) []key {
	if d == nil {
		return nil
	}
	var keys []key
	name := string(d.Name)
	if d.Registrant != "" {
		keys = append(keys, tableContactUse.key().str(d.Registrant.Key()).tail(name))
	}
	for _, c := range d.Contacts {
		keys = append(keys, tableContactUse.key().str(c.ID.Key()).tail(name))
	}
	for _, host := range d.NameServers {
		keys = append(keys, tableHostUse.key().str(string(host)).tail(name))
	}
	keys = append(keys, orgUseKeys(d.Orgs, registry.KindDomain, name)...)
	for i := range d.HostAttributes {
		// A name below the domain itself goes with it and needs no index.
		if at := d.HostAttributes[i].Name.AncestorWithLabels(d.Name.Labels()); at != d.Name && at.IsBelow(d.TLD) {
			keys = appendNewKey(keys, attributeUseKey(at).tail(name))
		}
	}
	if d.IDN.Key != "" {
		keys = append(keys, variantKey(d.TLD, d.IDN.Key).tail(name))
	}
	if at := d.NextDueAt(); !at.IsZero() {
		keys = append(keys, dueKey(at, d.Name))
	}
	return keys
}

func encodeDomain(d *registry.Domain) []byte {
	e := newRow()
	e.provenance(&d.Provenance)
	e.statuses(d.Statuses)
	e.authInfo(d.AuthInfo)
	e.str(12, string(d.Name))
	e.str(13, string(d.TLD))
	e.time(14, d.ExpiresAt)
	e.str(15, string(d.Registrant))
	for _, c := range d.Contacts {
		e.msg(16, func(e *encoder) { e.str(1, string(c.Role)); e.str(2, string(c.ID)) })
	}
	for _, host := range d.NameServers {
		e.elem(17, []byte(host))
	}
	for _, g := range d.Graces {
		e.msg(18, func(e *encoder) {
			e.uint(1, uint64(g.Kind))
			e.time(2, g.EndsAt)
			e.uint(3, g.ChargeRow)
			e.time(fieldGraceRevertsTo, g.RevertsTo)
		})
	}
	e.uint(19, uint64(d.Phase))
	e.time(20, d.PhaseEndsAt)
	e.transfer(fieldDomainTransfer, d.Transfer)
	e.domainSecurity(d)
	e.time(33, d.RedemptionEndsAt)
	e.time(34, d.RestoreRequestedAt)
	e.ttls(fieldDomainTTL, d.TTLs)
	e.str(40, d.PriceClass)
	e.orgLinks(d.Orgs)
	for i := range d.HostAttributes {
		e.hostAttribute(fieldDomainHostAttribute, &d.HostAttributes[i])
	}
	e.time(fieldDomainExpiryGrace, d.ExpiryGraceEndsAt)
	e.str(fieldDomainIDNTable, d.IDN.Table)
	e.str(fieldDomainIDNKey, d.IDN.Key)
	e.domainLaunch(d)
	return e.b
}

func decodeDomain(value []byte) *registry.Domain {
	domain := &registry.Domain{}
	decodeRow("domain", value, func(d *decoder) {
		for d.next() {
			d.domainField(domain)
		}
	})
	return domain
}

func (d *decoder) domainField(domain *registry.Domain) {
	switch d.num {
	case fieldStatus:
		domain.Statuses = append(domain.Statuses, registry.Status(d.str()))
	case fieldAuthInfo:
		domain.AuthInfo = d.authInfo()
	case 12:
		domain.Name = registry.DomainName(d.str())
	case 13:
		domain.TLD = registry.DomainName(d.str())
	case 14:
		domain.ExpiresAt = d.time()
	case 15:
		domain.Registrant = registry.ContactID(d.str())
	case 16:
		domain.Contacts = append(domain.Contacts, d.domainContact())
	case 17:
		domain.NameServers = append(domain.NameServers, registry.DomainName(d.str()))
	case 18:
		domain.Graces = append(domain.Graces, d.grace())
	case 19:
		domain.Phase = registry.DeletionPhase(d.val)
	case 20:
		domain.PhaseEndsAt = d.time()
	case fieldDomainTransfer:
		domain.Transfer = d.transfer()
	case fieldDomainDS:
		domain.DS = append(domain.DS, d.delegationSigner())
	case fieldDomainKey:
		domain.Keys = append(domain.Keys, d.publicKey())
	case fieldDomainMaxSigLife:
		domain.MaxSigLifeSeconds = uint32(d.val)
	case 33:
		domain.RedemptionEndsAt = d.time()
	case 34:
		domain.RestoreRequestedAt = d.time()
	case fieldDomainTTL:
		domain.TTLs = append(domain.TTLs, d.ttl())
	case 40:
		domain.PriceClass = d.str()
	case fieldOrgLink:
		domain.Orgs = append(domain.Orgs, d.orgLink())
	case fieldDomainHostAttribute:
		domain.HostAttributes = append(domain.HostAttributes, d.hostAttribute())
	case fieldDomainExpiryGrace:
		domain.ExpiryGraceEndsAt = d.time()
	case fieldDomainIDNTable:
		domain.IDN.Table = d.str()
	case fieldDomainIDNKey:
		domain.IDN.Key = d.str()
	case fieldDomainPhase:
		domain.LaunchPhase = d.phase()
	case fieldDomainNotice:
		domain.ClaimsNotices = append(domain.ClaimsNotices, d.claimsNotice())
	default:
		d.provenance(&domain.Provenance)
	}
}

func (d *decoder) domainContact() registry.DomainContact {
	var c registry.DomainContact
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				c.Role = registry.ContactRole(d.str())
			case 2:
				c.ID = registry.ContactID(d.str())
			default:
				d.unknown()
			}
		}
	})
	return c
}

// fieldGraceRevertsTo is of a grace period.
const fieldGraceRevertsTo protowire.Number = 210

func (d *decoder) grace() registry.Grace {
	var g registry.Grace
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				g.Kind = registry.GraceKind(d.val)
			case 2:
				g.EndsAt = d.time()
			case 3:
				g.ChargeRow = d.val
			case fieldGraceRevertsTo:
				g.RevertsTo = d.time()
			default:
				d.unknown()
			}
		}
	})
	return g
}
