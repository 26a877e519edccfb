package epp

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
	"cadastre/store"
)

// authorizationDocument holds the table that this test writes and compares.
const authorizationDocument = "../docs/authorisation.md"

// A sender is a column of the table.
type sender struct {
	title string
	who   string // of the script's registrars; empty: it does not log in
	proof bool   // it presents the right authorisation information
	// before is what an operator does to the sender before the commands.
	before *fsmpb.RegistrarUpdate
}

func senders() []sender {
	suspended := uint32(registry.RegistrarSuspended)
	return []sender{
		{title: "not logged in"},
		{title: "sponsor", who: "a+"},
		{title: "sponsor, suspended", who: "a+", before: &fsmpb.RegistrarUpdate{Id: registrarA, State: &suspended}},
		{title: "sponsor, not accredited", who: "a+", before: &fsmpb.RegistrarUpdate{Id: registrarA, RemoveTlds: []string{"example", "launch"}}},
		{title: "other", who: "b+"},
		{title: "other, authInfo", who: "b+", proof: true},
		{title: "gaining", who: "c+"},
	}
}

// maySucceed says whether a sender may get what the command asks for.
func (s *sender) maySucceed(r right) bool {
	reads := s.who != ""
	acts := reads && (s.before == nil || s.before.State == nil)
	switch r {
	case rightReads:
		return reads
	case rightShown:
		return reads && (s.who == "a+" || s.proof)
	case rightParty:
		return reads && (s.who == "a+" || s.who == "c+" || s.proof)
	case rightActs:
		return acts
	case rightQueue:
		return s.who == "a+"
	case rightSponsors:
		return acts && s.who == "a+"
	case rightProves:
		return acts && s.proof
	case rightAsked:
		return acts && s.who == "c+"
	default:
		return false
	}
}

// A right says for whom a command may succeed.
type right int

const (
	rightReads    right = iota + 1 // everybody who is logged in
	rightShown                     // who sponsors the object or knows its authorisation information
	rightParty                     // these, and who asked for the transfer
	rightActs                      // every active registrar, for itself
	rightSponsors                  // the active registrar that sponsors the object
	rightQueue                     // the sponsor, also when suspended
	rightProves                    // an active registrar with the authorisation information
	rightAsked                     // the active registrar that asked for the transfer
	rightNobody                    // it is wrong whoever sends it
)

func (r right) String() string {
	return map[right]string{
		rightReads: "every registrar", rightShown: "the sponsor, and who has the authorisation information", rightParty: "the parties, and who has the authorisation information",
		rightActs: "every active registrar, for itself", rightSponsors: "the sponsor", rightProves: "a registrar with the authorisation information",
		rightAsked: "the registrar that asked for the transfer", rightNobody: "nobody", rightQueue: "the sponsor, also when suspended",
	}[r]
}

// attempt is a row of the table.
type attempt struct {
	body   string // the type in eppxml that the server dispatches on
	object string
	right  right
	// xml is the command; AUTH stands for an <authInfo> element where a sender has one.
	xml string
}

const courtPassword = "Qw7!xVb2#Lk9$Zp4-Tn6"

