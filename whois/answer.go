package whois

import (
	"fmt"
	"strings"
	"time"

	"cadastre/disclose"
	"cadastre/idn"
	"cadastre/policy"
	"cadastre/registry"
	"cadastre/store"
)

// redacted stands in for what is not shown: nobody who asks on port 43 has said who they are.
const redacted = "REDACTED FOR PRIVACY"

// lookup is one kind of query: it writes the answer, or says that there is none.
type lookup func(tx *store.ReadTx, p *page, name string) (found bool, err error)

// Answer returns the answer to one query line: a domain name, or a keyword (domain, nameserver,
// registrar, contact, das, help) and a name. now is this machine's clock.
func Answer(tx *store.ReadTx, line string, now time.Time) []byte {
	query := printable(line)
	p, fresh := newPage(), disclose.FreshnessOf(tx, now)
	keyword, name, ok := parse(query)
	if keyword == "help" {
		help(tx, p)
		return p.bytes(fresh)
	}
	if !ok {
		p.text(fmt.Sprintf("Query not understood: %q. Send a domain name, or \"help\".", query))
		return p.bytes(fresh)
	}
	if keyword == "das" {
		return availability(tx, name)
	}
	switch found, err := lookupFor(keyword)(tx, p, name); {
	case err != nil:
		p.text(fmt.Sprintf("Invalid query %q: %v.", name, err))
	case !found:
		p.text(fmt.Sprintf("No match for %q.", query))
	}
	return p.bytes(fresh)
}

// parse splits a query into keyword and name. A name alone is that of a domain.
func parse(query string) (keyword, name string, ok bool) {
	words := strings.Fields(query)
	switch {
	case len(words) == 0 || len(words) == 1 && strings.EqualFold(words[0], "help"):
		return "help", "", true
	case len(words) == 1:
		return "domain", words[0], true
	}
	keyword = strings.ToLower(words[0])
	if keyword == "registrar" { // registrars may be asked for by their names, which have blanks
		return keyword, strings.Join(words[1:], " "), true
	}
	return keyword, words[1], len(words) == 2 && (keyword == "das" || lookupFor(keyword) != nil)
}

func lookupFor(keyword string) lookup {
	switch keyword {
	case "domain":
		return domainPage
	case "nameserver", "host":
		return hostPage
	case "registrar":
		return registrarPage
	case "contact":
		return contactPage
	default:
		return nil
	}
}

func help(tx *store.ReadTx, p *page) {
	p.text("Send one line:",
		"  NAME                 a domain, such as demo.example, in ASCII or UTF-8",
		"  domain NAME          the same",
		"  nameserver NAME      a name server",
		"  registrar ID         a registrar, by its id, its IANA number or its name",
		"  contact ID           a contact",
		"  das NAME             whether a name is free, where the TLD offers it",
		"  help                 this text")
	for _, tld := range tx.TLDs() {
		p.text("This server answers for ." + string(tld.Name))
	}
}

// availability answers with one line and nothing else, so that programs can read it.
func availability(tx *store.ReadTx, text string) []byte {
	name, err := typedName(text)
	if err != nil {
		return fmt.Appendf(nil, "%s: invalid\r\n", text)
	}
	available, offered := disclose.IsAvailable(tx, name)
	switch {
	case !offered:
		return fmt.Appendf(nil, "%s: not offered\r\n", name)
	case available:
		return fmt.Appendf(nil, "%s: available\r\n", name)
	default:
		return fmt.Appendf(nil, "%s: not available\r\n", name)
	}
}

// typedName returns the canonical form of a name that somebody typed, in Unicode or ASCII.
func typedName(text string) (registry.DomainName, error) {
	ascii, err := idn.ASCII(text)
	if err != nil {
		return "", err
	}
	return registry.ParseDomainName(ascii)
}

func domainPage(tx *store.ReadTx, p *page, text string) (bool, error) {
	name, err := typedName(text)
	if err != nil {
		return false, err
	}
	d, found := disclose.DomainOf(tx, name, disclose.Audience{})
	if !found {
		return false, nil
	}
	p.domain(d)
	return true, nil
}

// domain writes the fields in the order of the registry agreement, specification 4 section 1.5.
func (p *page) domain(d *disclose.Domain) {
	p.line("Domain Name", string(d.Name))
	if d.Unicode != string(d.Name) {
		p.line("Internationalized Domain Name", d.Unicode)
	}
	p.line("Registry Domain ID", string(d.ROID))
	p.lineIf("Registrar WHOIS Server", d.Sponsor.Public.WHOISServer)
	p.lineIf("Registrar URL", d.Sponsor.URL)
	p.time("Updated Date", d.UpdatedAt)
	p.time("Creation Date", d.CreatedAt)
	p.time("Registry Expiry Date", d.ExpiresAt)
	p.time("Transfer Date", d.TransferredAt)
	p.sponsor(d.Sponsor)
	for _, status := range d.Statuses {
		p.line("Domain Status", status+" https://icann.org/epp#"+status)
	}
	for _, c := range d.Contacts {
		p.domainContact(c)
	}
	for _, server := range d.NameServers {
		p.line("Name Server", string(server.Name))
	}
	if len(d.Signers) == 0 {
		p.line("DNSSEC", "unsigned")
	} else {
		p.line("DNSSEC", "signedDelegation")
	}
	for _, ds := range d.Signers {
		p.line("DNSSEC DS Data", fmt.Sprintf("%d %d %d %X", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest))
	}
	p.text("URL of the ICANN RDDS Inaccuracy Complaint Form: https://icann.org/wicf", "For more information on domain status codes, please visit https://icann.org/epp")
}

