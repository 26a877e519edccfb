package rdap

import (
	"net/http"

	"cadastre/disclose"
	"cadastre/registry"
	"cadastre/store"
)

// Bounds of searches.
const (
	// minPatternOctets is what a pattern must say before its asterisk.
	minPatternOctets = 3
	// maxScanned is how many rows of an index a search looks at.
	maxScanned = 2000
	// defaultResults and maxResults are how many are shown at a time.
	defaultResults = 50
	maxResults     = 200
)

// routeSearch finds out what is searched for.
func (s *Server) routeSearch(path []string) query {
	c := &s.counters
	switch {
	case len(path) == 1 && path[0] == "domains":
		return query{answer: (*call).searchDomains, counter: &c.domainSearches, cost: searchCost}
	case len(path) == 1 && path[0] == "nameservers":
		return query{answer: (*call).searchHosts, counter: &c.hostSearches, cost: searchCost}
	case len(path) == 1 && path[0] == "entities":
		return query{answer: (*call).searchEntities, counter: &c.entitySearches, cost: searchCost}
	case len(path) == 3 && path[0] == "domains" && path[1] == "reverse_search" && path[2] == "entity":
		return query{answer: (*call).reverseSearch, counter: &c.reverseSearches, cost: searchCost}
	case len(path) > 1 && path[1] == "reverse_search":
		return query{refusal: fail(http.StatusNotImplemented, "reverse searches are for domains by entity only (RFC 9536)")}
	default:
		return query{refusal: fail(http.StatusBadRequest, "a search has its pattern in the query, such as /domains?name=demo*.example (RFC 9082 section 3.2)")}
	}
}

// results collects what a search finds, in the order of its index.
type results struct {
	names   []string
	scanned int
	// more says that there is more than was collected or looked at.
	more bool
}

// take adds a name and says whether to go on.
func (r *results) take(name string, matches bool, p *paging) bool {
	if r.scanned++; r.scanned > maxScanned {
		r.more = true
		return false
	}
	if !matches {
		return true
	}
	if len(r.names) >= p.count {
		r.more = true
		return false
	}
	r.names = append(r.names, name)
	return true
}

// searchDomains finds domains by name or by name server (RFC 9082 section 3.2.1).
func (c *call) searchDomains() error {
	in, err := c.searchInput("name", "nsLdhName", "nsIp")
	if err != nil {
		return err
	}
	found := &results{}
	switch in.property {
	case "name":
		c.tx.EachDomainFrom(in.pattern.prefix, in.after, func(name registry.DomainName) bool {
			return found.take(string(name), in.pattern.matches(string(name)), &in.paging)
		})
	case "nsLdhName":
		err = c.domainsByServer(in, found)
	default:
		return fail(http.StatusNotImplemented, "searches by the addresses of name servers are not offered")
	}
	if err != nil {
		return err
	}
	return c.writeResults("domainSearchResults", in, found, true, func(rq *request, name string) error {
		d, ok := disclose.DomainOf(c.tx, registry.DomainName(name), rq.to)
		if ok {
			c.domainResult(rq, d, in.fieldSet)
		}
		return nil
	})
}

// domainsByServer finds the domains that use a name server, which must be named whole: who asks for
// several servers asks several times.
func (c *call) domainsByServer(in *searchInput, found *results) error {
	if in.pattern.hasWildcard {
		return fail(http.StatusNotImplemented, "a search by name server needs the whole name")
	}
	server := registry.DomainName(in.pattern.prefix)
	for _, name := range c.tx.HostUsersAfter(server, registry.DomainName(in.after), in.paging.count+1) {
		found.take(string(name), true, &in.paging)
	}
	return nil
}

func (c *call) domainResult(rq *request, d *disclose.Domain, fieldSet string) {
	w := c.w
	w.open('{')
	switch fieldSet {
	case "full":
		w.domainMembers(rq, withoutDisclosure(d), nil)
	default: // id, brief
		w.member("objectClassName", "domain")
		w.member("ldhName", string(d.Name))
		if d.Unicode != string(d.Name) {
			w.member("unicodeName", d.Unicode)
		}
		w.array("links")
		w.link(rq, "self", rq.base+"domain/"+string(d.Name), mediaType)
		w.close(']')
		if fieldSet == "brief" {
			w.member("handle", string(d.ROID))
			w.statuses(d.Statuses)
		}
	}
	w.close('}')
}

// withoutDisclosure shows no contacts in lists: what a grant opens is looked up one by one, so that
// each is on record.
func withoutDisclosure(d *disclose.Domain) *disclose.Domain {
	if !d.IsGranted {
		return d
	}
	out := *d
	out.Contacts = nil
	return &out
}

