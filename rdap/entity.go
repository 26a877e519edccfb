package rdap

import (
	"cadastre/disclose"
	"cadastre/policy"
	"cadastre/registry"
)

// registrar writes an answer about a registrar.
func (w *writer) registrar(rq *request, r *disclose.Registrar, fresh disclose.Freshness) {
	w.begin("")
	w.notices(rq, fresh, "", false, nil)
	w.registrarMembers(rq, r, &fresh)
	w.close('}')
}

// registrarEntity writes the registrar within another object.
func (w *writer) registrarEntity(rq *request, r *disclose.Registrar) {
	w.open('{')
	w.registrarMembers(rq, r, nil)
	w.close('}')
}

func (w *writer) registrarMembers(rq *request, r *disclose.Registrar, fresh *disclose.Freshness) {
	w.member("objectClassName", "entity")
	w.member("handle", r.Handle())
	w.strings("roles", "registrar")
	if r.IANAID != 0 {
		w.array("publicIds")
		w.open('{')
		w.member("type", "IANA Registrar ID")
		w.member("identifier", r.Handle())
		w.close('}')
		w.close(']')
	}
	w.card(func() {
		w.property("fn", "text", r.Name)
		p := &r.Public
		w.address(&registry.PostalInfo{Street: p.Street, City: p.City, StateProvince: p.StateProvince, PostalCode: p.PostalCode, CountryCode: p.CountryCode})
		w.phone("voice", registry.Phone{Number: p.Phone})
		w.phone("fax", registry.Phone{Number: p.Fax})
		w.propertyIf("email", "text", r.Email)
		w.propertyIf("url", "uri", r.URL)
	})
	w.array("links")
	w.link(rq, "self", rq.base+"entity/"+r.Handle(), mediaType)
	if base := r.Public.RDAPBaseURL; base != "" {
		w.open('{')
		w.member("value", base)
		w.member("rel", "about")
		w.member("href", base)
		w.member("type", mediaType)
		w.close('}')
	}
	w.close(']')
	w.abuse(r)
	if fresh == nil {
		return
	}
	w.array("events")
	w.event("registration", r.CreatedAt)
	w.event("last changed", r.UpdatedAt)
	w.lastUpdate(*fresh)
	w.close(']')
	if p := r.Public.WHOISServer; p != "" {
		w.member("port43", p)
	}
}

// abuse writes the contact for reports of abuse, where there is any.
func (w *writer) abuse(r *disclose.Registrar) {
	email, phone := r.Public.AbuseEmail, r.Public.AbusePhone
	if email == "" && phone == "" {
		return
	}
	w.array("entities")
	w.open('{')
	w.member("objectClassName", "entity")
	w.strings("roles", "abuse")
	w.card(func() {
		w.property("fn", "text", "Abuse contact of "+r.Name)
		w.phone("voice", registry.Phone{Number: phone})
		w.propertyIf("email", "text", email)
	})
	w.close('}')
	w.close(']')
}

// contact writes an answer about a contact that was asked for by itself.
func (w *writer) contact(rq *request, c *disclose.Contact, fresh disclose.Freshness) {
	w.begin("")
	w.notices(rq, fresh, "", false, nil)
	w.contactMembers(rq, c, &fresh)
	w.array("entities")
	w.registrarEntity(rq, c.Sponsor)
	w.close(']')
	if len(c.Withheld) > 0 {
		w.array("redacted")
		w.contactRedactions(c, "$")
		w.close(']')
	}
	w.close('}')
}

func (w *writer) contactEntity(rq *request, c *disclose.Contact, fresh *disclose.Freshness) {
	w.open('{')
	w.contactMembers(rq, c, fresh)
	w.close('}')
}

func (w *writer) contactMembers(rq *request, c *disclose.Contact, fresh *disclose.Freshness) {
	w.member("objectClassName", "entity")
	w.memberIf("handle", string(c.ROID))
	if c.Role != disclose.RoleNone {
		w.strings("roles", string(c.Role))
	}
	w.card(func() {
		w.property("fn", "text", c.Postal.Name)
		w.propertyIf("org", "text", c.Postal.Organization)
		w.address(&c.Postal)
		w.phone("voice", c.Voice)
		w.phone("fax", c.Fax)
		w.propertyIf("email", "text", c.Email)
		if c.Email == "" {
			w.propertyIf("contact-uri", "uri", c.ContactURI)
		}
	})
	if c.ROID != "" {
		w.array("links")
		w.link(rq, "self", rq.base+"entity/"+string(c.ROID), mediaType)
		w.close(']')
		w.statuses(c.Statuses)
	}
	if fresh == nil {
		return
	}
	w.array("publicIds")
	w.open('{')
	w.member("type", "EPP Contact ID")
	w.member("identifier", string(c.ID))
	w.close('}')
	w.close(']')
	w.array("events")
	w.event("registration", c.CreatedAt)
	w.event("last changed", c.UpdatedAt)
	w.event("transfer", c.TransferredAt)
	w.lastUpdate(*fresh)
	w.close(']')
}

