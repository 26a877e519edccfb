package rdap

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"cadastre/disclose"
	"cadastre/idn"
	"cadastre/registry"
	"cadastre/store"
)

// query is what a path asks for: an answer in JSON, a page, or a refusal.
type query struct {
	answer  func(*call) error
	page    http.HandlerFunc
	refusal error
	counter *atomic.Uint64
	cost    float64
}

// call is a question that is being answered from one view.
type call struct {
	tx    *store.ReadTx
	w     *writer
	rq    *request
	fresh disclose.Freshness
	path  []string
	query *url.URL
	// disclosed is set if the answer has what only a grant opens.
	disclosed *registry.Disclosure
	server    *Server
}

// route finds out what the path asks for.
func (s *Server) route(path []string) query {
	lookup := func(n int, counter *atomic.Uint64, answer func(*call) error) query {
		if len(path) != n {
			return query{refusal: fail(http.StatusBadRequest, "the path has not the form /%s/… of RFC 9082 section 3.1", path[0])}
		}
		return query{answer: answer, counter: counter, cost: lookupCost}
	}
	c := &s.counters
	switch path[0] {
	case "domain":
		return lookup(2, &c.domains, (*call).domain)
	case "nameserver":
		return lookup(2, &c.hosts, (*call).host)
	case "entity":
		return lookup(2, &c.entities, (*call).entity)
	case "help":
		return lookup(1, &c.helps, (*call).help)
	case "domains", "nameservers", "entities":
		return s.routeSearch(path)
	case "ip", "autnum", "ips", "autnums":
		return query{refusal: fail(http.StatusNotImplemented, "this registry has no data about addresses and autonomous systems")}
	case "", "lookup", "terms", "style.css":
		if page := s.pages.handler(s, path); page != nil {
			return query{page: page, counter: &c.pages, cost: lookupCost}
		}
	}
	return query{refusal: fail(http.StatusBadRequest, "there is no such kind of question; see /help")}
}

// audience finds out who asks, from the client certificate of the connection.
func (s *Server) audience(tx *store.ReadTx, r *http.Request) disclose.Audience {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 || s.cfg.Identify == nil {
		return disclose.Audience{}
	}
	id, fingerprint := s.cfg.Identify(*r.TLS)
	if id != "" {
		registrar, found := tx.Registrar(registry.RegistrarID(id))
		if found && registrar.State != registry.RegistrarDisabled && hasCertificate(registrar, fingerprint) {
			return disclose.Audience{Registrar: registrar.ID}
		}
	}
	if grant, found := tx.DisclosureGrantOf(fingerprint); found && grant.InForce(tx.Now()) {
		return disclose.Audience{Grant: grant}
	}
	return disclose.Audience{}
}

func hasCertificate(r *registry.Registrar, fingerprint []byte) bool {
	for _, own := range r.CertificateSHA256 {
		if string(own) == string(fingerprint) {
			return true
		}
	}
	return false
}

// domainName reads a name in ASCII or Unicode.
func domainName(text string) (registry.DomainName, error) {
	ascii, err := idn.ASCII(strings.TrimSuffix(text, "."))
	if err == nil {
		var name registry.DomainName
		if name, err = registry.ParseDomainName(ascii); err == nil {
			return name, nil
		}
	}
	var reason *registry.Error
	if errors.As(err, &reason) {
		return "", fail(http.StatusBadRequest, "%s", reason.Reason)
	}
	return "", fail(http.StatusBadRequest, "%v", err)
}

func (c *call) domain() error {
	name, err := domainName(c.path[1])
	if err != nil {
		return err
	}
	d, found := disclose.DomainOf(c.tx, name, c.rq.to)
	if !found {
		return fail(http.StatusNotFound, "the domain %s is not registered here", name)
	}
	if d.IsGranted && len(d.Contacts) > 0 {
		c.disclosed = &registry.Disclosure{Kind: registry.KindDomain, Key: string(name)}
	}
	c.w.domain(c.rq, d, c.fresh)
	return nil
}

func (c *call) host() error {
	name, err := domainName(c.path[1])
	if err != nil {
		return err
	}
	h, found := disclose.HostOf(c.tx, name)
	if !found {
		return fail(http.StatusNotFound, "there is no name server object %s", name)
	}
	c.w.host(c.rq, h, c.fresh)
	return nil
}

func (c *call) entity() error {
	handle := c.path[1]
	if handle == "" || len(handle) > maxHandleOctets {
		return fail(http.StatusBadRequest, "a handle has 1 to %d octets", maxHandleOctets)
	}
	if r, found := c.server.findRegistrar(c.tx, handle); found {
		c.w.registrar(c.rq, r, c.fresh)
		return nil
	}
	contact, found := disclose.ContactOf(c.tx, handle, c.rq.to)
	if !found {
		return fail(http.StatusNotFound, "there is no registrar or contact with this handle")
	}
	if c.rq.to.Grant != nil && len(contact.Withheld) == 0 {
		c.disclosed = &registry.Disclosure{Kind: registry.KindContact, Key: string(contact.ID)}
	}
	c.w.contact(c.rq, contact, c.fresh)
	return nil
}

// maxHandleOctets is that of the longest object identifier (RFC 5730 section 2.8).
const maxHandleOctets = 89

func (c *call) help() error {
	w := c.w
	w.begin(searchConformance)
	w.notices(c.rq, c.fresh, "", false, func() {
		w.notice("Help", "", []string{
			"Look up /domain/NAME, /nameserver/NAME and /entity/HANDLE, where a handle is that of a contact, or the IANA number of a registrar.",
			"Search /domains?name=PATTERN, ?nsLdhName=PATTERN and ?nsIp=ADDRESS; /nameservers?name=PATTERN and ?ip=ADDRESS; /entities?fn=PATTERN and ?handle=PATTERN. " +
				"A pattern may end a label with an asterisk after at least three characters. Parameters: count, sort, cursor, fieldSet.",
			"Registrars see their own objects whole with their client certificate; authorised requesters with theirs see what their grant opens.",
			"People find a form at " + c.rq.base,
		}, nil)
	})
	w.close('}')
	return nil
}

// isText says whether a part of a path is UTF-8 without control characters.
func isText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
