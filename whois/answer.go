package whois

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"cadastre/idn"
	"cadastre/registry"
	"cadastre/store"
	"cadastre/zone"
)

// lookup is one kind of query.
type lookup func(tx *store.ReadTx, name string) (*page, error)

// Answer returns the answer to one query line: a domain name, or a keyword (domain,
// nameserver, registrar, contact, help) and a name.
func Answer(tx *store.ReadTx, line string) []byte {
	query := printable(line)
	words := strings.Fields(query)
	if len(words) == 0 || len(words) == 1 && strings.EqualFold(words[0], "help") {
		return help(tx).bytes(tx)
	}
	find := domainPage
	if len(words) > 1 {
		keyword := lookupFor(strings.ToLower(words[0]))
		if keyword == nil || len(words) > 2 {
			return notice(tx, fmt.Sprintf("Query not understood: %q. Send a domain name, or \"help\".", query))
		}
		find, words = keyword, words[1:]
	}
	p, err := find(tx, words[0])
	if err != nil {
		return notice(tx, fmt.Sprintf("Invalid query %q: %v.", query, err))
	}
	if p == nil {
		return notice(tx, fmt.Sprintf("No match for %q.", query))
	}
	return p.bytes(tx)
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

// printable drops control characters, so that a query never changes what a terminal or a
// log shows.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s))
}

// page is an answer: labels and values, one a line.
type page struct{ b strings.Builder }

func (p *page) line(label, value string) {
	fmt.Fprintf(&p.b, "%s: %s\r\n", label, printable(value))
}

func (p *page) lineIf(label, value string) {
	if value != "" {
		p.line(label, value)
	}
}

func (p *page) time(label string, t time.Time) {
	if !t.IsZero() {
		p.line(label, formatTime(t))
	}
}

func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// bytes ends the answer with the time of the data: that of the last command applied here.
func (p *page) bytes(tx *store.ReadTx) []byte {
	return fmt.Appendf(nil, "%s>>> Last update of WHOIS database: %s <<<\r\n", p.b.String(), formatTime(tx.Now()))
}

func notice(tx *store.ReadTx, text string) []byte {
	p := &page{}
	p.b.WriteString(text + "\r\n")
	return p.bytes(tx)
}

func help(tx *store.ReadTx) *page {
	p := &page{}
	p.b.WriteString("Send one line:\r\n" +
		"  NAME                 a domain, such as demo.example\r\n" +
		"  domain NAME          the same\r\n" +
		"  nameserver NAME      a name server\r\n" +
		"  registrar ID         a registrar\r\n" +
		"  contact ID           a contact\r\n" +
		"  help                 this text\r\n")
	for _, tld := range tx.TLDs() {
		p.b.WriteString("This server answers for ." + string(tld.Name) + "\r\n")
	}
	return p
}

// typedName returns the canonical form of a name that somebody typed, in Unicode or ASCII.
func typedName(text string) (registry.DomainName, error) {
	ascii, err := idn.ASCII(text)
	if err != nil {
		return "", err
	}
	return registry.ParseDomainName(ascii)
}

func domainPage(tx *store.ReadTx, text string) (*page, error) {
	name, err := typedName(text)
	if err != nil {
		return nil, err
	}
	d, found := tx.Domain(name)
	if !found {
		return nil, nil
	}
	p := &page{}
	p.line("Domain Name", string(d.Name))
	if shown := idn.Display(string(d.Name)); shown != string(d.Name) {
		p.line("Internationalized Domain Name", shown)
	}
	p.line("Registry Domain ID", string(d.ROID))
	p.time("Updated Date", d.UpdatedAt)
	p.time("Creation Date", d.CreatedAt)
	p.time("Registry Expiry Date", d.ExpiresAt)
	p.registrar(tx, d.Sponsor)
	for _, status := range domainStatuses(d, tx.Now()) {
		p.line("Domain Status", fmt.Sprintf("%s https://icann.org/epp#%s", status, status))
	}
	for _, server := range d.NameServerNames() {
		p.line("Name Server", string(server))
	}
	p.security(d)
	return p, nil
}

// domainStatuses returns the explicit statuses and those that follow from the rest
// (RFC 5731 section 2.3, RFC 3915 section 3.1).
func domainStatuses(d *registry.Domain, now time.Time) []string {
	var all []string
	for _, s := range d.Statuses {
		all = append(all, string(s))
	}
	if !d.HasNameServers() {
		all = append(all, string(registry.StatusInactive))
	}
	if len(all) == 0 {
		all = append(all, string(registry.StatusOK))
	}
	for _, s := range d.RGPStatuses(now) {
		all = append(all, string(s))
	}
	slices.Sort(all)
	return slices.Compact(all) // pendingDelete is a status of both
}

// security shows whether the delegation is secure, and by which DS records (RFC 5910).
func (p *page) security(d *registry.Domain) {
	signers := zone.DelegationSigners(d)
	if len(signers) == 0 {
		p.line("DNSSEC", "unsigned")
		return
	}
	p.line("DNSSEC", "signedDelegation")
	for _, ds := range signers {
		p.line("DNSSEC DS Data", fmt.Sprintf("%d %d %d %X", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest))
	}
}

func (p *page) registrar(tx *store.ReadTx, id registry.RegistrarID) {
	r, found := tx.Registrar(id)
	if !found {
		p.line("Registrar", string(id))
		return
	}
	p.line("Registrar", r.Name)
	if r.IANAID != 0 {
		p.line("Registrar IANA ID", fmt.Sprint(r.IANAID))
	}
	p.lineIf("Registrar URL", r.URL)
}

func hostPage(tx *store.ReadTx, text string) (*page, error) {
	name, err := typedName(text)
	if err != nil {
		return nil, err
	}
	h, found := tx.Host(name)
	if !found {
		return nil, nil
	}
	p := &page{}
	p.line("Server Name", string(h.Name))
	for _, addr := range h.Addresses {
		p.line("IP Address", addr.String())
	}
	p.registrar(tx, h.Sponsor)
	return p, nil
}

func registrarPage(tx *store.ReadTx, text string) (*page, error) {
	id, err := registry.ParseRegistrarID(text)
	if err != nil {
		return nil, err
	}
	r, found := tx.Registrar(id)
	if !found {
		return nil, nil
	}
	p := &page{}
	p.line("Registrar", r.Name)
	p.line("Registrar ID", string(r.ID))
	if r.IANAID != 0 {
		p.line("Registrar IANA ID", fmt.Sprint(r.IANAID))
	}
	p.lineIf("Email", r.Email)
	p.lineIf("Registrar URL", r.URL)
	return p, nil
}

// redacted stands in for personal data: nobody who asks on port 43 has said who they are.
const redacted = "REDACTED FOR PRIVACY"

func contactPage(tx *store.ReadTx, text string) (*page, error) {
	id, err := registry.ParseContactID(text)
	if err != nil {
		return nil, err
	}
	c, found := tx.Contact(id)
	if !found {
		return nil, nil
	}
	p := &page{}
	p.line("Contact ID", string(c.ID))
	p.line("Registry Contact ID", string(c.ROID))
	p.line("Name", redacted)
	for _, form := range c.Postal {
		p.lineIf("State/Province", form.StateProvince)
		p.line("Country", form.CountryCode)
		break // the forms say the same in two scripts
	}
	p.line("Phone", redacted)
	p.line("Email", redacted)
	p.time("Creation Date", c.CreatedAt)
	p.time("Updated Date", c.UpdatedAt)
	p.registrar(tx, c.Sponsor)
	return p, nil
}
