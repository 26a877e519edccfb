package epp

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"cadastre/fsm/fsmpb"
)

// relation is how an object stands, and its name in court.
type relation struct{ object, name string }

func domainRelations() []relation {
	return []relation{
		{"a domain", "plain.example"}, {"one that is asked for", "asked.example"}, {"a deleted domain", "deleted.example"},
		{"one being restored", "restored.example"}, {"a free name", "free.example"},
	}
}

// commandRelations is a command on objects of a kind, of which each relation needs a row.
type commandRelations struct {
	body, op  string // the operation of a transfer
	right     right
	relations []relation
	xml       string // with the name as NAME
}

func allCommandRelations() []commandRelations {
	d := domainRelations()
	c := []relation{{"a contact", "c-free"}, {"a linked contact", "c-linked"}, {"one that is asked for", "c-asked"}, {"a missing contact", "c-none"}}
	h := []relation{{"a host", "ns3.parent.example"}, {"a linked host", "ns1.parent.example"}, {"an external host", "ns1.court.test"}, {"a missing host", "ns9.parent.example"}}
	o := []relation{{"an organisation", "o-free"}, {"a linked organisation", "o-linked"}, {"a missing organisation", "o-none"}}
	all := []commandRelations{
		{"DomainInfo", "", rightReads, d, "<info><domain:info><domain:name>NAME</domain:name>AUTH</domain:info></info>"},
		{"DomainUpdate", "", rightSponsors, d, `<update><domain:update><domain:name>NAME</domain:name><domain:add><domain:status s="clientHold"/></domain:add></domain:update></update>`},
		{"DomainDelete", "", rightSponsors, d, "<delete><domain:delete><domain:name>NAME</domain:name></domain:delete></delete>"},
		{"DomainRenew", "", rightSponsors, d, "<renew><domain:renew><domain:name>NAME</domain:name><domain:curExpDate>2027-01-15</domain:curExpDate></domain:renew></renew>"},
		{"ContactInfo", "", rightShown, c, "<info><contact:info><contact:id>NAME</contact:id>AUTH</contact:info></info>"},
		{"ContactUpdate", "", rightSponsors, c, "<update><contact:update><contact:id>NAME</contact:id><contact:chg><contact:email>b@mail.example</contact:email></contact:chg></contact:update></update>"},
		{"ContactDelete", "", rightSponsors, c, "<delete><contact:delete><contact:id>NAME</contact:id></contact:delete></delete>"},
		{"HostInfo", "", rightReads, h, "<info><host:info><host:name>NAME</host:name></host:info></info>"},
		{"HostUpdate", "", rightSponsors, h, `<update><host:update><host:name>NAME</host:name><host:add><host:status s="clientDeleteProhibited"/></host:add></host:update></update>`},
		{"HostDelete", "", rightSponsors, h, "<delete><host:delete><host:name>NAME</host:name></host:delete></delete>"},
		{"OrgInfo", "", rightReads, o, "<info><org:info><org:id>NAME</org:id></org:info></info>"},
		{"OrgUpdate", "", rightSponsors, o, "<update><org:update><org:id>NAME</org:id><org:chg><org:email>b@mail.example</org:email></org:chg></org:update></update>"},
		{"OrgDelete", "", rightSponsors, o, "<delete><org:delete><org:id>NAME</org:id></org:delete></delete>"},
	}
	for _, op := range []struct {
		name  string
		right right
	}{{"query", rightParty}, {"request", rightProves}, {"approve", rightSponsors}, {"reject", rightSponsors}, {"cancel", rightAsked}} {
		all = append(all,
			commandRelations{"DomainTransfer", op.name, op.right, d, `<transfer op="` + op.name + `"><domain:transfer><domain:name>NAME</domain:name>AUTH</domain:transfer></transfer>`},
			commandRelations{"ContactTransfer", op.name, op.right, c, `<transfer op="` + op.name + `"><contact:transfer><contact:id>NAME</contact:id>AUTH</contact:transfer></transfer>`})
	}
	return all
}

func (r *commandRelations) hasRow(rows []attempt, object string) bool {
	return slices.ContainsFunc(rows, func(a attempt) bool {
		return a.body == r.body && a.object == object && (r.op == "" || strings.Contains(a.xml, `op="`+r.op+`"`))
	})
}

