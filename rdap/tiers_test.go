package rdap_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"cadastre/disclose"
	"cadastre/store"
	"cadastre/whois"
)

// secrets are what the public must not see of c-one.
func secrets() []string {
	return []string{"Secret Person", "Persönlichkeit", "Hidden Ltd", "Side Street", "Thun", "3600", "440000000", "440000001", "secret@example.net", "C1-EX", "c-one"}
}

func TestWhoSeesWhat(t *testing.T) {
	w := newWorld(t, nil)
	shown := func(body string) (n int) {
		for _, s := range secrets() {
			if strings.Contains(body, s) {
				n++
			}
		}
		return n
	}
	for _, test := range []struct {
		title, path, registrar string
		fingerprint            []byte
		wantWhole              bool
	}{
		{"the public", "/domain/one.example", "", nil, false},
		{"its registrar", "/domain/one.example", "reg-a", registrarFingerprint, true},
		{"another registrar", "/domain/one.example", "reg-b", otherFingerprint, false},
		{"its registrar's name with another certificate", "/domain/one.example", "reg-a", otherFingerprint, false},
		{"an unknown certificate", "/domain/one.example", "", []byte(strings.Repeat("x", 32)), false},
		{"a requester with a grant", "/domain/one.example", "", grantFingerprint, true},
		{"a requester, of another TLD", "/domain/one.thin", "", grantFingerprint, false},
	} {
		t.Run(test.title, func(t *testing.T) {
			before := len(w.record.entries)
			out := w.ask(test.path, test.registrar, test.fingerprint)
			d := decode(t, out, http.StatusOK)
			n := shown(out.Body.String())
			if test.wantWhole != (n >= 8) || !test.wantWhole && n > 0 {
				t.Errorf("%d of the secrets are shown: %s", n, out.Body)
			}
			if test.wantWhole && (at(d, "redacted") != nil || with(at(d, "entities"), "roles", "billing") == nil) {
				t.Errorf("not all is shown: %s", out.Body)
			}
			if test.wantWhole && out.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("the answer may be kept: %q", out.Header().Get("Cache-Control"))
			}
			recorded := w.record.entries[before:]
			if wants := test.title == "a requester with a grant"; wants != (len(recorded) == 1) || wants && (recorded[0].GrantID != "G1" || recorded[0].Key != "one.example" || recorded[0].Address == "") {
				t.Errorf("on record is %+v", recorded)
			}
		})
	}
	open := w.ask("/domain/open.example", "", nil).Body.String()
	if !strings.Contains(open, "Open Person") || !strings.Contains(open, "open@example.net") || strings.Contains(open, "Thun") {
		t.Errorf("consent of the contact is not heeded: %s", open)
	}
}

func TestNothingIsDisclosedThatIsNotOnRecord(t *testing.T) {
	w := newWorld(t, nil)
	w.record.broken = true
	out := w.ask("/domain/one.example", "", grantFingerprint)
	d := decode(t, out, http.StatusOK)
	if strings.Contains(out.Body.String(), "Secret Person") || at(d, "redacted") == nil || with(at(d, "notices"), "title", "Disclosure") == nil {
		t.Errorf("without a record the answer is %s", out.Body)
	}
	w = newWorld(t, nil)
	w.now = dataTime.AddDate(0, 0, 2)
	if !strings.Contains(w.ask("/domain/one.example", "", nil).Body.String(), "Outdated Data") {
		t.Error("nothing says that the data are old")
	}
}

