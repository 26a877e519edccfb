package rdap

import (
	"bytes"
	_ "embed" // for the page and its style
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"cadastre/disclose"
	"cadastre/policy"
	"cadastre/store"
)

// pageHTML is the one page, and styleCSS how it looks. There are no scripts.
//
//go:embed page.html
var pageHTML string

// styleCSS is served beside it.
//
//go:embed style.css
var styleCSS []byte

// maxAskedOctets bounds what is taken from the form.
const maxAskedOctets = 1024

// pages makes the web look-up.
type pages struct{ template *template.Template }

func newPages() (*pages, error) {
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("read the page of the web look-up: %w", err)
	}
	return &pages{template: t}, nil
}

// handler returns what answers the path, nil for none.
func (p *pages) handler(s *Server, path []string) http.HandlerFunc {
	if len(path) != 1 {
		return nil
	}
	if path[0] == "style.css" {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/css; charset=utf-8")
			w.Header().Set("Cache-Control", "max-age=3600")
			_, _ = w.Write(styleCSS) // the client may be gone
		}
	}
	return func(w http.ResponseWriter, r *http.Request) { p.show(s, w, r, path[0]) }
}

// page is what the template shows.
type page struct {
	Title, Asked, ExampleTLD string
	Problem, DataTime, Age   string
	Terms                    bool
	Domain                   *pageDomain
}

type pageDomain struct {
	Unicode, ASCII, ROID                   string
	Created, Expires, Updated, Transferred string
	Security                               string
	Statuses                               []pageStatus
	NameServers                            []string
	Registrar                              *disclose.Registrar
	Contacts                               []pageContact
}

type pageStatus struct{ Name, Meaning string }

type pageContact struct {
	Title  string
	Fields []pageField
}

type pageField struct {
	Name, Value, Link string
	Withheld          bool
}

func (p *pages) show(s *Server, w http.ResponseWriter, r *http.Request, path string) {
	v := &page{Title: "Registration data", ExampleTLD: "example", Terms: path == "terms"}
	status := http.StatusOK
	err := s.cfg.Viewer.View(func(tx *store.ReadTx) error {
		for _, tld := range tx.TLDs() {
			v.ExampleTLD = string(tld.Name)
			break
		}
		fresh := disclose.FreshnessOf(tx, s.cfg.Now())
		if v.DataTime = pageTime(fresh.At); fresh.Age > 0 {
			v.Age = fresh.Age.String()
		}
		if path == "lookup" {
			status = v.lookUp(tx, r.URL.Query().Get("name"))
		}
		return nil
	})
	if err != nil {
		s.cfg.Logger.Error("page failed", "service", "rdap", "error", err)
		status, v.Problem = http.StatusInternalServerError, "The service has a fault; try again later."
	}
	var out bytes.Buffer
	if err := p.template.Execute(&out, v); err != nil {
		s.cfg.Logger.Error("page failed", "service", "rdap", "error", err)
		status = http.StatusInternalServerError
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(out.Bytes()) // the client may be gone
	}
}

// lookUp fills in the domain as the public sees it and returns the HTTP status.
func (v *page) lookUp(tx *store.ReadTx, asked string) int {
	asked = strings.TrimSpace(asked)
	if asked == "" || len(asked) > maxAskedOctets || !isText(asked) {
		v.Problem = "Type a domain name."
		return http.StatusBadRequest
	}
	v.Asked, v.Title = asked, asked+" - registration data"
	name, err := domainName(asked)
	if err != nil {
		v.Problem = "This is no domain name: " + err.Error() + "."
		return http.StatusBadRequest
	}
	d, found := disclose.DomainOf(tx, name, disclose.Audience{})
	if !found {
		v.Problem = string(name) + " is not registered here."
		return http.StatusNotFound
	}
	v.Domain = pageDomainOf(d)
	return http.StatusOK
}