// sponsor writes who sponsors an object.
func (p *page) sponsor(r *disclose.Registrar) {
	p.line("Registrar", r.Name)
	if r.IANAID != 0 {
		p.line("Registrar IANA ID", r.Handle())
	}
	p.lineIf("Registrar Abuse Contact Email", r.Public.AbuseEmail)
	p.lineIf("Registrar Abuse Contact Phone", r.Public.AbusePhone)
}

// domainContact writes a contact of a domain.
func (p *page) domainContact(c *disclose.Contact) {
	label := c.Role.Label()
	p.field(c, policy.FieldID, "Registry "+label+" ID", string(c.ROID))
	p.contactFields(c, label+" ")
}

// field writes a value, or that it is withheld.
func (p *page) field(c *disclose.Contact, field, label, value string) {
	if c.Withholds(field) {
		value = redacted
	}
	p.lineIf(label, value)
}

func (p *page) contactFields(c *disclose.Contact, prefix string) {
	p.field(c, policy.FieldName, prefix+"Name", c.Postal.Name)
	p.field(c, policy.FieldOrg, prefix+"Organization", c.Postal.Organization)
	if c.Withholds(policy.FieldStreet) {
		p.line(prefix+"Street", redacted)
	}
	for _, line := range c.Postal.Street {
		p.lineIf(prefix+"Street", line)
	}
	p.field(c, policy.FieldCity, prefix+"City", c.Postal.City)
	p.lineIf(prefix+"State/Province", c.Postal.StateProvince)
	p.field(c, policy.FieldPostalCode, prefix+"Postal Code", c.Postal.PostalCode)
	p.lineIf(prefix+"Country", c.Postal.CountryCode)
	p.field(c, policy.FieldPhone, prefix+"Phone", c.Voice.Number)
	p.lineIf(prefix+"Phone Ext", c.Voice.Extension)
	p.field(c, policy.FieldFax, prefix+"Fax", c.Fax.Number)
	p.lineIf(prefix+"Fax Ext", c.Fax.Extension)
	if c.Withholds(policy.FieldEmail) && c.ContactURI != "" {
		p.line(prefix+"Email", c.ContactURI)
	} else {
		p.field(c, policy.FieldEmail, prefix+"Email", c.Email)
	}
}

func hostPage(tx *store.ReadTx, p *page, text string) (bool, error) {
	name, err := typedName(text)
	if err != nil {
		return false, err
	}
	h, found := disclose.HostOf(tx, name)
	if !found {
		return false, nil
	}
	p.line("Server Name", string(h.Name))
	if h.Unicode != string(h.Name) {
		p.line("Internationalized Server Name", h.Unicode)
	}
	p.line("Registry Server ID", string(h.ROID))
	for _, addr := range h.Addresses {
		p.line("IP Address", addr.String())
	}
	p.line("Registrar", h.Sponsor.Name)
	if h.Sponsor.IANAID != 0 {
		p.line("Registrar IANA ID", h.Sponsor.Handle())
	}
	p.lineIf("Registrar WHOIS Server", h.Sponsor.Public.WHOISServer)
	p.lineIf("Registrar URL", h.Sponsor.URL)
	for _, status := range h.Statuses {
		p.line("Server Status", status)
	}
	p.time("Creation Date", h.CreatedAt)
	p.time("Updated Date", h.UpdatedAt)
	return true, nil
}

func registrarPage(tx *store.ReadTx, p *page, text string) (bool, error) {
	r := findRegistrar(tx, text)
	if r == nil {
		return false, nil
	}
	p.line("Registrar", r.Name)
	p.line("Registrar ID", string(r.ID))
	if r.IANAID != 0 {
		p.line("Registrar IANA ID", r.Handle())
	}
	public := &r.Public
	for _, line := range public.Street {
		p.line("Street", line)
	}
	p.lineIf("City", public.City)
	p.lineIf("State/Province", public.StateProvince)
	p.lineIf("Postal Code", public.PostalCode)
	p.lineIf("Country", public.CountryCode)
	p.lineIf("Phone Number", public.Phone)
	p.lineIf("Fax Number", public.Fax)
	p.lineIf("Email", r.Email)
	p.lineIf("Registrar WHOIS Server", public.WHOISServer)
	p.lineIf("Registrar URL", r.URL)
	p.lineIf("Registrar Abuse Contact Email", public.AbuseEmail)
	p.lineIf("Registrar Abuse Contact Phone", public.AbusePhone)
	return true, nil
}

// findRegistrar returns the registrar with the id, IANA number or name.
func findRegistrar(tx *store.ReadTx, text string) (found *disclose.Registrar) {
	if id, err := registry.ParseRegistrarID(text); err == nil {
		if r, ok := disclose.RegistrarOf(tx, id); ok {
			return r
		}
	}
	disclose.EachRegistrar(tx, func(r *disclose.Registrar) bool {
		if r.IANAID != 0 && r.Handle() == text || strings.EqualFold(r.Name, text) {
			found = r
		}
		return found == nil
	})
	return found
}

func contactPage(tx *store.ReadTx, p *page, text string) (bool, error) {
	c, found := disclose.ContactOf(tx, text, disclose.Audience{})
	if !found {
		return false, nil
	}
	p.line("Contact ID", string(c.ID))
	p.line("Registry Contact ID", string(c.ROID))
	p.contactFields(c, "")
	for _, status := range c.Statuses {
		p.line("Contact Status", status)
	}
	p.time("Creation Date", c.CreatedAt)
	p.time("Updated Date", c.UpdatedAt)
	p.time("Transfer Date", c.TransferredAt)
	p.line("Registrar", c.Sponsor.Name)
	if c.Sponsor.IANAID != 0 {
		p.line("Registrar IANA ID", c.Sponsor.Handle())
	}
	p.lineIf("Registrar URL", c.Sponsor.URL)
	return true, nil
}