// redaction is an entry of the list of what is withheld.
type redaction struct {
	kind, description                  string // the name: one of a registered type, or described
	method                             string
	prePath, postPath, replacementPath string
}

func (w *writer) redaction(r redaction) {
	w.open('{')
	w.object("name")
	w.memberIf("type", r.kind)
	w.memberIf("description", r.description)
	w.close('}')
	w.memberIf("prePath", r.prePath)
	w.memberIf("postPath", r.postPath)
	w.memberIf("replacementPath", r.replacementPath)
	w.member("pathLang", "jsonpath")
	w.member("method", r.method)
	w.close('}')
}

// redactionKey tells the lists of what is withheld apart: there are few different ones.
type redactionKey struct {
	role   disclose.Role
	fields uint16
	hasURI bool
}

// fieldBit gives each field of a contact a bit.
func fieldBit(field string) uint16 {
	switch field {
	case policy.FieldID:
		return 1
	case policy.FieldName:
		return 2
	case policy.FieldOrg:
		return 4
	case policy.FieldStreet:
		return 8
	case policy.FieldCity:
		return 16
	case policy.FieldPostalCode:
		return 32
	case policy.FieldPhone:
		return 64
	case policy.FieldFax:
		return 128
	default: // email
		return 256
	}
}

// contactRedactions lists what is withheld of a contact. The text depends on little and is kept.
func (w *writer) contactRedactions(c *disclose.Contact, entity string) {
	if len(c.Withheld) == 0 {
		return
	}
	k := redactionKey{role: c.Role, hasURI: c.ContactURI != ""}
	for _, field := range c.Withheld {
		k.fields |= fieldBit(field)
	}
	if kept, ok := w.kept.Load(k); ok {
		if text, isText := kept.(string); isText {
			w.raw(text)
			return
		}
	}
	made := &writer{}
	made.listRedactions(c, entity)
	w.kept.Store(k, string(made.b))
	w.raw(string(made.b))
}

// listRedactions lists what is withheld of a contact, by the method that the response profile names
// for each field (section 2.7.4).
func (w *writer) listRedactions(c *disclose.Contact, entity string) {
	label := c.Role.Label() + " "
	card := entity + ".vcardArray[1]"
	add := func(name string, r redaction) {
		if c.Role == disclose.RoleNone {
			r.description = name
		} else {
			r.kind = name
		}
		w.redaction(r)
	}
	removal := func(name, path string) { add(name, redaction{method: "removal", prePath: path}) }
	empty := func(name, path string) { add(name, redaction{method: "emptyValue", postPath: path}) }
	for _, field := range c.Withheld {
		switch field {
		case policy.FieldID:
			removal("Registry "+label+"ID", entity+".handle")
		case policy.FieldName:
			empty(label+"Name", card+"[?(@[0]=='fn')][3]")
		case policy.FieldOrg:
			removal(label+"Organization", card+"[?(@[0]=='org')]")
		case policy.FieldStreet:
			empty(label+"Street", card+"[?(@[0]=='adr')][3][2]")
		case policy.FieldCity:
			empty(label+"City", card+"[?(@[0]=='adr')][3][3]")
		case policy.FieldPostalCode:
			empty(label+"Postal Code", card+"[?(@[0]=='adr')][3][5]")
		case policy.FieldPhone:
			removal(label+"Phone", card+"[?(@[1].type=='voice')]")
			removal(label+"Phone Ext", card+"[?(@[1].type=='voice')][3]")
		case policy.FieldFax:
			removal(label+"Fax", card+"[?(@[1].type=='fax')]")
			removal(label+"Fax Ext", card+"[?(@[1].type=='fax')][3]")
		case policy.FieldEmail:
			if c.ContactURI == "" {
				removal(label+"Email", card+"[?(@[0]=='email')]")
				continue
			}
			add(label+"Email", redaction{method: "replacementValue", prePath: card + "[?(@[0]=='email')]", replacementPath: card + "[?(@[0]=='contact-uri')]"})
		}
	}
}
