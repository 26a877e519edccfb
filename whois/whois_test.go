package whois_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"cadastre/registry"
	"cadastre/store"
	"cadastre/whois"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newStore returns a state with one object of every kind.
func newStore(t *testing.T) *store.Store {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	made := registry.Provenance{ROID: "D1-EX", Sponsor: "reg-a", Creator: "reg-a", CreatedAt: at}
	err = st.Update(func(tx *store.Tx) error {
		tx.BeginEntry(1, 1)
		tx.SetNow(at.Add(time.Hour))
		tx.PutTLD(&registry.TLD{Name: "example", ROID: "T1-EX"})
		tx.PutRegistrar(&registry.Registrar{ID: "reg-a", ROID: "R1-REG", Name: "Registrar A", Email: "a@example.net", URL: "https://a.example.net", IANAID: 9999})
		tx.PutDomain(nil, &registry.Domain{
			Provenance: made, Name: "one.example", TLD: "example", ExpiresAt: at.AddDate(1, 0, 0),
			NameServers: []registry.DomainName{"ns1.one.example"}, Statuses: registry.Statuses{registry.StatusClientHold},
		})
		made.ROID = "D2-EX"
		tx.PutDomain(nil, &registry.Domain{
			Provenance: made, Name: "signed.example", TLD: "example", ExpiresAt: at.AddDate(1, 0, 0), NameServers: []registry.DomainName{"ns1.one.example"},
			DS:     []registry.DelegationSigner{{KeyTag: 60485, Algorithm: 13, DigestType: 2, Digest: []byte{0xab, 0x01}}},
			Graces: []registry.Grace{{Kind: registry.GraceAdd, EndsAt: at.AddDate(0, 0, 5)}, {Kind: registry.GraceTransfer, EndsAt: at}},
		})
		made.ROID = "D3-EX"
		tx.PutDomain(nil, &registry.Domain{
			Provenance: made, Name: "leaving.example", TLD: "example", ExpiresAt: at.AddDate(1, 0, 0), NameServers: []registry.DomainName{"ns1.one.example"},
			Statuses: registry.Statuses{registry.StatusPendingDelete}, Phase: registry.PhasePendingDelete, PhaseEndsAt: at.AddDate(0, 0, 5),
		})
		made.ROID = "D4-EX"
		tx.PutDomain(nil, &registry.Domain{
			Provenance: made, Name: "xn--bcher-kva.example", TLD: "example", ExpiresAt: at.AddDate(1, 0, 0), IDN: registry.IDN{Table: "de", Key: "bücher"},
		})
		made.ROID = "H1-EX"
		tx.PutHost(nil, &registry.Host{Provenance: made, Name: "ns1.one.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, Superordinate: "one.example"})
		made.ROID = "C1-EX"
		tx.PutContact(nil, &registry.Contact{Provenance: made, ID: "c-one", Email: "secret@example.net",
			Postal: []registry.PostalInfo{{Type: "int", Name: "Secret Person", City: "Bern", StateProvince: "BE", CountryCode: "CH"}}})
		tx.EndEntry()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// domainFooter ends the answers about domains.
const domainFooter = "URL of the ICANN RDDS Inaccuracy Complaint Form: https://icann.org/wicf\nFor more information on domain status codes, please visit https://icann.org/epp\n" + footer

// dataTime is that of the store.
var dataTime = time.Date(2026, 1, 2, 4, 4, 5, 0, time.UTC)

const footer = ">>> Last update of WHOIS database: 2026-01-02T04:04:05Z <<<\n"

func TestAnswer(t *testing.T) {
	st := newStore(t)
	domain := "Domain Name: one.example\nRegistry Domain ID: D1-EX\nRegistrar URL: https://a.example.net\nCreation Date: 2026-01-02T03:04:05Z\nRegistry Expiry Date: 2027-01-02T03:04:05Z\n" +
		"Registrar: Registrar A\nRegistrar IANA ID: 9999\n" +
		"Domain Status: clientHold https://icann.org/epp#clientHold\nName Server: ns1.one.example\nDNSSEC: unsigned\n" + domainFooter
	international := "Domain Name: xn--bcher-kva.example\nInternationalized Domain Name: bücher.example\nRegistry Domain ID: D4-EX\nRegistrar URL: https://a.example.net\nCreation Date: 2026-01-02T03:04:05Z\nRegistry Expiry Date: 2027-01-02T03:04:05Z\n" +
		"Registrar: Registrar A\nRegistrar IANA ID: 9999\nDomain Status: inactive https://icann.org/epp#inactive\nDNSSEC: unsigned\n" + domainFooter
	registrarA := "Registrar: Registrar A\nRegistrar ID: reg-a\nRegistrar IANA ID: 9999\nEmail: a@example.net\nRegistrar URL: https://a.example.net\n" + footer
	tests := []struct{ query, want string }{
		{"das one.example", "one.example: not offered\n"},
		{"das one..example", "one..example: invalid\n"},
		{"xn--bcher-kva.example", international},
		{"domain B\u00fccher.Example", international},
		{"Bu\u0308cher.example", international},
		{"one.example\r", domain},
		{"domain ONE.Example.", domain},
		{"  \x1b\x07one.example ", domain},
		{"signed.example", "Domain Name: signed.example\nRegistry Domain ID: D2-EX\nRegistrar URL: https://a.example.net\nCreation Date: 2026-01-02T03:04:05Z\nRegistry Expiry Date: 2027-01-02T03:04:05Z\n" +
			"Registrar: Registrar A\nRegistrar IANA ID: 9999\n" +
			"Domain Status: addPeriod https://icann.org/epp#addPeriod\nDomain Status: ok https://icann.org/epp#ok\n" +
			"Name Server: ns1.one.example\nDNSSEC: signedDelegation\nDNSSEC DS Data: 60485 13 2 AB01\n" + domainFooter},
		{"leaving.example", "Domain Name: leaving.example\nRegistry Domain ID: D3-EX\nRegistrar URL: https://a.example.net\nCreation Date: 2026-01-02T03:04:05Z\nRegistry Expiry Date: 2027-01-02T03:04:05Z\n" +
			"Registrar: Registrar A\nRegistrar IANA ID: 9999\n" +
			"Domain Status: pendingDelete https://icann.org/epp#pendingDelete\nName Server: ns1.one.example\nDNSSEC: unsigned\n" + domainFooter},
		{"nameserver ns1.one.example", "Server Name: ns1.one.example\nRegistry Server ID: H1-EX\nIP Address: 192.0.2.1\nRegistrar: Registrar A\nRegistrar IANA ID: 9999\nRegistrar URL: https://a.example.net\nServer Status: linked\nServer Status: ok\nCreation Date: 2026-01-02T03:04:05Z\n" + footer},
		{"registrar reg-a", registrarA},
		{"registrar 9999", registrarA},
		{"registrar Registrar A", registrarA},
		{"contact C-ONE", "Contact ID: c-one\nRegistry Contact ID: C1-EX\nName: REDACTED FOR PRIVACY\nOrganization: REDACTED FOR PRIVACY\nStreet: REDACTED FOR PRIVACY\nCity: REDACTED FOR PRIVACY\nState/Province: BE\nPostal Code: REDACTED FOR PRIVACY\nCountry: CH\n" +
			"Phone: REDACTED FOR PRIVACY\nFax: REDACTED FOR PRIVACY\nEmail: https://a.example.net\nContact Status: ok\nCreation Date: 2026-01-02T03:04:05Z\nRegistrar: Registrar A\nRegistrar IANA ID: 9999\nRegistrar URL: https://a.example.net\n" + footer},
		{"absent.example", "No match for \"absent.example\".\n" + footer},
		{"registrar nobody", "No match for \"registrar nobody\".\n" + footer},
		{strings.Repeat("a", 64) + ".example", "Invalid query \"" + strings.Repeat("a", 64) + ".example\": a label is longer than 63 octets (RFC 1035 section 2.3.4) (name \"" + strings.Repeat("a", 64) + ".example\").\n" + footer},
		{"one..example", "Invalid query \"one..example\": a label is empty (RFC 1035 section 2.3.1) (name \"one..example\").\n" + footer},
		{"-T dn one.example", "Query not understood: \"-T dn one.example\". Send a domain name, or \"help\".\n" + footer},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			var got []byte
			if err := st.View(func(tx *store.ReadTx) error { got = whois.Answer(tx, test.query, dataTime); return nil }); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.ReplaceAll(test.want, "\n", "\r\n"), string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, query := range []string{"", "help"} {
		if err := st.View(func(tx *store.ReadTx) error {
			if got := string(whois.Answer(tx, query, dataTime)); !strings.Contains(got, "This server answers for .example") {
				t.Errorf("help answers %q", got)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func start(t *testing.T) *whois.Server {
	t.Helper()
	s := whois.New(whois.Config{Address: "127.0.0.1:0", Viewer: newStore(t), Logger: slog.New(slog.DiscardHandler)})
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func ask(t *testing.T, s *whois.Server, query string) string {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, query); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestServerAnswersAndSurvivesAbuse(t *testing.T) {
	s := start(t)
	if got := ask(t, s, strings.Repeat("x", 1000)); !strings.Contains(got, "longer than 512 octets") {
		t.Errorf("a long query is answered %q", got)
	}
	if got := ask(t, s, "\x00\xff\xfe\x16\x03\x01garbage!\n"); !strings.Contains(got, "Invalid query") {
		t.Errorf("garbage is answered %q", got)
	}
	silent, err := net.Dial("tcp", s.Addr().String()) // stays half open throughout
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	if got := ask(t, s, "one.example\r\n"); !strings.HasPrefix(got, "Domain Name: one.example\r\n") {
		t.Errorf("after the abuse, one.example is answered %q", got)
	}
	if got := s.Stats(); got.Queries != 2 || got.Refused != 1 {
		t.Errorf("the counters are %+v", got)
	}
}

func TestDebianWhoisClient(t *testing.T) {
	path, err := exec.LookPath("whois")
	if err != nil {
		t.Skip("SKIPPED: the whois client is not installed (apt-get install whois)")
	}
	s := start(t)
	host, port, err := net.SplitHostPort(s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, "-h", host, "-p", port, "one.example").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Registry Domain ID: D1-EX") {
		t.Errorf("whois says %v:\n%s", err, out)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{"one.example", "registrar reg-a", "help", "\x00", "contact \xff", strings.Repeat("a.", 300)} {
		f.Add(seed)
	}
	st, err := store.Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = st.Close() })
	f.Fuzz(func(t *testing.T, query string) {
		if err := st.View(func(tx *store.ReadTx) error {
			answer := string(whois.Answer(tx, query, dataTime))
			if !strings.HasSuffix(answer, "<<<\r\n") {
				t.Errorf("%q is answered %q", query, answer)
			}
			for _, c := range strings.ReplaceAll(answer, "\r\n", "") {
				if c < ' ' || c == 0x7f {
					t.Errorf("the answer to %q holds a control character: %q", query, answer)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// TestThinDomainsShowTheirRegistrarOnly: where registrations are thin, nothing of contacts is
// shown, not even of those that are still linked from before.
func TestThinDomainsShowTheirRegistrarOnly(t *testing.T) {
	st := newStore(t)
	err := st.Update(func(tx *store.Tx) error {
		tx.BeginEntry(2, 1)
		tx.PutTLD(&registry.TLD{Name: "example", ROID: "T1-EX", Policy: registry.TLDPolicy{DataModel: registry.DataModelThin}})
		old, _ := tx.Domain("one.example")
		next := *old
		next.Registrant, next.Contacts = "c-one", []registry.DomainContact{{Role: registry.RoleTech, ID: "c-one"}}
		tx.PutDomain(old, &next)
		tx.Keep()
		tx.EndEntry()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var answer string
	if err := st.View(func(tx *store.ReadTx) error { answer = string(whois.Answer(tx, "one.example", dataTime)); return nil }); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(answer, "Registrar: Registrar A") || strings.Contains(answer, "c-one") || strings.Contains(answer, "Registrant") || strings.Contains(answer, "Tech") {
		t.Errorf("the answer is\n%s", answer)
	}
}
