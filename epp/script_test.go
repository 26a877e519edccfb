package epp

import (
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"google.golang.org/protobuf/encoding/protojson"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
)

// update rewrites the expected answers of the scripts. Read the difference before keeping it.
var update = flag.Bool("update", false, "rewrite the expected answers in testdata")

// TestScripts runs testdata/<command>/*.txtar, each against a registry of its own. A script
// is a list of sections:
//
//	-- a -- (or b, c)   a command that registrar a sends in its logged-in session
//	-- a NAME --        the same; NAME says what it shows
//	-- a+ NAME --       the same in a session that asked for every extension
//	-- a~ NAME --       the same in a session that asked for unhandled namespaces only
//	-- raw a --         a whole frame on a connection of its own that is not logged in (raw a2: another)
//	-- want --          the answer, with what is random masked
//	-- operator --      what an operator does: a command in JSON, such as {"reason": "…", "domainServerUpdate": {…}}
//	-- advance --       a duration by which registry time moves
//
// A command is what stands within <command>, less clTRID; the prefixes domain, host and
// contact are declared, and those of extensions.
func TestScripts(t *testing.T) {
	frames := &frameCollector{}
	err := filepath.WalkDir("testdata", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".txtar" {
			return err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "testdata/"), ".txtar")
		t.Run(name, func(t *testing.T) { runScript(t, path, frames) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(frames.list) == 0 {
		t.Fatal("no script was run")
	}
	t.Run("schema", func(t *testing.T) { frames.validate(t) })
}

// script is one running script.
type script struct {
	t       *testing.T
	h       *harness
	clients map[string]*client
	frames  *frameCollector
	sent    int
	// applications are the identifiers of applications in the order in which answers showed
	// them; a script says {application-1} for the first.
	applications []string
}

func runScript(t *testing.T, path string, frames *frameCollector) {
	a := readArchive(t, path)
	s := &script{t: t, h: newHarness(t, Limits{}, io.Discard), clients: map[string]*client{}, frames: frames}
	got, name := "", ""
	for i, part := range a.sections {
		data := strings.TrimSpace(part.data)
		if part.name != "want" {
			name, got = part.name, s.step(part.name, data)
			continue
		}
		if *update {
			a.sections[i].data = got
		} else if diff := cmp.Diff(data, got); diff != "" {
			t.Errorf("%s, %q (-want +got):\n%s", path, name, diff)
		}
	}
	if *update {
		a.write(t, path)
	}
}

// step runs one section and returns the masked answer, "" if there is none.
func (s *script) step(section, data string) string {
	verb, rest, _ := strings.Cut(section, " ")
	switch verb {
	case "advance":
		by, err := time.ParseDuration(data)
		if err != nil {
			s.t.Fatalf("section %q: %v", section, err)
		}
		s.h.registry.advance(s.t, by)
		return ""
	case "operator":
		var command fsmpb.Command
		if err := protojson.Unmarshal([]byte(s.withApplications(data)), &command); err != nil {
			s.t.Fatalf("section %q: %v", section, err)
		}
		s.h.registry.operator(s.t, &command)
		return ""
	case "raw":
		who, _, _ := strings.Cut(rest, " ")
		return s.exchange(s.client("raw "+who, who), data)
	case "a", "b", "c", "a+", "b+", "a~", "b~":
		s.sent++
		return s.exchange(s.client(verb, verb), commandFrame(data, s.sent))
	default:
		s.t.Fatalf("section %q: no such step", section)
		return ""
	}
}

// client returns the connection of that key; keys other than raw ones are logged in.
func (s *script) client(key, who string) *client {
	if c, open := s.clients[key]; open {
		return c
	}
	id := map[string]string{"a": registrarA, "b": registrarB, "c": registrarC}[who[:1]]
	c := s.h.dial(s.t, id)
	if key == who {
		l := &eppxml.Login{ClID: id, Password: map[string]string{"a": passwordA, "b": passwordB, "c": passwordC}[who[:1]], Version: "1.0", Lang: "en", ObjURIs: objectURIs()}
		switch who[1:] {
		case "+":
			l.ExtURIs = extensionURIs()
		case "~":
			l.ExtURIs = []string{eppxml.NSUnhandledNamespaces}
		}
		c.want(codeOK, eppxml.AppendLogin(nil, l, "LOGIN-1"))
	}
	s.clients[key] = c
	return c
}

func (s *script) exchange(c *client, frame string) string {
	c.t = s.t
	c.send([]byte(s.withApplications(frame)))
	answer := c.read()
	for _, id := range regexp.MustCompile(applicationPattern).FindAllString(string(answer), -1) {
		if !slices.Contains(s.applications, id) {
			s.applications = append(s.applications, id)
		}
	}
	s.frames.add(s.t.Name(), answer)
	return mask(string(answer))
}

// applicationPattern matches the identifiers of applications.
const applicationPattern = `\bA[A-Z2-7]{16}-TEST\b`

func (s *script) withApplications(text string) string {
	for i, id := range s.applications {
		text = strings.ReplaceAll(text, fmt.Sprintf("{application-%d}", i+1), id)
	}
	return text
}

func commandFrame(body string, number int) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><epp xmlns="%s" xmlns:domain="%s" xmlns:host="%s" xmlns:contact="%s" xmlns:secDNS="%s" xmlns:rgp="%s" xmlns:fee="%s" xmlns:loginSec="%s" xmlns:ttl="%s" xmlns:addlEmail="%s" xmlns:org="%s" xmlns:orgext="%s" xmlns:keyrelay="%s" xmlns:idn="%s" xmlns:maint="%s" xmlns:allocationToken="%s" xmlns:launch="%s">`+
		`<command>%s<clTRID>C-%03d</clTRID></command></epp>`, eppxml.NSEPP, eppxml.NSDomain, eppxml.NSHost, eppxml.NSContact, eppxml.NSSecDNS, eppxml.NSRGP, eppxml.NSFee, eppxml.NSLoginSec, eppxml.NSTTL, eppxml.NSAddlEmail, eppxml.NSOrg, eppxml.NSOrgExt, eppxml.NSKeyRelay, eppxml.NSIDN, eppxml.NSMaintenance, eppxml.NSAllocationToken, eppxml.NSLaunch, body, number)
}

// mask takes out what differs from run to run and puts tags on lines of their own.
func mask(frame string) string {
	for _, m := range []struct{ pattern, text string }{
		{`<svTRID>1-\d+-\d+</svTRID>`, `<svTRID>[log]</svTRID>`},
		{`<svTRID>n1\.1\.\w+</svTRID>`, `<svTRID>[node]</svTRID>`},
		{`changePoll:svTRID>1-\d+-\d+<`, `changePoll:svTRID>[log]<`},
		{`roid>([A-Z2-7]{17}|[CDH][0-9A-Z]+_[0-9A-Z]+)-`, `roid>[random]-`},
		{applicationPattern, `[application]`},
		{`exDate="[^"]+"`, `exDate="[certificate]"`},
	} {
		frame = regexp.MustCompile(m.pattern).ReplaceAllString(frame, m.text)
	}
	return strings.ReplaceAll(frame, "><", ">\n<")
}