// relationAttempts are the rows of the relations that have none among the given ones.
func relationAttempts(given []attempt) []attempt {
	const wrongDomain, wrongContact = "<domain:authInfo><domain:pw>wrong</domain:pw></domain:authInfo>", "<contact:authInfo><contact:pw>wrong</contact:pw></contact:authInfo>"
	const request, report = `<rgp:restore op="request"/>`, `<rgp:restore op="report"><rgp:report><rgp:preData>a</rgp:preData><rgp:postData>b</rgp:postData><rgp:delTime>2026-01-21T10:00:00Z</rgp:delTime>` +
		`<rgp:resTime>2026-01-21T10:00:00Z</rgp:resTime><rgp:resReason>a mistake</rgp:resReason><rgp:statement>one</rgp:statement></rgp:report></rgp:restore>`
	rows := []attempt{
		{"DomainInfo", "one that is asked for, with wrong authInfo", rightNobody, `<info><domain:info><domain:name>asked.example</domain:name>` + wrongDomain + `</domain:info></info>`},
		{"ContactInfo", "another's contact, with wrong authInfo", rightShown, `<info><contact:info><contact:id>c-free</contact:id>` + wrongContact + `</contact:info></info>`},
		{"DomainTransfer", "one that is asked for, with wrong authInfo", rightNobody, `<transfer op="request"><domain:transfer><domain:name>asked.example</domain:name>` + wrongDomain + `</domain:transfer></transfer>`},
		{"DomainTransfer", "a deleted domain, with wrong authInfo", rightNobody, `<transfer op="request"><domain:transfer><domain:name>deleted.example</domain:name>` + wrongDomain + `</domain:transfer></transfer>`},
		{"DomainUpdate", "one that is asked for, to restore it", rightSponsors, restoreXML("asked.example", request)},
		{"DomainUpdate", "one being restored, to restore it", rightSponsors, restoreXML("restored.example", request)},
		{"DomainUpdate", "a free name, to restore it", rightSponsors, restoreXML("free.example", request)},
		{"DomainUpdate", "a domain, with the report", rightSponsors, restoreXML("plain.example", report)},
		{"DomainUpdate", "a deleted domain, with the report", rightSponsors, restoreXML("deleted.example", report)},
		{"DomainUpdate", "a free name, with the report", rightSponsors, restoreXML("free.example", report)},
		{"HostCreate", "below one that is asked for", rightSponsors, "<create><host:create><host:name>ns9.asked.example</host:name><host:addr>192.0.2.9</host:addr></host:create></create>"},
		{"KeyrelayCreate", "one that is asked for, with authInfo", rightActs, relayXML("asked.example", courtPassword)},
		{"KeyrelayCreate", "one being restored, with authInfo", rightActs, relayXML("restored.example", courtPassword)},
		{"MaintenanceInfo", "an announcement", rightReads, "<info><maint:info><maint:id>MKNOWN-REG</maint:id></maint:info></info>"},
		{"DomainInfo", "a domain, for its allocation token", rightNobody, `<info><domain:info><domain:name>plain.example</domain:name></domain:info></info><extension><allocationToken:info/></extension>`},
	}
	for _, r := range allCommandRelations() {
		for _, relation := range r.relations {
			if !r.hasRow(given, relation.object) {
				rows = append(rows, attempt{r.body, relation.object, r.right, strings.ReplaceAll(r.xml, "NAME", relation.name)})
			}
		}
	}
	return append(rows, applicationAttempts()...)
}

// applicationAttempts are about applications in the launch of a TLD.
func applicationAttempts() []attempt {
	create := func(contact string) string {
		return `<create><domain:create><domain:name>wish.launch</domain:name><domain:registrant>` + contact + `</domain:registrant>` + domainAuthXML() + `</domain:create></create>` +
			`<extension><launch:create type="application"><launch:phase>landrush</launch:phase></launch:create></extension>`
	}
	extension := func(verb, id string) string {
		return `<extension><launch:` + verb + `><launch:phase>landrush</launch:phase><launch:applicationID>` + id + `</launch:applicationID></launch:` + verb + `></extension>`
	}
	rows := []attempt{
		{"DomainCreate", "an application, with the sponsor's contact", rightSponsors, create("c-linked")},
		{"DomainCreate", "an application, with another's contact", rightActs, create("c-others")},
	}
	for _, object := range []relation{{"an application", "{application-1}"}, {"a missing application", "A0-TEST"}} {
		rows = append(rows,
			attempt{"DomainInfo", object.object, rightShown, `<info><domain:info><domain:name>wish.launch</domain:name>AUTH</domain:info></info>` + extension("info", object.name)},
			attempt{"DomainUpdate", object.object, rightSponsors, `<update><domain:update><domain:name>wish.launch</domain:name><domain:chg>` + domainAuthXML() + `</domain:chg></domain:update></update>` + extension("update", object.name)},
			attempt{"DomainDelete", object.object, rightSponsors, `<delete><domain:delete><domain:name>wish.launch</domain:name></domain:delete></delete>` + extension("delete", object.name)})
	}
	return rows
}

// applicationSteps makes an announcement, and has the sponsor apply for a name in the launch of
// a TLD.
func (s *script) applicationSteps() {
	s.t.Helper()
	policy := testPolicy("launch")
	policy.LaunchPhases = []*fsmpb.LaunchPhase{{Phase: &fsmpb.LaunchPhaseName{Type: "landrush"}, Applications: true}}
	s.h.registry.operator(s.t, &fsmpb.Command{Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: "launch", Roid: "Tlaunch", Policy: policy}}})
	// Nobody is accredited yet, so that the announcement is in nobody's queue.
	s.step("operator", `{"reason": "a test", "maintenanceCreate": {"roid": "MKNOWN", "item": {"systems": [{"name": "EPP", "impact": "full"}], "environment": "production", "startMs": "1769911200000", "endMs": "1769918400000", "tlds": ["launch"]}}}`)
	for _, id := range []string{registrarA, registrarB, registrarC} {
		s.h.registry.operator(s.t, &fsmpb.Command{Body: &fsmpb.Command_RegistrarUpdate{RegistrarUpdate: &fsmpb.RegistrarUpdate{Id: id, AddTlds: []string{"launch"}}}})
	}
	s.sent++
	s.exchange(s.client("a+", "a+"), commandFrame(applicationAttempts()[0].xml, s.sent))
	if len(s.applications) != 1 {
		s.t.Fatalf("the answer to an application names %v", s.applications)
	}
}

// TestAuthorizationOfEveryRelation: each command on an object has a row for each relation.
func TestAuthorizationOfEveryRelation(t *testing.T) {
	rows := attempts()
	for _, r := range allCommandRelations() {
		for _, relation := range r.relations {
			if !r.hasRow(rows, relation.object) {
				t.Errorf("%s %s has no row about %s", r.body, r.op, relation.object)
			}
		}
	}
	seen := map[string]bool{}
	for _, a := range rows {
		key, _ := json.Marshal([]string{commandWords(a), a.object})
		if seen[string(key)] {
			t.Errorf("%s has two rows", key)
		}
		seen[string(key)] = true
	}
}