// court is a registry, behind a real server, in which every relation between a registrar and
// an object occurs.
func court(t *testing.T, before *fsmpb.RegistrarUpdate) *script {
	t.Helper()
	s := &script{t: t, h: newHarness(t, Limits{}, io.Discard), clients: map[string]*client{}, frames: &frameCollector{}}
	deposit := int64(100000)
	s.h.registry.operator(t, &fsmpb.Command{Body: &fsmpb.Command_RegistrarUpdate{RegistrarUpdate: &fsmpb.RegistrarUpdate{Id: registrarC, DepositMinor: &deposit}}})
	must := func(who, body string) {
		if code := s.code(who, body); code != codeOK && code != codeOKPending {
			t.Fatalf("%s: %d for %s", who, code, body)
		}
	}
	for _, id := range []string{"c-free", "c-linked", "c-asked"} {
		must("a+", contactXML(id))
	}
	must("b+", contactXML("c-others"))
	must("a+", orgXML("o-free"))
	domain := func(name, contact string) string {
		return "<create><domain:create><domain:name>" + name + "</domain:name><domain:registrant>" + contact + "</domain:registrant>" + domainAuthXML() + "</domain:create></create>"
	}
	must("a+", domain("deleted.example", "c-linked"))
	must("a+", domain("restored.example", "c-linked"))
	s.step("advance", "144h")
	for _, name := range []string{"plain.example", "parent.example", "asked.example", "user.example"} {
		must("a+", domain(name, "c-linked"))
	}
	must("b+", domain("others.example", "c-others"))
	for _, host := range []string{"ns1.parent.example", "ns2.parent.example", "ns3.parent.example"} {
		must("a+", `<create><host:create><host:name>`+host+`</host:name><host:addr>192.0.2.1</host:addr></host:create></create>`)
	}
	must("a+", `<update><domain:update><domain:name>user.example</domain:name><domain:add><domain:ns><domain:hostObj>ns1.parent.example</domain:hostObj><domain:hostObj>ns2.parent.example</domain:hostObj></domain:ns></domain:add></domain:update></update>`)
	must("a+", `<delete><domain:delete><domain:name>deleted.example</domain:name></domain:delete></delete>`)
	must("a+", `<delete><domain:delete><domain:name>restored.example</domain:name></domain:delete></delete>`)
	must("a+", restoreXML("restored.example", `<rgp:restore op="request"/>`))
	must("c+", `<transfer op="request"><domain:transfer><domain:name>asked.example</domain:name>`+domainAuthXML()+`</domain:transfer></transfer>`)
	must("c+", `<transfer op="request"><contact:transfer><contact:id>c-asked</contact:id>`+contactAuthXML()+`</contact:transfer></transfer>`)
	must("a+", `<create><host:create><host:name>ns1.court.test</host:name></host:create></create>`)
	must("a+", orgXML("o-linked"))
	must("a+", `<update><contact:update><contact:id>c-linked</contact:id></contact:update></update><extension><orgext:update><orgext:add><orgext:id role="reseller">o-linked</orgext:id></orgext:add></orgext:update></extension>`)
	s.applicationSteps()
	if before != nil {
		s.h.registry.operator(t, &fsmpb.Command{Body: &fsmpb.Command_RegistrarUpdate{RegistrarUpdate: before}})
	}
	return s
}

func domainAuthXML() string {
	return "<domain:authInfo><domain:pw>" + courtPassword + "</domain:pw></domain:authInfo>"
}
func contactAuthXML() string {
	return "<contact:authInfo><contact:pw>" + courtPassword + "</contact:pw></contact:authInfo>"
}

func contactXML(id string) string {
	return `<create><contact:create><contact:id>` + id + `</contact:id><contact:postalInfo type="int"><contact:name>Ada Example</contact:name>` +
		`<contact:addr><contact:city>Berlin</contact:city><contact:cc>DE</contact:cc></contact:addr></contact:postalInfo><contact:email>ada@mail.example</contact:email>` + contactAuthXML() + `</contact:create></create>`
}

func restoreXML(name, restore string) string {
	return `<update><domain:update><domain:name>` + name + `</domain:name><domain:chg/></domain:update></update><extension><rgp:update>` + restore + `</rgp:update></extension>`
}

// code sends the command and returns the result code. The key "" is a client that is
// connected and not logged in.
func (s *script) code(who, body string) int {
	s.t.Helper()
	s.sent++
	c := s.clients[who]
	switch {
	case c != nil:
	case who == "":
		c = s.h.dial(s.t, registrarA)
		s.clients[who] = c
	default:
		c = s.client(who, who)
	}
	c.t = s.t
	return c.exchange([]byte(s.withApplications(commandFrame(body, s.sent)))).Code()
}

func (s *script) stateHash() (hash string) {
	s.t.Helper()
	if err := s.h.registry.store.View(func(tx *store.ReadTx) error { hash = fmt.Sprintf("%x", tx.StateHash()); return nil }); err != nil {
		s.t.Fatal(err)
	}
	return hash
}

