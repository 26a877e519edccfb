package fsm_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// authorizationDocument holds the tables that this test writes and compares.
const authorizationDocument = "../docs/authorisation.md"

// A sender is a column of the table: who sends the command.
type sender struct {
	title string
	kind  fsmpb.ActorKind
	id    string
	proof bool // it presents the right authorisation information
	// before is what an operator did to the sender first: a verb and its JSON.
	before string
}

func senders() []sender {
	const registrar = fsmpb.ActorKind_ACTOR_KIND_REGISTRAR
	update := func(id, fields string) string { return fmt.Sprintf(`registrar_update {"id": %q, %s}`, id, fields) }
	return []sender{
		{title: "sponsor", kind: registrar, id: "sponsor"},
		{title: "sponsor, suspended", kind: registrar, id: "sponsor", before: update("sponsor", `"state": 2`)},
		{title: "sponsor, disabled", kind: registrar, id: "sponsor", before: update("sponsor", `"disable": true`)},
		{title: "sponsor, not accredited", kind: registrar, id: "sponsor", before: update("sponsor", `"remove_tlds": ["example", "launch"]`)},
		{title: "other", kind: registrar, id: "other"},
		{title: "other, authInfo", kind: registrar, id: "other", proof: true},
		{title: "same, suspended", kind: registrar, id: "other", proof: true, before: update("other", `"state": 2`)},
		{title: "same, not accredited", kind: registrar, id: "other", proof: true, before: update("other", `"remove_tlds": ["example", "launch"]`)},
		{title: "gaining", kind: registrar, id: "gaining"},
		{title: "unknown", kind: registrar, id: "nobody"},
		{title: "operator", kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, id: "operator"},
		{title: "system", kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, id: "system"},
		{title: "nobody", kind: fsmpb.ActorKind_ACTOR_KIND_UNSPECIFIED, id: "sponsor"},
	}
}

// A right says which senders a command may succeed for; all others must be refused.
type right int

const (
	rightOperator     right = iota + 1
	rightSystem             // a part of the cluster itself
	rightAnyone             // every active registrar, for itself
	rightOpen               // every registrar, also a suspended one
	rightReader             // the sponsor, also a suspended one
	rightMember             // every active registrar that is accredited for the TLD
	rightSponsor            // the active registrar that sponsors the object
	rightProver             // an active registrar that knows the object's authorisation information
	rightMemberProver       // the same, accredited for the TLD
	rightRequester          // the active registrar that asked for the transfer
	rightAutomatic          // operators, and the cluster itself by a policy
)

func (r right) String() string {
	return map[right]string{
		rightOperator: "operators", rightSystem: "the cluster itself", rightAnyone: "every active registrar, for itself",
		rightOpen: "every registrar, also a suspended one", rightReader: "the sponsor, also when suspended",
		rightMember: "active registrars accredited for the TLD", rightSponsor: "the sponsor",
		rightProver: "a registrar with the authorisation information", rightMemberProver: "an accredited registrar with the authorisation information",
		rightRequester: "the registrar that asked for the transfer", rightAutomatic: "operators, and the cluster itself",
	}[r]
}

// admits says whether the command may succeed for the sender.
func (r right) admits(s *sender) bool {
	active := s.kind == fsmpb.ActorKind_ACTOR_KIND_REGISTRAR && s.id != "nobody" && !strings.Contains(s.title, "suspended") && !strings.Contains(s.title, "disabled")
	switch r {
	case rightOperator:
		return s.kind == fsmpb.ActorKind_ACTOR_KIND_OPERATOR
	case rightSystem:
		return s.kind == fsmpb.ActorKind_ACTOR_KIND_SYSTEM
	case rightAutomatic:
		return s.kind == fsmpb.ActorKind_ACTOR_KIND_OPERATOR || s.kind == fsmpb.ActorKind_ACTOR_KIND_SYSTEM
	case rightAnyone:
		return active
	case rightOpen:
		return active || strings.Contains(s.title, "suspended")
	case rightReader:
		return s.id == "sponsor" && (active || strings.Contains(s.title, "suspended"))
	case rightMember:
		return active && !strings.Contains(s.title, "not accredited")
	case rightSponsor:
		return active && s.id == "sponsor"
	case rightProver:
		return active && s.proof
	case rightMemberProver:
		return active && s.proof && !strings.Contains(s.title, "not accredited")
	case rightRequester:
		return active && s.id == "gaining"
	default:
		return false
	}
}

