package rdap_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// names lists the domains of the store, in every state and of both data models.
func names() []string {
	return []string{"one.example", "open.example", "signed.example", "held.example", "leaving.example", "moving.example", "xn--bcher-kva.example", "one.thin"}
}

// check is one check of the gTLD profile of February 2024, by the codes of ICANN's conformance tool.
type check struct {
	codes string
	holds func(d any, url string) bool
}

// everyAnswer are the checks of all answers.
func everyAnswer() []check {
	return []check{
		{"-61000 -61001 -62000 -62006 -62001", func(d any, _ string) bool {
			c := list(at(d, "rdapConformance"))
			return slices.Contains(c, any("rdap_level_0")) && slices.Contains(c, any("icann_rdap_response_profile_1")) && slices.Contains(c, any("icann_rdap_technical_implementation_guide_1")) &&
				(at(d, "redacted") == nil || slices.Contains(c, any("redacted"))) && !slices.ContainsFunc(c, func(v any) bool { return strings.HasPrefix(v.(string), "icann") && strings.HasSuffix(v.(string), "_0") })
		}},
		{"-10612 -10613: every link has value and rel", func(d any, _ string) bool {
			return everyLink(d, func(l any) bool { return at(l, "value") != nil && at(l, "rel") != nil && at(l, "href") != nil })
		}},
		{"-61200 -61201 -61202: terms of service", func(d any, url string) bool {
			notice := with(at(d, "notices"), "title", "Terms of Service")
			href, _ := at(notice, "links", 0, "href").(string)
			return at(notice, "links", 0, "rel") == "terms-of-service" && strings.HasPrefix(href, "http") && at(notice, "links", 0, "value") == url
		}},
		{"-40100: no active code", func(d any, _ string) bool { return !holdsCode(d) }}, // see also TestNoActiveCode
	}
}

// activeCode is what a browser would run if a page showed it as it is.
var activeCode = regexp.MustCompile(`(?i)<[a-z/!]|javascript:|\bon[a-z]+\s*=`)

// holdsCode says whether any text of the answer is active.
func holdsCode(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if activeCode.MatchString(name) || holdsCode(member) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, holdsCode)
	case string:
		return activeCode.MatchString(v)
	}
	return false
}

func everyLink(v any, holds func(any) bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if name == "links" {
				for _, l := range list(member) {
					if !holds(l) {
						return false
					}
				}
			}
			if !everyLink(member, holds) {
				return false
			}
		}
	case []any:
		for _, e := range v {
			if !everyLink(e, holds) {
				return false
			}
		}
	}
	return true
}

func notice(title, text, href, rel string) func(any, string) bool {
	return func(d any, url string) bool {
		n := with(at(d, "notices"), "title", title)
		return at(n, "description", 0) == text && at(n, "links", 0, "href") == href && at(n, "links", 0, "rel") == rel && at(n, "links", 0, "value") == url
	}
}

var roidPattern = regexp.MustCompile(`^(\w|_){1,80}-\w{1,8}$`)

func isROID(v any) bool { s, ok := v.(string); return ok && roidPattern.MatchString(s) }

// registrarOf returns the entity of the registrar.
func registrarOf(d any) any { return with(at(d, "entities"), "roles", "registrar") }