func TestSearches(t *testing.T) {
	w := newWorld(t, nil)
	found := func(path, registrar string, fingerprint []byte, member, key string) []string {
		out := w.ask(path, registrar, fingerprint)
		if out.Code == http.StatusNotFound {
			return nil
		}
		var all []string
		for _, e := range list(at(decode(t, out, http.StatusOK), member)) {
			all = append(all, at(e, key).(string))
		}
		return all
	}
	for _, test := range []struct {
		path, member, key string
		want              []string
	}{
		{"/domains?name=one*", "domainSearchResults", "ldhName", []string{"one.example", "one.thin"}},
		{"/domains?name=One*.Example", "domainSearchResults", "ldhName", []string{"one.example"}},
		{"/domains?name=b%C3%BCcher.example", "domainSearchResults", "ldhName", []string{"xn--bcher-kva.example"}},
		{"/domains?name=absent*", "domainSearchResults", "ldhName", nil},
		{"/domains?nsLdhName=ns1.one.example&limit=3", "domainSearchResults", "ldhName", []string{"held.example", "leaving.example", "moving.example"}},
		{"/nameservers?name=ns1*", "nameserverSearchResults", "ldhName", []string{"ns1.one.example"}},
		{"/entities?fn=registrar*", "entitySearchResults", "handle", []string{"292", "reg-b"}},
		{"/entities?handle=292", "entitySearchResults", "handle", []string{"292"}},
		{"/entities?fn=secret*", "entitySearchResults", "handle", nil},
	} {
		if got := found(test.path, "", nil, test.member, test.key); !slices.Equal(got, test.want) {
			t.Errorf("%s finds %q, want %q", test.path, got, test.want)
		}
	}
	first := w.get(t, "/domains?nsLdhName=ns1.one.example&limit=3", http.StatusOK)
	next, _ := at(first, "paging_metadata", "links", 0, "href").(string)
	if got := found(strings.TrimPrefix(next, "https://rdap.example"), "", nil, "domainSearchResults", "ldhName"); !slices.Equal(got, []string{"one.example", "one.thin", "open.example"}) {
		t.Errorf("the next page, %s, has %q", next, got)
	}
	reverse := "/domains/reverse_search/entity?handle=C1-EX&role=technical&fieldSet=id"
	if got := found(reverse, "reg-a", registrarFingerprint, "domainSearchResults", "ldhName"); !slices.Equal(got, []string{"one.example", "one.thin", "signed.example"}) {
		t.Errorf("the reverse search finds %q", got)
	}
	if got := w.ask(reverse, "", nil).Code; got != http.StatusForbidden {
		t.Errorf("the public's reverse search is answered %d", got)
	}
	if got := w.ask(reverse, "reg-b", otherFingerprint).Code; got != http.StatusNotFound {
		t.Errorf("another registrar's reverse search is answered %d", got)
	}
	if body := w.ask("/domains?name=one*", "", grantFingerprint).Body.String(); strings.Contains(body, "Secret Person") {
		t.Errorf("a search discloses what is not on record: %s", body)
	}
}

func TestBadInput(t *testing.T) {
	w := newWorld(t, nil)
	for path, want := range map[string]int{
		"/domain/": 400,
		"/domain":  400,
		"/domain/" + strings.Repeat("a", 64) + ".example":     400,
		"/domain/a..example":                                  400,
		"/domain/..":                                          400,
		"/domain/%2e%2e":                                      400,
		"/domain/one.example%2f..":                            400,
		"/domain/one.example%00":                              400,
		"/domain/one.example/nameservers":                     400,
		"/domain/%ff.example":                                 400,
		"/domain/p%D0%B0ypal.example":                         404,
		"/domain/" + strings.Repeat("a.", 300):                400,
		"/entity/" + strings.Repeat("x", 90):                  400,
		"/entity/%20":                                         404,
		"/nameserver/-a.example":                              400,
		"/domains":                                            400,
		"/domains?name=a*":                                    400,
		"/domains?name=**":                                    400,
		"/domains?name=abc*def.example":                       400,
		"/domains?name=one*&name=two*":                        400,
		"/domains?name=one*&nsLdhName=ns1*":                   400,
		"/domains?name=one*&limit=1000":                       400,
		"/domains?name=one*&cursor=%21":                       400,
		"/domains?name=one*&sort=price":                       400,
		"/domains?name=one*&fieldSet=all":                     400,
		"/domains?nsLdhName=ns1*":                             501,
		"/domains?nsIp=192.0.2.1":                             501,
		"/nameservers?ip=192.0.2.1":                           501,
		"/entities/reverse_search/entity?handle=x":            501,
		"/ip/192.0.2.0/24":                                    501,
		"/autnum/1":                                           501,
		"/wp-login.php":                                       400,
		"/domain/one.example?" + strings.Repeat("x", 3000):    400,
		"/domain/one.example?unknown=ignored&cursor=whatever": 200,
		"/a/b/c/d/e/f/g/h/i/j":                                400,
	} {
		out := w.ask(path, "", nil)
		d := decode(t, out, want)
		if want != 200 && at(d, "errorCode") != float64(want) {
			t.Errorf("%s: %v", path, d)
		}
	}
}