// court is a registry in which every relation between a registrar and an object occurs.
func court(t *testing.T, before string) *world {
	t.Helper()
	w := newWorld(t)
	contact := func(id string) string {
		return fmt.Sprintf(`contact_create {"id": %q, "postal": [{"type": "int", "name": "N", "city": "C", "country_code": "CH"}], "email": "a@example.net", "auth_info": %s}`, id, proofJSON())
	}
	domain := func(name, more string) string {
		return fmt.Sprintf(`domain_create {"name": %q, "registrant": "c-linked", "auth_info": %s%s}`, name, proofJSON(), more)
	}
	steps := []string{
		`system cluster_init {"cluster_id": "test-cluster", "clock_mode": 2, "clock_start_ms": 946684800000, "first_node": {"id": "n1"}, "feature_level": 2}`,
		`operator join_token_create {"token_sha256": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "role": 1, "lifetime_seconds": 60}`,
		`operator join_token_create {"token_sha256": "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=", "role": 1, "lifetime_seconds": 60}`,
		`system node_join {"token_sha256": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "node": {"id": "n2", "raft_address": "n2:1", "grpc_address": "n2:2", "max_feature_level": 2}}`,
		"operator tld_put @tld.json",
		`operator registrar_create {"id": "sponsor", "roid": "RS", "currency": "EUR", "tlds": ["example"], "opening_deposit_minor": 100000}`,
		`operator registrar_create {"id": "other", "roid": "RO", "currency": "EUR", "tlds": ["example"], "opening_deposit_minor": 100000}`,
		`operator registrar_create {"id": "gaining", "roid": "RG", "currency": "EUR", "tlds": ["example"], "opening_deposit_minor": 100000}`,
		"sponsor " + contact("c-free"), "sponsor " + contact("c-linked"), "sponsor " + contact("c-asked"),
		"sponsor " + domain("deleted.example", ""), "sponsor " + domain("restored.example", ""),
		`operator clock_set {"time_ms": 949363200000}`, "tick",
		"sponsor " + domain("plain.example", `, "roid": "DPLAIN"`), "sponsor " + domain("parent.example", ""), "sponsor " + domain("asked.example", ""),
		`sponsor host_create {"name": "ns1.parent.example", "addresses": ["wAACAQ=="]}`,
		`sponsor host_create {"name": "ns2.parent.example", "addresses": ["wAACAg=="]}`,
		`sponsor host_create {"name": "ns3.parent.example", "addresses": ["wAACAw=="]}`,
		`sponsor host_create {"name": "ns1.elsewhere.test"}`,
		`sponsor org_create {"id": "o-free", "roles": [{"type": "reseller"}]}`, `sponsor org_create {"id": "o-linked", "roles": [{"type": "reseller"}]}`,
		`sponsor contact_update {"id": "c-linked", "add_orgs": [{"role": "reseller", "id": "o-linked"}]}`,
		"sponsor " + domain("user.example", `, "name_servers": ["ns1.parent.example", "ns2.parent.example"]`),
		"other " + domain2(), "other " + `domain_create {"name": "others.example", "registrant": "c-others"}`,
		`sponsor domain_delete {"name": "deleted.example"}`, `sponsor domain_delete {"name": "restored.example"}`,
		`sponsor domain_restore_request {"name": "restored.example"}`,
		`gaining domain_transfer_request {"name": "asked.example", "auth_proof": ` + proofJSON() + `}`,
		`gaining contact_transfer_request {"id": "c-asked", "auth_proof": ` + proofJSON() + `}`,
	}
	steps = append(steps,
		`operator premium_load {"tld": "example", "names": [{"label": "gold", "class": "b", "create_price_minor": 7000, "renew_price_minor": 3000, "restore_price_minor": 4000}]}`,
		"operator tld_put "+launchTLD(t), `operator registrar_update {"id": "sponsor", "add_tlds": ["launch"]}`, `operator registrar_update {"id": "other", "add_tlds": ["launch"]}`,
		`sponsor launch_application_create {"application_roid": "APLAIN", "domain": {"name": "plain.launch", "roid": "DAPLAIN", "registrant": "c-linked", "launch_phase": {"type": "landrush"}}}`,
		`operator allocation_token_create {"token_sha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI=", "tld": "example"}`,
		`operator disclosure_grant {"id": "GKNOWN", "requester": "court", "certificate_sha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ=", "purpose": "case 7", "expires_at_ms": 951782400000}`,
		`operator reserved_load {"tld": "example", "labels": ["town"]}`, `operator! maintenance_create {"roid": "MKNOWN", `+maintenanceItem+`}`)
	steps = append(steps, keySteps()...)
	if before != "" {
		steps = append(steps, "operator "+before)
	}
	for _, step := range append(steps, "tick") {
		if answer := w.run(step); !slices.Contains([]string{"ok", "accepted,", "at", "ticked"}, strings.Fields(answer)[0]) {
			t.Fatalf("%s: %s", step, answer)
		}
	}
	return w
}

