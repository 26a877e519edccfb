package registry_test

import (
	"errors"
	"strings"
	"testing"

	"cadastre/registry"
)

func TestParseDomainName(t *testing.T) {
	label63 := strings.Repeat("a", 63)
	tests := []struct{ in, want, rule string }{
		{"Example", "example", ""},
		{"NS1.One.EXAMPLE.", "ns1.one.example", ""},
		{label63 + ".example", label63 + ".example", ""},
		{"1.2", "1.2", ""},
		{label63 + "a.example", "", "63 octets"},
		{"", "", "empty"},
		{".", "", "empty"},
		{"a..b", "", "empty"},
		{".a", "", "empty"},
		{"a..", "", "empty"},
		{"-a.b", "", "hyphen"},
		{"a-.b", "", "hyphen"},
		{"a_b.c", "", "letter"},
		{"a b.c", "", "letter"},
		{"ä.example", "", "letter"},
		{"a\x00b.example", "", "letter"},
		{strings.Repeat("a.", 17) + "b", "", "16 labels"},
		{strings.Repeat(label63+".", 4) + "x", "", "253 octets"},
	}
	for _, test := range tests {
		got, err := registry.ParseDomainName(test.in)
		if string(got) != test.want || (err == nil) != (test.rule == "") {
			t.Errorf("%.40q: got %q, %v", test.in, got, err)
			continue
		}
		if err != nil && (!strings.Contains(err.Error(), test.rule) || !errors.Is(err, registry.CodeParameterSyntax)) {
			t.Errorf("%.40q: the error %q does not name the rule %q", test.in, err, test.rule)
		}
	}
}

func FuzzParseDomainName(f *testing.F) {
	for _, seed := range []string{"a.b", "A.B.", "-", strings.Repeat("a.", 200), "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := registry.ParseDomainName(s)
		if err != nil {
			return
		}
		again, err := registry.ParseDomainName(string(name))
		if err != nil || again != name || len(name) > registry.MaxNameOctets {
			t.Errorf("%q parses as %q, which parses as %q, %v", s, name, again, err)
		}
	})
}

func TestNameRelations(t *testing.T) {
	n := registry.DomainName("ns1.one.example")
	if n.Parent() != "one.example" || n.FirstLabel() != "ns1" || n.Labels() != 3 || registry.DomainName("").Labels() != 0 {
		t.Errorf("parent %q, first label %q, %d labels", n.Parent(), n.FirstLabel(), n.Labels())
	}
	for ancestor, want := range map[registry.DomainName]bool{"example": true, "one.example": true, n: false, "ne.example": false, "": false, "other": false} {
		if got := n.IsBelow(ancestor); got != want {
			t.Errorf("%q below %q: %v", n, ancestor, got)
		}
	}
	if got := n.AncestorWithLabels(2); got != "one.example" {
		t.Errorf("the ancestor with two labels is %q", got)
	}
	if got := n.AncestorWithLabels(4); got != "" {
		t.Errorf("the ancestor with four labels is %q", got)
	}
}

func TestMinorUnits(t *testing.T) {
	for in, want := range map[string]int64{"10": 1000, "10.5": 1050, "10.05": 1005, "-3.50": -350, "0": 0} {
		if got, err := registry.ParseMinorUnits(in); err != nil || got != want {
			t.Errorf("%q: %d, %v", in, got, err)
		}
	}
	for _, in := range []string{"", ".5", "1.234", "1e3", "--1", "1,5", "9999999999999999"} {
		if got, err := registry.ParseMinorUnits(in); err == nil {
			t.Errorf("%q is read as %d", in, got)
		}
	}
	if got := registry.FormatMinorUnits(-1005); got != "-10.05" {
		t.Errorf("-1005 is written %q", got)
	}
}

func TestStatuses(t *testing.T) {
	var s registry.Statuses
	s = s.With(registry.StatusServerHold).With(registry.StatusClientHold).With(registry.StatusClientHold)
	if len(s) != 2 || s[0] != registry.StatusClientHold || !s.Has(registry.StatusOK, registry.StatusServerHold) {
		t.Errorf("the set is %v", s)
	}
	if less := s.Without(registry.StatusClientHold); len(less) != 1 || len(s) != 2 {
		t.Errorf("without clientHold the set is %v, and it was %v", less, s)
	}
	if registry.IsClientStatus(registry.KindHost, registry.StatusClientHold) || !registry.IsClientStatus(registry.KindDomain, registry.StatusClientHold) {
		t.Error("clientHold is for domains alone")
	}
}

func TestErrorsAreToldApartByCode(t *testing.T) {
	cause := errors.New("cause")
	err := error(&registry.Error{Code: registry.CodeBilling, Field: "balance", Value: "1.00", Reason: "too little", Err: cause})
	if !errors.Is(err, registry.CodeBilling) || errors.Is(err, registry.CodeOK) || !errors.Is(err, cause) {
		t.Error("errors.Is does not see code and cause")
	}
	if got := err.Error(); got != `too little (balance "1.00"): cause` {
		t.Errorf("it reads %q", got)
	}
	if got := registry.Code(999).String(); got != "code 999" {
		t.Errorf("an unknown code reads %q", got)
	}
}