// TestRDAPAndWHOISShowTheSame compares what both say to the public, for every kind of object.
func TestRDAPAndWHOISShowTheSame(t *testing.T) {
	w := newWorld(t, nil)
	st := newStore(t)
	lines := func(query string) map[string][]string {
		fields := map[string][]string{}
		if err := st.View(func(tx *store.ReadTx) error {
			for line := range strings.SplitSeq(string(whois.Answer(tx, query, dataTime)), "\r\n") {
				if label, value, ok := strings.Cut(line, ": "); ok {
					fields[label] = append(fields[label], value)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return fields
	}
	for _, name := range names() {
		d := w.get(t, "/domain/"+name, http.StatusOK)
		f := lines(name)
		r := registrarOf(d)
		want := map[string][]string{
			"Domain Name": {str(at(d, "ldhName"))}, "Registry Domain ID": {str(at(d, "handle"))}, "Creation Date": {eventOf(d, "registration")}, "Registry Expiry Date": {eventOf(d, "expiration")},
			"Updated Date": {eventOf(d, "last changed")}, "Transfer Date": {eventOf(d, "transfer")}, "Registrar": {str(at(property(r, "fn"), 3))}, "Registrar IANA ID": {str(at(r, "handle"))},
			"Registrar URL": {str(at(property(r, "url"), 3))}, "Registrar Abuse Contact Email": {str(at(property(with(at(r, "entities"), "roles", "abuse"), "email"), 3))},
			"Registrar Abuse Contact Phone": {tel(with(at(r, "entities"), "roles", "abuse"), "voice")}, ">>> Last update of WHOIS database": {eventOf(d, "last update of RDAP database") + " <<<"},
			"Internationalized Domain Name": {str(at(d, "unicodeName"))},
		}
		for _, n := range list(at(d, "nameservers")) {
			want["Name Server"] = append(want["Name Server"], str(at(n, "ldhName")))
		}
		for _, c := range []struct{ label, role string }{{"Registrant", "registrant"}, {"Tech", "technical"}} {
			addContact(want, d, with(at(d, "entities"), "roles", c.role), c.label)
		}
		for label, values := range want {
			if len(values) == 1 && values[0] == "" {
				values = nil
			}
			if !slices.Equal(f[label], values) {
				t.Errorf("%s: %s is %q in WHOIS and %q in RDAP", name, label, f[label], values)
			}
			delete(f, label)
		}
		if got := len(f["Domain Status"]); got != len(list(at(d, "status"))) {
			t.Errorf("%s has %d statuses in WHOIS and %d in RDAP", name, got, len(list(at(d, "status"))))
		}
		for _, known := range []string{"Domain Status", "DNSSEC", "DNSSEC DS Data", "Registrar WHOIS Server", "URL of the ICANN RDDS Inaccuracy Complaint Form", "Registry Registrant ID", "Registry Tech ID"} {
			delete(f, known)
		}
		if len(f) > 0 {
			t.Errorf("%s: only WHOIS shows %q", name, f)
		}
	}
	host, f := w.get(t, "/nameserver/ns1.one.example", http.StatusOK), lines("nameserver ns1.one.example")
	if f["Server Name"][0] != str(at(host, "ldhName")) || f["Registry Server ID"][0] != str(at(host, "handle")) || f["IP Address"][0] != str(at(host, "ipAddresses", "v4", 0)) || f["IP Address"][1] != str(at(host, "ipAddresses", "v6", 0)) || len(f["Server Status"]) != len(list(at(host, "status"))) {
		t.Errorf("a name server is %q in WHOIS and %v in RDAP", f, host)
	}
	registrar, f := w.get(t, "/entity/292", http.StatusOK), lines("registrar reg-a")
	adr := property(registrar, "adr")
	if f["Registrar"][0] != str(at(property(registrar, "fn"), 3)) || f["Street"][1] != str(at(adr, 3, 2, 1)) || f["City"][0] != str(at(adr, 3, 3)) || f["Postal Code"][0] != str(at(adr, 3, 5)) || f["Country"][0] != str(at(adr, 1, "cc")) || f["Phone Number"][0] != tel(registrar, "voice") || f["Fax Number"][0] != tel(registrar, "fax") || f["Email"][0] != str(at(property(registrar, "email"), 3)) || f["Registrar WHOIS Server"][0] != str(at(registrar, "port43")) {
		t.Errorf("a registrar is %q in WHOIS and %v in RDAP", f, registrar)
	}
	contact, f := w.get(t, "/entity/c-one", http.StatusOK), lines("contact c-one")
	want := map[string][]string{}
	addContact(want, contact, contact, "")
	for label, values := range want {
		if !slices.Equal(f[strings.TrimSpace(label)], values) {
			t.Errorf("a contact: %s is %q in WHOIS and %q in RDAP", label, f[strings.TrimSpace(label)], values)
		}
	}
	if f["Registry Contact ID"][0] != str(at(contact, "handle")) || f["Contact ID"][0] != str(at(contact, "publicIds", 0, "identifier")) {
		t.Errorf("a contact is %q in WHOIS and %v in RDAP", f, contact)
	}
}

func str(v any) string { s, _ := v.(string); return s }

func eventOf(d any, action string) string {
	return str(at(with(at(d, "events"), "eventAction", action), "eventDate"))
}

// addContact adds what WHOIS is to show of a contact, by what RDAP shows.
func addContact(want map[string][]string, d, c any, label string) {
	if c == nil {
		return
	}
	withheld := func(field string) bool {
		for _, r := range list(at(d, "redacted")) {
			name := strings.TrimPrefix(str(at(r, "name", "type"))+str(at(r, "name", "description")), "Contact ")
			if name == strings.TrimSpace(label+" "+field) {
				return true
			}
		}
		return false
	}
	adr := property(c, "adr")
	mail := str(at(property(c, "email"), 3)) + str(at(property(c, "contact-uri"), 3))
	for field, value := range map[string]string{
		"Name": str(at(property(c, "fn"), 3)), "Organization": str(at(property(c, "org"), 3)), "Street": str(at(adr, 3, 2)), "City": str(at(adr, 3, 3)), "State/Province": str(at(adr, 3, 4)),
		"Postal Code": str(at(adr, 3, 5)), "Country": str(at(adr, 1, "cc")), "Phone": tel(c, "voice"), "Fax": tel(c, "fax"), "Email": mail,
	} {
		if withheld(field) && field != "Email" {
			value = "REDACTED FOR PRIVACY"
		}
		if value != "" {
			want[strings.TrimSpace(label+" "+field)] = []string{value}
		}
	}
}

func TestAvailability(t *testing.T) {
	st := newStore(t)
	if err := st.View(func(tx *store.ReadTx) error {
		for query, want := range map[string]string{"das one.example": "one.example: not available\r\n", "das free.example": "free.example: available\r\n",
			"das free.thin": "free.thin: not offered\r\n", "das a.b.example": "a.b.example: not available\r\n", "das  b\u00fccher.example": "xn--bcher-kva.example: not available\r\n"} {
			if got := string(whois.Answer(tx, query, dataTime)); got != want {
				t.Errorf("%q is answered %q, want %q", query, got, want)
			}
		}
		if got := string(whois.Answer(tx, "one.example", dataTime.Add(time.Hour))); !strings.Contains(got, "not heard from the registry for 1h0m0s") {
			t.Errorf("old data are not said to be: %q", got)
		}
		d, found := disclose.DomainOf(tx, "one.example", disclose.Audience{Registrar: "reg-a"})
		if !found || !d.IsWhole || d.IsGranted || len(d.Contacts) != 4 {
			t.Errorf("the sponsor sees %+v", d)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