// searchHosts finds name servers by name (RFC 9082 section 3.2.2).
func (c *call) searchHosts() error {
	in, err := c.searchInput("name", "ip")
	if err != nil {
		return err
	}
	if in.property == "ip" {
		return fail(http.StatusNotImplemented, "searches by address are not offered")
	}
	found := &results{}
	c.tx.EachHostFrom(in.pattern.prefix, in.after, func(name registry.DomainName) bool {
		return found.take(string(name), in.pattern.matches(string(name)), &in.paging)
	})
	return c.writeResults("nameserverSearchResults", in, found, false, func(rq *request, name string) error {
		h, ok := disclose.HostOf(c.tx, registry.DomainName(name))
		if !ok {
			return nil
		}
		c.w.open('{')
		if in.fieldSet == "full" {
			c.w.hostMembers(rq, h, nil)
		} else {
			c.w.member("objectClassName", "nameserver")
			c.w.member("ldhName", string(h.Name))
			c.w.array("links")
			c.w.link(rq, "self", rq.base+"nameserver/"+string(h.Name), mediaType)
			c.w.close(']')
		}
		c.w.close('}')
		return nil
	})
}

// searchEntities finds registrars by name, and registrars and contacts by handle (RFC 9082 section
// 3.2.3). Contacts are not searched by name: that is personal data.
func (c *call) searchEntities() error {
	in, err := c.searchInput("fn", "handle")
	if err != nil {
		return err
	}
	found, registrars := &results{}, map[string]*disclose.Registrar{}
	take := func(r *disclose.Registrar) {
		if handle := r.Handle(); handle > in.after && registrars[handle] == nil {
			registrars[handle] = r
		}
	}
	if in.property == "fn" {
		for _, r := range registrarsByName(c.tx, in.pattern.matches) {
			take(r)
		}
	} else {
		disclose.EachRegistrar(c.tx, func(r *disclose.Registrar) bool {
			if in.pattern.matches(lower(r.Handle())) {
				take(r)
			}
			return true
		})
	}
	for _, handle := range sortedKeys(registrars) {
		if !found.take(handle, true, &in.paging) {
			break
		}
	}
	return c.writeResults("entitySearchResults", in, found, false, func(rq *request, handle string) error {
		c.w.open('{')
		if in.fieldSet == "full" {
			c.w.registrarMembers(rq, registrars[handle], nil)
		} else {
			c.w.member("objectClassName", "entity")
			c.w.member("handle", handle)
			c.w.array("links")
			c.w.link(rq, "self", rq.base+"entity/"+handle, mediaType)
			c.w.close(']')
		}
		c.w.close('}')
		return nil
	})
}

// reverseSearch finds the domains of a contact by its handle (RFC 9536): for registrars among their
// own contacts, and for authorised requesters whose grant is for all TLDs.
func (c *call) reverseSearch() error {
	if c.rq.to.IsPublic() {
		return fail(http.StatusForbidden, "reverse searches are for registrars and authorised requesters, with their certificates")
	}
	in, err := c.searchInput("handle")
	if err != nil {
		return err
	}
	role := c.query.Query().Get("role")
	contact, found := disclose.ContactOf(c.tx, c.query.Query().Get("handle"), c.rq.to)
	if in.pattern.hasWildcard || !found || len(contact.Withheld) > 0 {
		return fail(http.StatusNotFound, "no contact that you may search by has this handle")
	}
	if c.rq.to.Grant != nil {
		c.disclosed = &registry.Disclosure{Kind: registry.KindContact, Key: string(contact.ID) + " (reverse search)"}
	}
	list := &results{}
	after := registry.DomainName(in.after)
	for _, name := range c.tx.ContactUsers(contact.ID, maxScanned) {
		if name > after && !list.take(string(name), role == "" || hasRole(c.tx, name, contact.ID, role), &in.paging) {
			break
		}
	}
	return c.writeResults("domainSearchResults", in, list, true, func(rq *request, name string) error {
		if d, ok := disclose.DomainOf(c.tx, registry.DomainName(name), rq.to); ok {
			c.domainResult(rq, d, in.fieldSet)
		}
		return nil
	})
}

func hasRole(tx *store.ReadTx, name registry.DomainName, id registry.ContactID, role string) bool {
	d, found := tx.Domain(name)
	if !found {
		return false
	}
	if role == string(disclose.RoleRegistrant) {
		return d.Registrant.Key() == id.Key()
	}
	for _, link := range d.Contacts {
		if link.ID.Key() == id.Key() && string(disclose.RoleOf(link.Role)) == role {
			return true
		}
	}
	return false
}