// frameCollector gathers the server's frames for one run of the schema validator.
type frameCollector struct {
	names []string
	list  [][]byte
}

func (f *frameCollector) add(name string, frame []byte) {
	f.names, f.list = append(f.names, name), append(f.list, frame)
}

// validate checks every frame against the XML schemas of the RFCs.
func (f *frameCollector) validate(t *testing.T) {
	xsd := os.Getenv("CADASTRE_XSD")
	if xsd == "" {
		xsd = filepath.Join("..", "..", "shared", "xsd")
	}
	schema := filepath.Join(xsd, "all.xsd")
	if _, err := os.Stat(schema); err != nil {
		t.Skipf("NOT VALIDATED: %d frames were not checked, because the schemas are not there: %v", len(f.list), err)
	}
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Skipf("NOT VALIDATED: %d frames were not checked, because xmllint is not installed: %v", len(f.list), err)
	}
	dir := t.TempDir()
	args := []string{"--noout", "--nonet", "--schema", schema}
	for i, frame := range f.list {
		path := filepath.Join(dir, fmt.Sprintf("%04d_%s.xml", i, strings.ReplaceAll(f.names[i], "/", "_")))
		if err := os.WriteFile(path, frame, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	if out, err := exec.Command("xmllint", args...).CombinedOutput(); err != nil {
		var bad []string
		for line := range strings.SplitSeq(string(out), "\n") {
			if !strings.HasSuffix(line, " validates") {
				bad = append(bad, line)
			}
		}
		t.Fatalf("%v\n%s", err, strings.Join(bad, "\n"))
	}
	t.Logf("%d frames are valid", len(f.list))
}
