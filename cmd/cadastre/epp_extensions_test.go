package main

import (
	"errors"
	"strings"
	"testing"
)

// TestExtensionFlags shows what flags of extensions become, and which are refused before
// anything is sent.
func TestExtensionFlags(t *testing.T) {
	for name, test := range map[string]struct {
		make func() ([][]byte, error)
		want string // part of the XML, "" for wrong usage
	}{
		"ds":             {(&eppExtras{ds: []string{"12345 13 2 49FD 46e6"}}).ofCreate, "<secDNS:keyTag>12345</secDNS:keyTag><secDNS:alg>13</secDNS:alg><secDNS:digestType>2</secDNS:digestType><secDNS:digest>49FD46E6</secDNS:digest>"},
		"fee":            {(&eppExtras{fee: "10.00", currency: "EUR"}).ofCreate, "<fee:currency>EUR</fee:currency><fee:fee>10.00</fee:fee>"},
		"token":          {(&eppExtras{token: "a b"}).ofCheck, ">a b</allocationToken:allocationToken>"},
		"phase":          {(&eppExtras{phase: "custom/idn first", codes: []string{"x"}, apply: true}).ofCreate, `type="application"><launch:phase name="idn first">custom</launch:phase><launch:codeMark><launch:code>x</launch:code>`},
		"notice":         {(&eppExtras{phase: "claims", notices: []string{"id,2027-01-02,2027-01-01T12:00:00Z"}}).ofCreate, "<launch:noticeID>id</launch:noticeID><launch:notAfter>2027-01-02T00:00:00.000Z</launch:notAfter><launch:acceptedDate>2027-01-01T12:00:00.000Z"},
		"claims":         {(&eppExtras{phase: "claims", claims: true}).ofCheck, `type="claims"><launch:phase>claims`},
		"application":    {(&eppExtras{phase: "open", application: "A1", mark: true}).ofInfo, `includeMark="1"><launch:phase>open</launch:phase><launch:applicationID>A1<`},
		"all DS":         {func() ([][]byte, error) { return updateOfDS(nil, nil, true) }, "<secDNS:all>"},
		"short DS":       {(&eppExtras{ds: []string{"1 2 3"}}).ofCreate, ""},
		"great key tag":  {(&eppExtras{ds: []string{"65536 13 2 AA"}}).ofCreate, ""},
		"odd digest":     {(&eppExtras{ds: []string{"1 13 2 AAA"}}).ofCreate, ""},
		"bad phase":      {(&eppExtras{phase: "dawn"}).ofCreate, ""},
		"no phase":       {(&eppExtras{codes: []string{"x"}}).ofCreate, ""},
		"bad notice":     {(&eppExtras{phase: "claims", notices: []string{"id,2027-01-02"}}).ofCreate, ""},
		"no application": {func() ([][]byte, error) { return (&eppExtras{phase: "open"}).ofApplication(nil) }, ""},
		"two removals":   {func() ([][]byte, error) { return updateOfDS(nil, []string{"1 13 2 AA"}, true) }, ""},
	} {
		elements, err := test.make()
		if test.want == "" {
			if _, isUsage := errors.AsType[*usageError](err); !isUsage {
				t.Errorf("%s: got %v, want wrong usage", name, err)
			}
			continue
		}
		if err != nil || len(elements) != 1 || !strings.Contains(string(elements[0]), test.want) {
			t.Errorf("%s: %q, %v, want %q", name, elements, err, test.want)
		}
		if _, err := extensionElements(elements); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
