package store

import (
	"slices"

	"cadastre/registry"
)

// Disclosure of personal data.
const (
	tableGrant      table = 0xB0 // id → grant
	tableGrantOf    table = 0xB1 // SHA-256 of a certificate, id: grants of the certificate
	tableDisclosure table = 0xB2 // number → answer with personal data
)

// MaxDisclosures is how many answers with personal data are kept on record: years of them. The
// oldest make room.
const MaxDisclosures = 1_000_000

// counterDisclosures numbers the answers on record.
const counterDisclosures = "disclosures"

// DisclosureGrant returns the grant of the id, in force or not.
func (tx *ReadTx) DisclosureGrant(id string) (*registry.DisclosureGrant, bool) {
	value, ok := tx.get(tableGrant.key().tail(id))
	if !ok {
		return nil, false
	}
	return decodeGrant(value), true
}

// DisclosureGrantOf returns the latest grant of the certificate, in force or not.
func (tx *ReadTx) DisclosureGrantOf(certificateSHA256 []byte) (grant *registry.DisclosureGrant, found bool) {
	tx.scan(tableGrantOf.key().bytes(certificateSHA256), nil, func(rest, _ []byte) bool {
		g, ok := tx.DisclosureGrant(string(rest))
		if ok && (!found || g.RevokedAt.IsZero() && (!grant.RevokedAt.IsZero() || g.ExpiresAt.After(grant.ExpiresAt))) {
			grant, found = g, true
		}
		return true
	})
	return grant, found
}

// DisclosureGrants returns all grants, by id.
func (tx *ReadTx) DisclosureGrants() []*registry.DisclosureGrant {
	var all []*registry.DisclosureGrant
	tx.scan(tableGrant.key(), nil, func(_, value []byte) bool {
		all = append(all, decodeGrant(value))
		return true
	})
	return all
}

// CountDisclosureGrants returns how many there are.
func (tx *ReadTx) CountDisclosureGrants() int {
	n := 0
	tx.scan(tableGrant.key(), nil, func(_, _ []byte) bool { n++; return true })
	return n
}

// PutDisclosureGrant writes a grant.
func (tx *Tx) PutDisclosureGrant(g *registry.DisclosureGrant) {
	var e encoder
	e.str(1, g.ID)
	e.str(2, g.Requester)
	e.elem(3, g.CertificateSHA256)
	e.str(4, g.Purpose)
	for _, tld := range g.TLDs {
		e.elem(5, []byte(tld))
	}
	e.time(6, g.CreatedAt)
	e.str(7, g.CreatedBy)
	e.time(8, g.ExpiresAt)
	e.time(9, g.RevokedAt)
	e.uint(10, g.Disclosures)
	tx.set(tableGrant.key().tail(g.ID), e.b)
	tx.set(tableGrantOf.key().bytes(g.CertificateSHA256).tail(g.ID), nil)
}

func decodeGrant(value []byte) *registry.DisclosureGrant {
	g := &registry.DisclosureGrant{}
	decodeRow("disclosure grant", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				g.ID = d.str()
			case 2:
				g.Requester = d.str()
			case 3:
				g.CertificateSHA256 = d.bytes()
			case 4:
				g.Purpose = d.str()
			case 5:
				g.TLDs = append(g.TLDs, registry.DomainName(d.str()))
			case 6:
				g.CreatedAt = d.time()
			case 7:
				g.CreatedBy = d.str()
			case 8:
				g.ExpiresAt = d.time()
			case 9:
				g.RevokedAt = d.time()
			case 10:
				g.Disclosures = d.val
			default:
				d.unknown()
			}
		}
	})
	return g
}

// AddDisclosure puts an answer on record under the next number, and drops the one that is too old.
func (tx *Tx) AddDisclosure(entry *registry.Disclosure) {
	number := tx.nextNumber(counterDisclosures)
	var e encoder
	e.time(1, entry.At)
	e.str(2, entry.GrantID)
	e.str(3, entry.Requester)
	e.str(4, entry.Purpose)
	e.uint(5, uint64(entry.Kind))
	e.str(6, entry.Key)
	e.str(7, entry.Node)
	e.str(8, entry.Address)
	tx.insert(tableDisclosure.key().uint(number), e.b)
	if number > MaxDisclosures {
		tx.del(tableDisclosure.key().uint(number - MaxDisclosures))
	}
}

