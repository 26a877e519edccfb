package fsm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// relation is how an object stands, and its name in court.
type relation struct{ object, name string }

// domainRelations are those of every verb on a domain that is there.
func domainRelations() []relation {
	return []relation{
		{"a domain", "plain.example"}, {"one that is asked for", "asked.example"}, {"a deleted domain", "deleted.example"},
		{"one being restored", "restored.example"}, {"a free name", "free.example"},
	}
}

func contactRelations() []relation {
	return []relation{{"a contact", "c-free"}, {"a linked contact", "c-linked"}, {"one that is asked for", "c-asked"}, {"a missing contact", "c-none"}}
}

func hostRelations() []relation {
	return []relation{{"a host", "ns3.parent.example"}, {"a linked host", "ns1.parent.example"}, {"an external host", "ns1.elsewhere.test"}, {"a missing host", "ns9.parent.example"}}
}

func orgRelations() []relation {
	return []relation{{"an organisation", "o-free"}, {"a linked organisation", "o-linked"}, {"a missing organisation", "o-none"}}
}

// verbRelations is a verb on objects of a kind, of which each relation needs a row.
type verbRelations struct {
	verb      string
	right     right
	relations []relation
	body      string // with the name as NAME
}

func allVerbRelations() []verbRelations {
	const report = `"pre_data": "a", "post_data": "b", "deleted_at_ms": 949363200000, "restored_at_ms": 949363200000, "reason": "a mistake", "statements": ["true"]`
	const keys = `"keys": [{"key": {"flags": 257, "protocol": 3, "algorithm": 13, "data": "AAAA"}}]`
	d, c := domainRelations(), contactRelations()
	return []verbRelations{
		{"domain_update", rightSponsor, d, `{"name": "NAME", "add_statuses": ["clientHold"]}`},
		{"domain_delete", rightSponsor, d, `{"name": "NAME"}`},
		{"domain_renew", rightSponsor, d, `{"name": "NAME", "current_expiry_date": "2001-01-01"}`},
		{"domain_restore_request", rightSponsor, d, `{"name": "NAME"}`},
		{"domain_restore_report", rightSponsor, d, `{"name": "NAME", ` + report + `}`},
		{"domain_transfer_request", rightMemberProver, d, `{"name": "NAME" PROOF}`},
		{"domain_transfer_approve", rightSponsor, d, `{"name": "NAME"}`},
		{"domain_transfer_reject", rightSponsor, d, `{"name": "NAME"}`},
		{"domain_transfer_cancel", rightRequester, d, `{"name": "NAME"}`},
		{"domain_server_update", rightOperator, d, `{"name": "NAME", "add_statuses": ["serverHold"]}`},
		{"keyrelay_create", rightMemberProver, d, `{"name": "NAME", ` + keys + ` PROOF}`},
		{"contact_update", rightSponsor, c, `{"id": "NAME", "email": "b@example.net"}`},
		{"contact_delete", rightSponsor, c, `{"id": "NAME"}`},
		{"contact_transfer_request", rightProver, c, `{"id": "NAME" PROOF}`},
		{"contact_transfer_approve", rightSponsor, c, `{"id": "NAME"}`},
		{"contact_transfer_reject", rightSponsor, c, `{"id": "NAME"}`},
		{"contact_transfer_cancel", rightRequester, c, `{"id": "NAME"}`},
		{"contact_server_update", rightOperator, c, `{"id": "NAME", "add_statuses": ["serverDeleteProhibited"]}`},
		{"host_update", rightSponsor, hostRelations(), `{"name": "NAME", "add_statuses": ["clientDeleteProhibited"]}`},
		{"host_delete", rightSponsor, hostRelations(), `{"name": "NAME"}`},
		{"host_server_update", rightOperator, hostRelations(), `{"name": "NAME", "add_statuses": ["serverDeleteProhibited"]}`},
		{"org_update", rightSponsor, orgRelations(), `{"id": "NAME", "email": "b@example.net"}`},
		{"org_delete", rightSponsor, orgRelations(), `{"id": "NAME"}`},
		{"org_server_update", rightOperator, orgRelations(), `{"id": "NAME", "add_statuses": ["serverDeleteProhibited"]}`},
	}
}

// relationAttempts are the rows of the relations that have none among the given ones.
func relationAttempts(given []attempt) []attempt {
	var rows []attempt
	for _, v := range allVerbRelations() {
		for _, relation := range v.relations {
			if !slices.ContainsFunc(given, func(a attempt) bool { return a.verb == v.verb && a.object == relation.object }) {
				rows = append(rows, attempt{v.verb, relation.object, v.right, strings.ReplaceAll(v.body, "NAME", relation.name)})
			}
		}
	}
	return rows
}

// TestAuthorizationOfEveryRelation: each verb on an object has a row for each relation.
func TestAuthorizationOfEveryRelation(t *testing.T) {
	rows := authorizationAttempts()
	for _, v := range allVerbRelations() {
		for _, relation := range v.relations {
			if !slices.ContainsFunc(rows, func(a attempt) bool { return a.verb == v.verb && a.object == relation.object && a.right == v.right }) {
				t.Errorf("%s has no row about %s that is for %s", v.verb, relation.object, v.right)
			}
		}
	}
	seen := map[string]bool{}
	for _, a := range rows {
		key := fmt.Sprint(a.verb, " ", a.object)
		if seen[key] {
			t.Errorf("%s has two rows", key)
		}
		seen[key] = true
	}
}