func everyDomain() []check {
	event := func(action string) func(any, string) bool {
		return func(d any, _ string) bool {
			date, _ := at(with(at(d, "events"), "eventAction", action), "eventDate").(string)
			return regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`).MatchString(date)
		}
	}
	return []check{
		{"-46100: ldhName", func(d any, url string) bool { return strings.HasSuffix(url, "/domain/"+at(d, "ldhName").(string)) }},
		{"-46200 -46201: handle", func(d any, _ string) bool { return isROID(at(d, "handle")) }},
		{"-46206: not redacted as well", func(d any, _ string) bool { return redactionOf(d, "Registry Domain ID") == nil }},
		{"-46300 registration", event("registration")}, {"-46400 expiration", event("expiration")}, {"-43100 last update", event("last update of RDAP database")},
		{"-47100: a status at least", func(d any, _ string) bool { return len(list(at(d, "status"))) > 0 }},
		{"-46900 -47001 -47002: combinations of statuses", func(d any, _ string) bool {
			s := list(at(d, "status"))
			has := func(name string) bool { return slices.Contains(s, any(name)) }
			others := slices.ContainsFunc(s, func(v any) bool { return !strings.HasSuffix(v.(string), " period") && v != "active" })
			return (!has("active") || !others) && (!has("pending delete") || !has("client delete prohibited")) && (!has("redemption period") || has("pending delete"))
		}},
		{"no status or event twice", func(d any, _ string) bool {
			seen := map[any]bool{}
			for _, e := range slices.Concat(list(at(d, "status")), list(at(d, "events"))) {
				key := e
				if a := at(e, "eventAction"); a != nil {
					key = a
				}
				if seen[key] {
					return false
				}
				seen[key] = true
			}
			return true
		}},
		{"-46800 -46801 -46802: secureDNS", func(d any, _ string) bool {
			signed, ok := at(d, "secureDNS", "delegationSigned").(bool)
			ds := at(d, "secureDNS", "dsData", 0)
			return ok && (!signed || at(ds, "keyTag") != nil && at(ds, "algorithm") != nil && at(ds, "digest") != nil && at(ds, "digestType") != nil) && (signed || ds == nil)
		}},
		{"-47200..-47205: name servers", func(d any, _ string) bool {
			for _, n := range list(at(d, "nameservers")) {
				if at(n, "ldhName") == nil || at(n, "objectClassName") != "nameserver" || at(n, "handle") != nil && !isROID(at(n, "handle")) {
					return false
				}
			}
			return true
		}},
		{"-46601..-46606: status codes", notice("Status Codes", "For more information on domain status codes, please visit https://icann.org/epp", "https://icann.org/epp", "glossary")},
		{"-46701..-46706: complaint form", notice("RDDS Inaccuracy Complaint Form", "URL of the ICANN RDDS Inaccuracy Complaint Form: https://icann.org/wicf", "https://icann.org/wicf", "help")},
		{"-47300 -47301: one registrar with fn", func(d any, _ string) bool {
			n := 0
			for _, e := range list(at(d, "entities")) {
				if slices.Contains(list(at(e, "roles")), any("registrar")) {
					n++
				}
			}
			return n == 1 && at(property(registrarOf(d), "fn"), 3) != ""
		}},
		{"-47302..-47404 -23300: IANA number", func(d any, _ string) bool {
			r := registrarOf(d)
			return at(r, "publicIds", 0, "type") == "IANA Registrar ID" && at(r, "publicIds", 0, "identifier") == at(r, "handle") && regexp.MustCompile(`^[1-9]\d*$`).MatchString(at(r, "handle").(string))
		}},
		{"-47500: abuse contact", func(d any, _ string) bool {
			abuse := with(at(registrarOf(d), "entities"), "roles", "abuse")
			return tel(abuse, "voice") != "" && at(property(abuse, "email"), 3) != nil
		}},
		{"-47700..-47703: link about", func(d any, _ string) bool {
			l := with(at(registrarOf(d), "links"), "rel", "about")
			return at(l, "value") == "https://rdap.a.example.net/" && at(l, "href") == "https://rdap.a.example.net/"
		}},
		{"-23200..-23202: link related", func(d any, url string) bool {
			l := with(at(d, "links"), "rel", "related")
			return at(l, "href") == "https://rdap.a.example.net/domain/"+at(d, "ldhName").(string) && at(l, "value") == url
		}},
		{"-62100 -62101 -40400 -20800 -20900: structured addresses and numbers", func(d any, _ string) bool { return goodCards(d) }},
		{"-47600: handles of other contacts", func(d any, _ string) bool {
			for _, e := range list(at(d, "entities")) {
				if role := at(e, "roles", 0); role != "registrar" && role != "registrant" && role != "technical" && !isROID(at(e, "handle")) {
					return false
				}
			}
			return true
		}},
	}
}

func goodCards(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if name != "vcardArray" {
				if !goodCards(member) {
					return false
				}
				continue
			}
			for _, p := range list(at(member, 1)) {
				switch at(p, 0) {
				case "adr":
					cc := at(p, 1, "cc")
					if len(list(at(p, 3))) != 7 || at(p, 3, 6) != "" || cc != nil && !regexp.MustCompile(`^[A-Z]{2}$`).MatchString(cc.(string)) {
						return false
					}
				case "tel":
					if kind := at(p, 1, "type"); kind != "voice" && kind != "fax" {
						return false
					}
				}
			}
		}
	case []any:
		for _, e := range v {
			if !goodCards(e) {
				return false
			}
		}
	}
	return true
}

// redactionOf returns the entry about a field.
func redactionOf(d any, name string) any {
	for _, r := range list(at(d, "redacted")) {
		if at(r, "name", "type") == name {
			return r
		}
	}
	return nil
}

// redactedFields are the checks of what is withheld of a registrant and a technical contact (-63100 to -65207).
func redactedFields() []check {
	var all []check
	for _, who := range []struct{ label, role string }{{"Registrant", "registrant"}, {"Tech", "technical"}} {
		entity := func(d any) any { return with(at(d, "entities"), "roles", who.role) }
		adr := func(d any, i int) any { return at(property(entity(d), "adr"), 3, i) }
		entry := func(name, method string, isGone func(d any) bool) check {
			return check{name + " by " + method, func(d any, _ string) bool {
				r := redactionOf(d, name)
				path := at(r, "prePath")
				if method == "emptyValue" {
					path = at(r, "postPath")
				}
				return isGone(d) && at(r, "method") == method && at(r, "pathLang") == "jsonpath" && strings.HasPrefix(path.(string), "$.entities[?(@.roles[0]=='"+who.role+"')]")
			}}
		}
		l := who.label + " "
		all = append(all,
			entry("Registry "+l+"ID", "removal", func(d any) bool { return at(entity(d), "handle") == nil }),
			entry(l+"Name", "emptyValue", func(d any) bool { return at(property(entity(d), "fn"), 3) == "" }),
			entry(l+"Organization", "removal", func(d any) bool { return property(entity(d), "org") == nil }),
			entry(l+"Street", "emptyValue", func(d any) bool { return adr(d, 2) == "" }),
			entry(l+"City", "emptyValue", func(d any) bool { return adr(d, 3) == "" }),
			entry(l+"Postal Code", "emptyValue", func(d any) bool { return adr(d, 5) == "" }),
			entry(l+"Phone", "removal", func(d any) bool { return tel(entity(d), "voice") == "" }),
			entry(l+"Phone Ext", "removal", func(d any) bool { return tel(entity(d), "voice") == "" }),
			entry(l+"Fax", "removal", func(d any) bool { return tel(entity(d), "fax") == "" }),
			entry(l+"Fax Ext", "removal", func(d any) bool { return tel(entity(d), "fax") == "" }),
			entry(l+"Email", "replacementValue", func(d any) bool {
				return property(entity(d), "email") == nil && at(property(entity(d), "contact-uri"), 3) == "https://a.example.net" && strings.HasSuffix(at(redactionOf(d, l+"Email"), "replacementPath").(string), "[?(@[0]=='contact-uri')]")
			}),
			check{l + "State/Province and Country are shown", func(d any, _ string) bool {
				return adr(d, 4) == "BE" && at(property(entity(d), "adr"), 1, "cc") == "CH"
			}})
	}
	return all
}

func TestProfileOfDomains(t *testing.T) {
	w := newWorld(t, nil)
	for _, name := range names() {
		t.Run(name, func(t *testing.T) {
			d := w.get(t, "/domain/"+name, http.StatusOK)
			checks := slices.Concat(everyAnswer(), everyDomain())
			if name == "one.example" || name == "signed.example" {
				checks = append(checks, redactedFields()...)
			}
			for _, c := range checks {
				if !c.holds(d, "https://rdap.example/domain/"+name) {
					t.Errorf("the check %s does not hold of %v", c.codes, d)
				}
			}
		})
	}
	if at(w.get(t, "/domain/b%C3%BCcher.example", http.StatusOK), "unicodeName") != "bücher.example" {
		t.Error("-46101: the U-label is missing")
	}
	a, b := w.ask("/domain/one.example", "", nil).Body.String(), w.ask("/domain/OnE.ExAmPlE", "", nil).Body.String()
	if a != b {
		t.Errorf("-10403: upper case makes a difference:\n%s\n%s", a, b)
	}
	if thin := w.get(t, "/domain/one.thin", http.StatusOK); len(list(at(thin, "entities"))) != 1 || at(thin, "redacted") != nil {
		t.Errorf("a thin domain shows %v", thin)
	}
}

func TestProfileOfOtherAnswers(t *testing.T) {
	w := newWorld(t, nil)
	for path, more := range map[string][]check{
		"/help":           {{"-20701", func(d any, _ string) bool { return len(list(at(d, "notices"))) > 1 }}},
		"/domain/x.test":  nil,
		"/entity/c-one":   {{"-62100", func(d any, _ string) bool { return goodCards(d) && isROID(at(d, "handle")) }}},
		"/nameserver/a.b": nil,
		"/entity/292": {{"-60100 -60101: a registrar", func(d any, _ string) bool {
			adr := property(d, "adr")
			return at(d, "handle") == "292" && at(property(d, "fn"), 3) != "" && at(adr, 3, 2, 0) == "Main Street 1" && at(adr, 3, 3) == "Bern" && at(adr, 1, "cc") == "CH" && tel(d, "voice") != "" && at(property(d, "email"), 3) == "a@example.net"
		}}},
		"/nameserver/ns1.one.example": {{"-49100..-49300: a name server", func(d any, _ string) bool {
			return at(d, "ldhName") == "ns1.one.example" && isROID(at(d, "handle")) && slices.Contains(list(at(d, "status")), any("associated")) && at(d, "ipAddresses", "v6", 0) == "2001:db8::1"
		}}},
	} {
		status := http.StatusOK
		if strings.HasPrefix(path, "/domain/") || path == "/nameserver/a.b" {
			status = http.StatusNotFound // -65300
		}
		d := w.get(t, path, status)
		if status != http.StatusOK && (at(d, "errorCode") != float64(404) || at(d, "title") == nil || len(list(at(d, "description"))) == 0) {
			t.Errorf("%s: the error is %v", path, d)
		}
		for _, c := range slices.Concat(everyAnswer(), more) {
			if !c.holds(d, "https://rdap.example"+path) {
				t.Errorf("%s: the check %s does not hold of %v", path, c.codes, d)
			}
		}
	}
}

// TestNoActiveCode is check -40100 for what the asker sends.
func TestNoActiveCode(t *testing.T) {
	if !holdsCode([]any{map[string]any{"title": "a <Script>"}}) || holdsCode([]any{"1 < 2", "contact=x"}) {
		t.Error("active code is not told from text")
	}
	w := newWorld(t, nil)
	out := w.ask("/domain/%3Cscript%3Ealert(1)%3C%2Fscript%3E.example", "", nil)
	if out.Code != http.StatusBadRequest || strings.Contains(out.Body.String(), "<script") {
		t.Errorf("%d: %s", out.Code, out.Body)
	}
}