// Disclosures returns up to limit answers on record before the number, 0 for the newest, newest first;
// of one grant, or of all if grant is "". It looks at no more than ten times limit.
func (tx *ReadTx) Disclosures(grant string, before uint64, limit int) []registry.Disclosure {
	if before == 0 {
		before = tx.lastNumber(counterDisclosures) + 1
	}
	var found []registry.Disclosure
	for looked := 0; before > 1 && len(found) < limit && looked < 10*limit; looked++ {
		before--
		value, ok := tx.get(tableDisclosure.key().uint(before))
		if !ok {
			break
		}
		if entry := decodeDisclosure(before, value); grant == "" || entry.GrantID == grant {
			found = append(found, entry)
		}
	}
	return found
}

// lastNumber returns the last value of a named counter, 0 if it was never used.
func (tx *ReadTx) lastNumber(counter string) uint64 {
	value, ok := tx.get(tableMeta.key().tail("counter/").tail(counter))
	if !ok {
		return 0
	}
	return decodeUint(counter, value)
}

func decodeDisclosure(number uint64, value []byte) registry.Disclosure {
	entry := registry.Disclosure{Number: number}
	decodeRow("disclosure", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				entry.At = d.time()
			case 2:
				entry.GrantID = d.str()
			case 3:
				entry.Requester = d.str()
			case 4:
				entry.Purpose = d.str()
			case 5:
				entry.Kind = registry.ObjectKind(d.val)
			case 6:
				entry.Key = d.str()
			case 7:
				entry.Node = d.str()
			case 8:
				entry.Address = d.str()
			default:
				d.unknown()
			}
		}
	})
	return entry
}

// Fields of what everybody may know of a registrar.
const fieldRegistrarPublic = 170

func (e *encoder) registrarPublic(p *registry.RegistrarPublic) {
	if p.IsZero() {
		return
	}
	e.msg(fieldRegistrarPublic, func(e *encoder) {
		for _, line := range p.Street {
			e.elem(1, []byte(line))
		}
		e.str(2, p.City)
		e.str(3, p.StateProvince)
		e.str(4, p.PostalCode)
		e.str(5, p.CountryCode)
		e.str(6, p.Phone)
		e.str(7, p.Fax)
		e.str(8, p.AbuseEmail)
		e.str(9, p.AbusePhone)
		e.str(10, p.RDAPBaseURL)
		e.str(11, p.WHOISServer)
	})
}

func (d *decoder) registrarPublic() registry.RegistrarPublic {
	var p registry.RegistrarPublic
	d.nested(func(d *decoder) {
		for d.next() {
			if d.num == 1 {
				p.Street = append(p.Street, d.str())
				continue
			}
			fields := []*string{&p.City, &p.StateProvince, &p.PostalCode, &p.CountryCode, &p.Phone, &p.Fax, &p.AbuseEmail, &p.AbusePhone, &p.RDAPBaseURL, &p.WHOISServer}
			if at := int(d.num) - 2; at >= 0 && at < len(fields) {
				*fields[at] = d.str()
				continue
			}
			d.unknown()
		}
	})
	return p
}

// fieldPolicyRDDS is what RDAP and WHOIS show.
const fieldPolicyRDDS = 240

func (e *encoder) rdds(p *registry.RDDSPolicy) {
	if !p.Availability && len(p.Disclosed) == 0 && p.ContactURI == "" && p.TermsURI == "" {
		return
	}
	e.msg(fieldPolicyRDDS, func(e *encoder) {
		e.bool(1, p.Availability)
		for _, field := range p.Disclosed {
			e.elem(2, []byte(field))
		}
		e.str(3, p.ContactURI)
		e.str(4, p.TermsURI)
	})
}

func (d *decoder) rdds() registry.RDDSPolicy {
	var p registry.RDDSPolicy
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				p.Availability = d.bool()
			case 2:
				p.Disclosed = append(p.Disclosed, d.str())
			case 3:
				p.ContactURI = d.str()
			case 4:
				p.TermsURI = d.str()
			default:
				d.unknown()
			}
		}
	})
	p.Disclosed = slices.Clip(p.Disclosed)
	return p
}
