package dnsedge

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cadastre/internal/nameserver"
	"cadastre/internal/pause"
)

//nolint:gochecknoglobals // a flag of the test binary
var (
	diffQueries = flag.Int("dns-diff", 20000, "queries of TestAgainstOtherServers")
	diffSeed    = flag.Uint64("dns-diff-seed", 2026, "seed of TestAgainstOtherServers")
)

// hashLabel is the label of an NSEC3 owner, in any case.
var hashLabel = regexp.MustCompile(`(?i)\b[0-9a-v]{32}\.`)

// otherServer is a name server of another project that serves the same zone.
type otherServer struct {
	*nameserver.Process
	name string
}

// otherConfigs are the configurations of the known servers by program; APEX and ZONE are replaced too.
//
//nolint:gochecknoglobals // a table
var otherConfigs = map[string]struct {
	args []string
	text string
}{
	"nsd": {[]string{"-d", "-c"}, `server:
  ip-address: 127.0.0.1@PORT
  identity: "IDENTITY"
  username: ""
  zonesdir: "DIR"
  pidfile: "DIR/nsd.pid"
  xfrdfile: "DIR/xfrd.state"
  zonelistfile: "DIR/zone.list"
  database: ""
  server-count: 1
  minimal-responses: yes
  refuse-any: no
  ipv4-edns-size: 1232
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "APEX"
  zonefile: "ZONE"
`},
	"knotd": {[]string{"-c"}, `server:
  rundir: "DIR"
  identity: "IDENTITY"
  listen: 127.0.0.1@PORT
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "DIR"
log:
  - target: stderr
    any: warning
template:
  - id: default
    semantic-checks: off
    journal-content: none
    zonefile-load: whole
zone:
  - domain: APEX
    file: "ZONE"
`},
}

