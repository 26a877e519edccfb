package disclose

import (
	"testing"

	"cadastre/policy"
	"cadastre/registry"
)

func TestConsentIsToOneFormAndObjectionToBoth(t *testing.T) {
	both := []registry.PostalInfo{{Type: "loc", Name: "Lokal"}, {Type: "int", Name: "Local"}}
	closed := []*registry.RDDSPolicy{{}}
	open := []*registry.RDDSPolicy{{Disclosed: []string{policy.FieldName, policy.FieldEmail}}}
	for _, test := range []struct {
		title    string
		policies []*registry.RDDSPolicy
		postal   []registry.PostalInfo
		disclose *registry.Disclose
		field    string
		want     bool
	}{
		{"nothing said", closed, both, nil, policy.FieldName, false},
		{"the policy discloses it", open, both, nil, policy.FieldName, true},
		{"consent to the form that is shown", closed, both, &registry.Disclose{Flag: true, Fields: []string{"name.int"}}, policy.FieldName, true},
		{"consent to the other form", closed, both, &registry.Disclose{Flag: true, Fields: []string{"name.loc"}}, policy.FieldName, false},
		{"consent to the only form", closed, both[:1], &registry.Disclose{Flag: true, Fields: []string{"name.loc"}}, policy.FieldName, true},
		{"consent to something else", closed, both, &registry.Disclose{Flag: true, Fields: []string{"email"}}, policy.FieldName, false},
		{"consent without a form", closed, both, &registry.Disclose{Flag: true, Fields: []string{"email"}}, policy.FieldEmail, true},
		{"objection to the other form", open, both, &registry.Disclose{Fields: []string{"name.loc"}}, policy.FieldName, false},
		{"objection to the form that is shown", open, both, &registry.Disclose{Fields: []string{"name.int"}}, policy.FieldName, false},
	} {
		c := &registry.Contact{Postal: test.postal, Disclose: test.disclose}
		if got := shows(test.policies, c, test.field); got != test.want {
			t.Errorf("%s: shown is %t, want %t", test.title, got, test.want)
		}
	}
}