func domain2() string {
	return `contact_create {"id": "c-others", "postal": [{"type": "int", "name": "N", "city": "C", "country_code": "CH"}], "email": "a@example.net"}`
}

func (w *world) stateHash() (hash string) {
	w.t.Helper()
	w.view(func(tx *store.ReadTx) { hash = fmt.Sprintf("%x", tx.StateHash()) })
	return hash
}

// attempt is a row of the table: a command about an object in some relation to the senders.
type attempt struct {
	verb, object string
	right        right
	// body is the command in JSON; PROOF stands for authorisation information.
	body string
}

// send has the sender do the attempt and returns the result code as EPP has it.
func (w *world) send(s *sender, a *attempt) registry.Code {
	w.t.Helper()
	proof := ""
	if s.proof {
		proof = `, "auth_proof": ` + proofJSON()
	}
	c := w.command(s.id, a.verb, strings.ReplaceAll(a.body, "PROOF", proof))
	c.Actor.Kind, c.RequestId, c.Reason = s.kind, nil, "a reason"
	return registry.Code(w.apply(c).GetCode())
}

// TestAuthorization has every sender try every command that the log knows. Who has no right
// is refused, and of what was refused nothing stays behind: the state is the same to the bit.
func TestAuthorization(t *testing.T) {
	attempts := authorizationAttempts()
	requireEveryVerb(t, attempts)
	cells := make([][]string, len(attempts))
	for _, s := range senders() {
		w := court(t, s.before)
		for i := range attempts {
			a := &attempts[i]
			before := w.stateHash()
			code := w.send(&s, a)
			after := w.stateHash()
			cells[i] = append(cells[i], eppCode(t, code))
			switch {
			case code.IsSuccess() && !a.right.admits(&s):
				t.Errorf("%s of %s by %s succeeds; it is for %s", a.verb, a.object, s.title, a.right)
			case !code.IsSuccess() && before != after:
				t.Errorf("%s of %s by %s is refused with %v and leaves something behind", a.verb, a.object, s.title, code)
			case (a.right == rightOperator || a.right == rightSystem || a.right == rightAutomatic) && !a.right.admits(&s) && code != registry.CodeAuthorization:
				t.Errorf("%s by %s, which is for %s, is refused with %v only", a.verb, s.title, a.right, code)
			}
			if code.IsSuccess() {
				w = court(t, s.before)
			}
		}
	}
	everyRightIsUsed(t, attempts, cells)
	compareSection(t, "log", authorizationTable(attempts, cells))
}

