package rdap

import (
	"strings"

	"cadastre/disclose"
)

// The conformance strings of the answers (RFC 9083 section 4.1; RDAP response profile and technical
// implementation guide of February 2024).
const conformance = `"rdap_level_0","icann_rdap_technical_implementation_guide_1","icann_rdap_response_profile_1","redacted"`

// searchConformance are those that searches add (RFC 8977, RFC 8982, RFC 9536).
const searchConformance = `,"paging","sorting","subsetting","reverse_search"`

// mediaType is that of every answer (RFC 7480 section 4.2).
const mediaType = "application/rdap+json"

// request is one question and where it came in.
type request struct {
	// base is the address of the service, with a slash at its end.
	base string
	// url is the address of the question, which links name as their context.
	url string
	to  disclose.Audience
	// note is said in a notice of the answer.
	note string
}

// begin opens the topmost object.
func (w *writer) begin(extensions string) {
	w.open('{')
	w.key("rdapConformance")
	w.b = append(append(append(append(w.b, '['), conformance...), extensions...), ']')
}

// link appends a link (RFC 9083 section 4.2).
func (w *writer) link(rq *request, rel, href, kind string) {
	w.open('{')
	w.member("value", rq.url)
	w.member("rel", rel)
	w.member("href", href)
	w.member("type", kind)
	w.close('}')
}

func (w *writer) notice(title, kind string, description []string, link func()) {
	w.open('{')
	w.member("title", title)
	w.memberIf("type", kind)
	w.strings("description", description...)
	if link != nil {
		w.array("links")
		link()
		w.close(']')
	}
	w.close('}')
}

// notices appends those that every answer has, and those about domains.
func (w *writer) notices(rq *request, fresh disclose.Freshness, termsURI string, aboutDomains bool, more func()) {
	w.array("notices")
	if termsURI == "" {
		termsURI = rq.base + "terms"
	}
	w.notice("Terms of Service", "", []string{"By asking this service you agree to its terms of service."}, func() {
		w.link(rq, "terms-of-service", termsURI, "text/html")
	})
	if aboutDomains {
		w.notice("Status Codes", "", []string{"For more information on domain status codes, please visit https://icann.org/epp"}, func() {
			w.link(rq, "glossary", "https://icann.org/epp", "text/html")
		})
		w.notice("RDDS Inaccuracy Complaint Form", "", []string{"URL of the ICANN RDDS Inaccuracy Complaint Form: https://icann.org/wicf"}, func() {
			w.link(rq, "help", "https://icann.org/wicf", "text/html")
		})
	}
	if fresh.Age > 0 {
		w.notice("Outdated Data", "", []string{"These data may be outdated: this server has not heard from the registry for " + fresh.Age.String() + "."}, nil)
	}
	if rq.note != "" {
		w.notice("Disclosure", "", []string{rq.note}, nil)
	}
	if more != nil {
		more()
	}
	w.close(']')
}

// lastUpdate appends the event that says how new the data are.
func (w *writer) lastUpdate(fresh disclose.Freshness) {
	w.dataTimeAt = len(w.b)
	w.event("last update of RDAP database", fresh.At)
	if len(w.b) == w.dataTimeAt {
		w.dataTimeAt = 0
	}
}

// rdapStatus is the name of an EPP status in RDAP (RFC 8056 section 2).
func rdapStatus(epp string) string {
	switch epp {
	case "ok":
		return "active"
	case "linked":
		return "associated"
	}
	var b strings.Builder
	b.Grow(len(epp) + 3)
	for i := range len(epp) {
		if c := epp[i]; c >= 'A' && c <= 'Z' {
			b.WriteByte(' ')
			b.WriteByte(c | 0x20)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func (w *writer) statuses(epp []string) {
	if len(epp) == 0 {
		return
	}
	w.array("status")
	for _, s := range epp {
		w.str(rdapStatus(s))
	}
	w.close(']')
}