// startOther runs one of the known servers with a zone file, until the test ends.
func startOther(t testing.TB, name, apex, zoneFile string) *otherServer {
	t.Helper()
	program := nameserver.Find(name)
	if program == "" {
		t.Logf("SKIPPED: %s is not installed", name)
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	defer cancel()
	p, err := nameserver.Start(ctx, nameserver.Config{Name: name, Dir: t.TempDir(), Command: append([]string{program}, otherConfigs[name].args...),
		Text: strings.NewReplacer("APEX", apex, "ZONE", zoneFile).Replace(otherConfigs[name].text)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	s := &otherServer{Process: p, name: name}
	query := pack(t, newQuery(apex, dns.TypeSOA))
	for {
		var r dns.Msg
		err := r.Unpack(s.answersOf(t, [][]byte{query})[0])
		if err == nil && r.Rcode == dns.RcodeSuccess && len(r.Answer) > 0 {
			return s
		}
		if pause.For(ctx, 10*time.Millisecond) != nil {
			t.Fatalf("%s does not serve the zone: %v %v\n%s", name, err, &r, p.Log())
		}
	}
}

// diffWindow is how many queries are on their way to another server at once.
const diffWindow = 32

// diffAttempts is how often a query is sent on a busy machine, a second apart.
const diffAttempts = 15

// answersOf sends queries to a server and returns its replies in their order.
func (s *otherServer) answersOf(t testing.TB, queries [][]byte) [][]byte {
	t.Helper()
	conn, err := net.Dial("udp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	replies := make([][]byte, len(queries))
	buf := make([]byte, 65536)
	for first := 0; first < len(queries); first += diffWindow {
		window := queries[first:min(first+diffWindow, len(queries))]
		missing := len(window)
		for attempt := 0; missing > 0; attempt++ {
			if err := s.Failure(); err != nil {
				t.Fatal(err)
			}
			if attempt == diffAttempts {
				t.Fatalf("%s does not answer %x\n%s", s.name, window, s.Log())
			}
			for i, q := range window {
				if replies[first+i] == nil {
					if _, err := conn.Write(q); err != nil {
						t.Fatalf("ask %s: %v, %v\n%s", s.name, err, s.Failure(), s.Log())
					}
				}
			}
			for missing > 0 {
				_ = conn.SetReadDeadline(time.Now().Add(time.Second))
				n, err := conn.Read(buf)
				if err != nil {
					break
				}
				for i, q := range window {
					if replies[first+i] == nil && n > 2 && buf[0] == q[0] && buf[1] == q[1] && buf[2]&0x80 != 0 {
						replies[first+i] = slices.Clone(buf[:n])
						missing--
					}
				}
			}
		}
	}
	return replies
}

// diffZone makes records of a random zone: delegations of every kind, some deep, glue, hosts.
func diffZone(t testing.TB, r *rand.Rand, apex string) []dns.RR {
	text := fmt.Sprintf("%[1]s 900 IN SOA a.nic.%[1]s h.nic.%[1]s 7 1800 900 604800 300\n%[1]s 3600 IN NS a.nic.%[1]s\n%[1]s 3600 IN NS b.x.y.%[1]s\n%[1]s 3600 IN NS ns.other.\n"+
		"a.nic.%[1]s 3600 IN A 192.0.2.1\na.nic.%[1]s 3600 IN AAAA 2001:db8::1\nb.x.y.%[1]s 3600 IN A 192.0.2.2\ntext.%[1]s 60 IN TXT hello\n", apex)
	for i := range 60 {
		name := fmt.Sprintf("d%d.%s", i, apex)
		if r.IntN(8) == 0 {
			name = fmt.Sprintf("d%d.e%d.f%d.%s", i, r.IntN(4), r.IntN(3), apex)
		}
		for j := range 1 + r.IntN(5) {
			switch r.IntN(4) {
			case 0:
				text += fmt.Sprintf("%s 7200 IN NS ns%d.hoster-%d.net.\n", name, j, i%7)
			case 1:
				text += fmt.Sprintf("%s 7200 IN NS ns.d%d.%s\n", name, r.IntN(60), apex)
			case 2:
				long := strings.Repeat("x", 1+r.IntN(50))
				text += fmt.Sprintf("%s 7200 IN NS %s%d.%s\n%s%d.%s 7200 IN AAAA 2001:db8::%d\n", name, long, j, name, long, j, name, j+1)
				for k := range r.IntN(4) {
					text += fmt.Sprintf("%s%d.%s 7200 IN A 192.0.2.%d\n", long, j, name, k+1)
				}
			case 3:
				text += fmt.Sprintf("%s 7200 IN NS ns%d.%s\nns%d.%s 7200 IN A 192.0.2.%d\n", name, j, name, j, name, j+1)
			}
		}
		if r.IntN(3) == 0 {
			for range 1 + r.IntN(2) {
				text += fmt.Sprintf("%s 3600 IN DS %d 13 2 %s\n", name, r.IntN(60000), strings.Repeat("ab", 32))
			}
		}
	}
	for i := range 60 {
		if r.IntN(3) == 0 {
			text += fmt.Sprintf("ns.d%d.%s 7200 IN A 192.0.2.%d\n", i, apex, i+1)
		}
	}
	// A server below an ordinary name is authoritative; drop duplicates, which are no zone.
	var rrs []dns.RR
	seen := map[string]bool{}
	for _, rr := range parseRRs(t, text) {
		if !seen[rr.String()] {
			seen[rr.String()] = true
			rrs = append(rrs, rr)
		}
	}
	return rrs
}

// diffQuery draws a query about the zone.
func diffQuery(r *rand.Rand, names []string, apex string) *dns.Msg {
	name := names[r.IntN(len(names))]
	switch r.IntN(8) {
	case 0:
		name = fmt.Sprintf("q%d.%s", r.IntN(1000), name)
	case 1:
		name = fmt.Sprintf("a.b%d.%s", r.IntN(1000), name)
	case 2:
		name = fmt.Sprintf("n%d.%s", r.IntN(100000), apex)
	case 3:
		if parent := parentName(name); dns.IsSubDomain(apex, parent) {
			name = parent
		}
	case 4:
		name = "*." + name
	}
	if r.IntN(200) == 0 {
		name = "www.elsewhere."
	}
	if len(name) > 250 {
		name = apex
	}
	mixed := []byte(name)
	for i, c := range mixed {
		if 'a' <= c && c <= 'z' && r.IntN(2) == 0 {
			mixed[i] = c - 32
		}
	}
	qtypes := []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeNS, dns.TypeDS, dns.TypeSOA, dns.TypeTXT, dns.TypeDNSKEY, dns.TypeNSEC3PARAM, dns.TypeMX, 65280, dns.TypeCNAME, dns.TypeNSEC3, dns.TypeNSEC}
	q := newQuery(string(mixed), qtypes[r.IntN(len(qtypes))])
	q.Id = uint16(r.Uint32())
	q.RecursionDesired = r.IntN(2) == 0
	if r.IntN(8) > 0 {
		q.SetEdns0([]uint16{512, 700, 1000, 1232, 4096}[r.IntN(5)], r.IntN(4) > 0)
	}
	return q
}

// TestAgainstOtherServers asks NSD and Knot what it asks the responder, over random zones. Each difference must be one
// of those explained in docs/dns-differences.md.
func TestAgainstOtherServers(t *testing.T) {
	r := rand.New(rand.NewPCG(*diffSeed, 1))
	ways := []signing{{optOut: true}, {}, {nsec: true}, {optOut: true}}
	const zones = 8
	found := map[string]int{}
	total := 0
	for i := range zones {
		apex := []string{"example.", "co.example."}[i%2]
		rrs := diffZone(t, r, apex)
		if i < zones-1 {
			rrs = signZone(t, apex, ways[i%len(ways)], rrs)
		}
		file := filepath.Join(t.TempDir(), "zone")
		var text strings.Builder
		for _, rr := range rrs {
			fmt.Fprintln(&text, rr)
		}
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		view := NewView(buildZone(t, strings.TrimSuffix(apex, "."), ownersOf(t, rrs)))
		var servers []*otherServer
		for _, name := range []string{"nsd", "knotd"} {
			if s := startOther(t, name, apex, file); s != nil {
				servers = append(servers, s)
			}
		}
		if len(servers) == 0 {
			t.Skip("SKIPPED: neither nsd nor knotd is installed (apt-get install nsd knot)")
		}
		var names []string
		for _, rr := range rrs {
			names = append(names, rr.Header().Name)
		}
		slices.Sort(names)
		names = slices.Compact(names)
		for left := *diffQueries / zones; left > 0; left -= 1024 {
			total += compareServers(t, r, view, servers, names, apex, min(left, 1024), found)
		}
	}
	t.Logf("%d queries", total)
	for what, n := range found {
		t.Logf("%6d %s", n, what)
	}
}

func compareServers(t *testing.T, r *rand.Rand, view *View, servers []*otherServer, names []string, apex string, n int, found map[string]int) int {
	var queries [][]byte
	used := map[uint16]int{}
	for i := range n {
		q := diffQuery(r, names, apex)
		for used[q.Id]/diffWindow == i/diffWindow && used[q.Id] > 0 {
			q.Id++
		}
		used[q.Id] = i + 1
		queries = append(queries, pack(t, q))
	}
	for _, s := range servers {
		for i, theirs := range s.answersOf(t, queries) {
			ours := ask(t, view, queries[i], UDP)
			var q, other dns.Msg
			if err := other.Unpack(theirs); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if err := q.Unpack(queries[i]); err != nil {
				t.Fatal(err)
			}
			what := difference(&q, ours, &other, ask(t, view, queries[i], TCP))
			if what == "" {
				continue
			}
			found[s.name+": "+what]++
			if !explained(s.name, what) && found[s.name+": "+what] <= 2 {
				t.Errorf("%s: %s\nours:\n%s\ntheirs:\n%s", s.name, what, ours, &other)
			}
		}
	}
	return n
}

// difference names what differs in two replies; whole is our reply where size is no bound.
func difference(q, ours, theirs, whole *dns.Msg) string {
	switch {
	case ours.Rcode != theirs.Rcode:
		return fmt.Sprintf("rcode %s, theirs %s", dns.RcodeToString[ours.Rcode], dns.RcodeToString[theirs.Rcode])
	case ours.Truncated && !theirs.Truncated && len(theirs.Ns) < len(whole.Ns):
		return "leaves out authority records without TC in " + kindOf(q, whole)
	case ours.Truncated && !theirs.Truncated && len(theirs.Extra) < len(whole.Extra):
		return "leaves out glue without TC"
	case ours.Truncated != theirs.Truncated:
		return fmt.Sprintf("TC %t, theirs %t, in %s", ours.Truncated, theirs.Truncated, kindOf(q, whole))
	case ours.Authoritative != theirs.Authoritative:
		return fmt.Sprintf("AA %t in %s", ours.Authoritative, kindOf(q, ours))
	case ours.Truncated:
		return ""
	case (ours.IsEdns0() == nil) != (theirs.IsEdns0() == nil):
		return "OPT"
	}
	for _, s := range []struct {
		name       string
		ours, them []dns.RR
	}{{"answer", ours.Answer, theirs.Answer}, {"authority", ours.Ns, theirs.Ns}, {"additional", ours.Extra, theirs.Extra}} {
		a, b := foldedLines(s.ours), foldedLines(s.them)
		if slices.Equal(a, b) {
			continue
		}
		if s.name == "additional" && subset(a, foldedLines(whole.Extra)) && subset(b, foldedLines(whole.Extra)) && len(a)+len(b) < 2*len(whole.Extra) {
			return "" // not all fits, and what goes first is a matter of taste
		}
		return fmt.Sprintf("%s of %s", s.name, kindOf(q, ours))
	}
	return ""
}

func foldedLines(rrs []dns.RR) []string {
	out := strings.Split(strings.ToLower(lines(rrs)), "\n")
	slices.Sort(out)
	return out
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(a string) bool { return a != "" && !slices.Contains(all, a) })
}

// kindOf names the kind of an answer.
func kindOf(q, m *dns.Msg) string {
	switch {
	case m.Rcode == dns.RcodeNameError && hashLabel.MatchString(q.Question[0].Name):
		return "NXDOMAIN at an NSEC3 owner"
	case m.Rcode != dns.RcodeSuccess:
		return dns.RcodeToString[m.Rcode]
	case len(m.Answer) > 0:
		return "answer " + dns.Type(q.Question[0].Qtype).String()
	case !m.Authoritative:
		return "referral"
	}
	return "NODATA"
}

// explained lists the differences of docs/dns-differences.md.
func explained(server, what string) bool {
	return slices.Contains(map[string][]string{
		"nsd": {
			"leaves out authority records without TC in NXDOMAIN",
			"leaves out authority records without TC in NODATA",
			"leaves out authority records without TC in referral",
			"leaves out glue without TC",
			"TC false, theirs true, in referral", // where even no sibling glue fits
			"authority of NXDOMAIN at an NSEC3 owner",
			"leaves out authority records without TC in NXDOMAIN at an NSEC3 owner",
			"authority of NODATA",
		},
		"knotd": {
			"TC false, theirs true, in referral",
		},
	}[server], what)
}