// everyRightIsUsed requires each verb to succeed for somebody: a table of nothing but
// refusals would prove nothing.
func everyRightIsUsed(t *testing.T, attempts []attempt, cells [][]string) {
	t.Helper()
	succeeded := map[string]bool{
		"cluster_init": true, // in court, once in the life of a cluster
		"host_return":  true, // in testdata/sacrificial.txt, years after a purge
	}
	for i := range attempts {
		for _, cell := range cells[i] {
			succeeded[attempts[i].verb] = succeeded[attempts[i].verb] || cell < "2000"
		}
	}
	for i := range attempts {
		if !succeeded[attempts[i].verb] {
			t.Errorf("no sender succeeds with %s: %v", attempts[i].verb, cells[i])
		}
	}
}

// requireEveryVerb fails for a command of the log that has no row.
func requireEveryVerb(t *testing.T, attempts []attempt) {
	t.Helper()
	body := (&fsmpb.Command{}).ProtoReflect().Descriptor().Oneofs().ByName("body").Fields()
	known := map[string]bool{}
	for i := range body.Len() {
		verb := string(body.Get(i).Name())
		known[verb] = true
		if !slices.ContainsFunc(attempts, func(a attempt) bool { return a.verb == verb }) {
			t.Errorf("nothing is said of who may send %s: add its rows to authorizationAttempts", verb)
		}
	}
	for _, a := range attempts {
		if !known[a.verb] || a.right == 0 {
			t.Errorf("the row %q of %q is about no command, or nobody has the right", a.verb, a.object)
		}
	}
}

// eppCode is the result code by which registrars know a refusal.
func eppCode(t *testing.T, code registry.Code) string {
	t.Helper()
	numbers := map[registry.Code]string{
		registry.CodeOK: "1000", registry.CodeOKPending: "1001", registry.CodeAuthorization: "2201", registry.CodeInvalidAuthInfo: "2202",
		registry.CodeObjectDoesNotExist: "2303", registry.CodeObjectExists: "2302", registry.CodeStatusProhibits: "2304", registry.CodeAssociationForbids: "2305",
		registry.CodeNotPendingTransfer: "2301", registry.CodePendingTransfer: "2300", registry.CodeNotTransferable: "2106", registry.CodeConflict: "2400",
		registry.CodeParameterPolicy: "2306", registry.CodeParameterSyntax: "2005", registry.CodeUnimplementedOption: "2102", registry.CodeParameterRange: "2004",
		registry.CodeParameterMissing: "2003", registry.CodeDataPolicy: "2308", registry.CodeAuthentication: "2200", registry.CodeUnimplementedObject: "2307",
	}
	number, found := numbers[code]
	if !found {
		t.Errorf("the code %v has no number here", code)
	}
	return number
}

func authorizationTable(attempts []attempt, cells [][]string) string {
	var out strings.Builder
	head, line := "| command | of | is for |", "|---|---|---|"
	for _, s := range senders() {
		head, line = head+" "+s.title+" |", line+"---|"
	}
	fmt.Fprintf(&out, "%s\n%s\n", head, line)
	for i, a := range attempts {
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", a.verb, a.object, a.right, strings.Join(cells[i], " | "))
	}
	return out.String()
}

// compareSection compares a generated section of the document, or writes it.
func compareSection(t *testing.T, name, want string) {
	t.Helper()
	data, err := os.ReadFile(authorizationDocument)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	head, rest, opened := strings.Cut(string(data), begin)
	have, tail, closed := strings.Cut(rest, end)
	if !opened || !closed {
		t.Fatalf("%s has no section %s", authorizationDocument, name)
	}
	if rewrite() {
		if err := os.WriteFile(authorizationDocument, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(have, want); diff != "" {
		t.Errorf("%s is not what the registry does; read the difference, then run this test with -rewrite (-document +now):\n%s", authorizationDocument, diff)
	}
}