// TestAuthorization has every sender try every command that the server dispatches.
// Whoever has no right is refused; what is refused, and what only asks, changes nothing.
func TestAuthorization(t *testing.T) {
	attempts := attempts()
	requireEveryBody(t, attempts)
	cells := make([][]string, len(attempts))
	for _, sender := range senders() {
		s := court(t, sender.before)
		for i := range attempts {
			a := &attempts[i]
			before := s.stateHash()
			code := s.code(sender.who, a.frame(&sender))
			changed := s.stateHash() != before
			cells[i] = append(cells[i], fmt.Sprint(code))
			switch {
			case sender.who == "" && code != codeUseError:
				t.Errorf("%s of %s without a login ends with %d", a.body, a.object, code)
			case code < codeUnknownCommand && !sender.maySucceed(a.right):
				t.Errorf("%s of %s by %s succeeds; it is for %s", a.body, a.object, sender.title, a.right)
			case strings.Contains(a.object, "wrong authInfo") && sender.who != "": // it is counted
			case changed && (code >= codeUnknownCommand || !a.changes()):
				t.Errorf("%s of %s by %s ends with %d and changes the state", a.body, a.object, sender.title, code)
			}
			if changed {
				s.h.stop()
				s = court(t, sender.before)
			}
		}
		s.h.stop()
	}
	compareSection(t, "epp", authorizationTable(attempts, cells))
}

// frame is the command as the sender would send it.
func (a *attempt) frame(s *sender) string {
	auth := ""
	switch {
	case !s.proof:
	case strings.HasPrefix(a.body, "Contact"):
		auth = contactAuthXML()
	default:
		auth = domainAuthXML()
	}
	return strings.ReplaceAll(a.xml, "AUTH", auth)
}

// changes says whether the command is one that may change the registry.
func (a *attempt) changes() bool {
	return a.right != rightReads && a.right != rightShown && a.right != rightParty
}

// requireEveryBody fails for a command that the server dispatches and that has no row.
func requireEveryBody(t *testing.T, attempts []attempt) {
	t.Helper()
	known := dispatched(t)
	for _, body := range known {
		if !slices.ContainsFunc(attempts, func(a attempt) bool { return a.body == body }) {
			t.Errorf("nothing is said of who may send %s: add its rows to attempts", body)
		}
	}
	for _, a := range attempts {
		if !slices.Contains(known, a.body) {
			t.Errorf("the row %q of %q is about no command", a.body, a.object)
		}
	}
}

// dispatched lists the types of commands that the methods of call dispatch on, from the
// sources.
func dispatched(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "dispatch.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, decl := range file.Decls {
		function, isFunction := decl.(*ast.FuncDecl)
		if !isFunction || function.Recv == nil {
			continue
		}
		ast.Inspect(function, func(n ast.Node) bool {
			clause, isClause := n.(*ast.CaseClause)
			if !isClause {
				return true
			}
			for _, expr := range clause.List {
				if pointer, isPointer := expr.(*ast.StarExpr); isPointer {
					if selector, isSelector := pointer.X.(*ast.SelectorExpr); isSelector {
						bodies = append(bodies, selector.Sel.Name)
					}
				}
			}
			return true
		})
	}
	if len(bodies) < 19 {
		t.Fatalf("dispatch.go dispatches only %v", bodies)
	}
	return bodies
}

func authorizationTable(attempts []attempt, cells [][]string) string {
	var out strings.Builder
	head, line := "| command | of | is for |", "|---|---|---|"
	for _, s := range senders() {
		head, line = head+" "+s.title+" |", line+"---|"
	}
	fmt.Fprintf(&out, "%s\n%s\n", head, line)
	for i, a := range attempts {
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", commandWords(a), a.object, a.right, strings.Join(cells[i], " | "))
	}
	return out.String()
}

// commandWords names the command, with the operation of a transfer or poll.
func commandWords(a attempt) string {
	_, op, found := strings.Cut(a.xml, `op="`)
	if op, _, _ = strings.Cut(op, `"`); found {
		return fmt.Sprintf("`%s` %s", a.body, op)
	}
	return "`" + a.body + "`"
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
	if *update {
		if err := os.WriteFile(authorizationDocument, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(have, want); diff != "" {
		t.Errorf("%s is not what the server does; read the difference, then run this test with -update (-document +now):\n%s", authorizationDocument, diff)
	}
}