func pageDomainOf(d *disclose.Domain) *pageDomain {
	p := &pageDomain{
		Unicode: d.Unicode, ASCII: string(d.Name), ROID: string(d.ROID), Created: pageTime(d.CreatedAt), Expires: pageTime(d.ExpiresAt),
		Updated: pageTime(d.UpdatedAt), Transferred: pageTime(d.TransferredAt), Registrar: d.Sponsor,
		Security: "not signed",
	}
	if len(d.Signers) > 0 {
		p.Security = fmt.Sprintf("signed, with %d DS records", len(d.Signers))
	}
	for _, status := range d.Statuses {
		p.Statuses = append(p.Statuses, pageStatus{Name: rdapStatus(status), Meaning: statusMeaning(status)})
	}
	for _, server := range d.NameServers {
		p.NameServers = append(p.NameServers, server.Unicode)
	}
	for _, c := range d.Contacts {
		p.Contacts = append(p.Contacts, pageContactOf(c))
	}
	return p
}

func pageContactOf(c *disclose.Contact) pageContact {
	out := pageContact{Title: map[disclose.Role]string{
		disclose.RoleRegistrant: "Registrant", disclose.RoleTechnical: "Technical contact", disclose.RoleAdministrative: "Administrative contact", disclose.RoleBilling: "Billing contact",
	}[c.Role]}
	add := func(field, name, value string) {
		if withheld := field != "" && c.Withholds(field); withheld || value != "" {
			out.Fields = append(out.Fields, pageField{Name: name, Value: value, Withheld: withheld})
		}
	}
	add(policy.FieldName, "Name", c.Postal.Name)
	add(policy.FieldOrg, "Organisation", c.Postal.Organization)
	add(policy.FieldStreet, "Street", strings.Join(c.Postal.Street, ", "))
	add(policy.FieldCity, "City", c.Postal.City)
	add("", "State or province", c.Postal.StateProvince)
	add(policy.FieldPostalCode, "Postal code", c.Postal.PostalCode)
	add("", "Country", c.Postal.CountryCode)
	add(policy.FieldPhone, "Phone", c.Voice.Number)
	if c.Email == "" && c.ContactURI != "" {
		out.Fields = append(out.Fields, pageField{Name: "Reached by", Value: c.ContactURI, Link: c.ContactURI})
	} else {
		add(policy.FieldEmail, "E-mail", c.Email)
	}
	return out
}

func pageTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 January 2006, 15:04:05 UTC")
}

// statusMeaning explains a status to people.
func statusMeaning(epp string) string {
	switch epp {
	case "ok":
		return "Registered, with nothing pending and nothing locked."
	case "inactive":
		return "Registered without name servers, so that it does not work on the internet."
	case "clientHold", "serverHold":
		return "Taken out of the DNS on purpose: the name does not work at present."
	case "clientTransferProhibited", "serverTransferProhibited":
		return "Locked against a move to another registrar; usual, and a protection."
	case "clientUpdateProhibited", "serverUpdateProhibited":
		return "Locked against changes."
	case "clientDeleteProhibited", "serverDeleteProhibited":
		return "Locked against deletion."
	case "clientRenewProhibited", "serverRenewProhibited":
		return "Not to be renewed, often because of a dispute or a pending deletion."
	case "pendingCreate":
		return "Applied for; the registration waits for a decision."
	case "pendingDelete":
		return "Deleted; it becomes free for others soon unless it is restored first."
	case "pendingTransfer":
		return "On its way to another registrar."
	case "pendingUpdate", "pendingRenew":
		return "A change waits for a decision."
	case "pendingRestore":
		return "Being brought back after a deletion."
	case "redemptionPeriod":
		return "Deleted a short time ago; the registrar can still bring it back."
	case "addPeriod":
		return "Registered a few days ago."
	case "autoRenewPeriod":
		return "Renewed automatically a short time ago."
	case "renewPeriod":
		return "Renewed a short time ago."
	case "transferPeriod":
		return "Moved to its registrar a short time ago."
	default:
		return "See the list of status codes."
	}
}
