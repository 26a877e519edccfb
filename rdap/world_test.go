package rdap_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cadastre/rdap"
	"cadastre/registry"
	"cadastre/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// made is when everything in the store was made; dataTime is that of the store.
var (
	made     = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	dataTime = made.Add(time.Hour)
)

// registrarFingerprint and grantFingerprint stand for certificates.
var (
	registrarFingerprint = []byte(strings.Repeat("r", 32))
	otherFingerprint     = []byte(strings.Repeat("o", 32))
	grantFingerprint     = []byte(strings.Repeat("g", 32))
)

// newStore returns a state with objects of every kind, in many states, of a thick and a thin TLD.
func newStore(t testing.TB) *store.Store {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	err = st.Update(func(tx *store.Tx) error {
		tx.BeginEntry(1, 1)
		tx.SetNow(dataTime)
		tx.SetLeaderNow(dataTime)
		fill(tx)
		tx.EndEntry()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func fill(tx *store.Tx) {
	prov := func(roid string) registry.Provenance {
		return registry.Provenance{ROID: registry.ROID(roid), Sponsor: "reg-a", Creator: "reg-a", CreatedAt: made, UpdatedAt: made.Add(time.Minute), TransferredAt: made.Add(time.Second)}
	}
	tx.PutTLD(&registry.TLD{Name: "example", ROID: "T1-EX", Policy: registry.TLDPolicy{RDDS: registry.RDDSPolicy{Availability: true}, IDNTables: []string{"de"}}})
	tx.PutTLD(&registry.TLD{Name: "thin", ROID: "T2-EX", Policy: registry.TLDPolicy{DataModel: registry.DataModelThin}})
	tx.PutRegistrar(&registry.Registrar{
		ID: "reg-a", ROID: "R1-REG", Name: "Registrar A \"Best\"", Email: "a@example.net", URL: "https://a.example.net", IANAID: 292, State: registry.RegistrarActive,
		CertificateSHA256: [][]byte{registrarFingerprint}, CreatedAt: made, UpdatedAt: made,
		Public: registry.RegistrarPublic{Street: []string{"Main Street 1", "2nd floor"}, City: "Bern", StateProvince: "BE", PostalCode: "3000", CountryCode: "CH", Phone: "+41.310000000",
			Fax: "+41.310000001", AbuseEmail: "abuse@example.net", AbusePhone: "+41.310000002", RDAPBaseURL: "https://rdap.a.example.net/", WHOISServer: "whois.a.example.net"},
	})
	tx.PutRegistrar(&registry.Registrar{ID: "reg-b", ROID: "R2-REG", Name: "Registrar B", Email: "b@example.net", State: registry.RegistrarActive, CertificateSHA256: [][]byte{otherFingerprint}})
	tx.PutContact(nil, &registry.Contact{Provenance: prov("C1-EX"), ID: "c-one", Email: "secret@example.net", Voice: registry.Phone{Number: "+41.440000000", Extension: "12"}, Fax: registry.Phone{Number: "+41.440000001"},
		Postal: []registry.PostalInfo{{Type: "loc", Name: "Geheime Persönlichkeit"}, {Type: "int", Name: "Secret Person", Organization: "Hidden Ltd", Street: []string{"Side Street 9"}, City: "Thun", StateProvince: "BE", PostalCode: "3600", CountryCode: "CH"}}})
	tx.PutContact(nil, &registry.Contact{Provenance: prov("C2-EX"), ID: "c-open", Email: "open@example.net", Disclose: &registry.Disclose{Flag: true, Fields: []string{"name.int", "org.int", "email"}},
		Postal: []registry.PostalInfo{{Type: "int", Name: "Open Person", Organization: "Open Ltd", City: "Thun", CountryCode: "CH"}}})
	roids := 0
	domain := func(name registry.DomainName, change func(*registry.Domain)) {
		roids++
		d := &registry.Domain{Provenance: prov("D" + string(rune('A'+roids)) + "-EX"), Name: name, TLD: name.Parent(), ExpiresAt: made.AddDate(1, 0, 0), NameServers: []registry.DomainName{"ns1.one.example", "ns.elsewhere.test"}}
		if change != nil {
			change(d)
		}
		tx.PutDomain(nil, d)
	}
	contacts := func(d *registry.Domain) {
		d.Registrant = "c-one"
		d.Contacts = []registry.DomainContact{{Role: registry.RoleTech, ID: "c-one"}, {Role: registry.RoleAdmin, ID: "c-open"}, {Role: registry.RoleBilling, ID: "c-open"}}
	}
	domain("one.example", contacts)
	domain("open.example", func(d *registry.Domain) { d.Registrant = "c-open" })
	domain("signed.example", func(d *registry.Domain) {
		contacts(d)
		d.DS = []registry.DelegationSigner{{KeyTag: 60485, Algorithm: 13, DigestType: 2, Digest: []byte(strings.Repeat("\xab", 32))}}
		d.Graces = []registry.Grace{{Kind: registry.GraceAdd, EndsAt: dataTime.AddDate(0, 0, 5)}}
	})
	domain("held.example", func(d *registry.Domain) {
		d.Statuses = registry.Statuses{registry.StatusClientHold, registry.StatusServerTransferProhibited}
	})
	domain("leaving.example", func(d *registry.Domain) {
		d.Statuses, d.Phase, d.PhaseEndsAt = registry.Statuses{registry.StatusPendingDelete}, registry.PhaseRedemption, dataTime.AddDate(0, 0, 30)
	})
	domain("moving.example", func(d *registry.Domain) { d.Statuses = registry.Statuses{registry.StatusPendingTransfer} })
	domain("xn--bcher-kva.example", func(d *registry.Domain) { d.NameServers, d.IDN = nil, registry.IDN{Table: "de", Key: "bücher"} })
	domain("one.thin", contacts)
	tx.PutHost(nil, &registry.Host{Provenance: prov("H1-EX"), Name: "ns1.one.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, Superordinate: "one.example"})
	tx.PutHost(nil, &registry.Host{Provenance: prov("H2-EX"), Name: "ns.elsewhere.test", Statuses: registry.Statuses{registry.StatusClientUpdateProhibited}})
	tx.PutDisclosureGrant(&registry.DisclosureGrant{ID: "G1", Requester: "police", CertificateSHA256: grantFingerprint, Purpose: "case 1", TLDs: []registry.DomainName{"example"}, CreatedAt: made, ExpiresAt: dataTime.AddDate(0, 0, 1)})
}

// record keeps what was put on record, or fails.
type record struct {
	entries []registry.Disclosure
	broken  bool
}

func (r *record) Record(_ context.Context, d *registry.Disclosure) error {
	if r.broken {
		return errors.New("no leader")
	}
	r.entries = append(r.entries, *d)
	return nil
}

// world is a server without a network.
type world struct {
	*rdap.Server
	record *record
	now    time.Time
}

func newWorld(t testing.TB, change func(*rdap.Config)) *world {
	t.Helper()
	w := &world{record: &record{}, now: dataTime}
	cfg := rdap.Config{
		Address: "127.0.0.1:0", Viewer: newStore(t), Recorder: w.record, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now },
		Identify: func(state tls.ConnectionState) (string, []byte) {
			return state.PeerCertificates[0].Subject.CommonName, state.PeerCertificates[0].Raw
		},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := rdap.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Server = s
	return w
}

// ask asks as somebody with the fingerprint, nil for the public.
func (w *world) ask(path, registrar string, fingerprint []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "https://rdap.example"+path, nil)
	if fingerprint != nil {
		cert := &x509.Certificate{Raw: fingerprint}
		cert.Subject.CommonName = registrar
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
	}
	out := httptest.NewRecorder()
	w.ServeHTTP(out, r)
	return out
}

// get returns the answer to the public, decoded.
func (w *world) get(t testing.TB, path string, wantStatus int) map[string]any {
	t.Helper()
	return decode(t, w.ask(path, "", nil), wantStatus)
}

func decode(t testing.TB, out *httptest.ResponseRecorder, wantStatus int) map[string]any {
	t.Helper()
	if out.Code != wantStatus {
		t.Fatalf("the status is %d, want %d: %s", out.Code, wantStatus, out.Body)
	}
	if got := out.Header().Get("Content-Type"); got != "application/rdap+json" {
		t.Errorf("the content type is %q", got)
	}
	if got := out.Header().Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("access-control-allow-origin is %q", got)
	}
	var document map[string]any
	if err := json.Unmarshal(out.Body.Bytes(), &document); err != nil {
		t.Fatalf("%v in %s", err, out.Body)
	}
	return document
}

// at walks into a document: a string names a member, a number an element; nil if there is none.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				return nil
			}
			v = m[p]
		case int:
			l, ok := v.([]any)
			if !ok || p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// with returns the first element whose member has the value, alone or in a list.
func with(l any, member, value string) any {
	for _, e := range list(l) {
		if at(e, member) == value {
			return e
		}
		for _, v := range list(at(e, member)) {
			if v == value {
				return e
			}
		}
	}
	return nil
}

// property returns the first property of the name in an entity's jCard.
func property(entity any, name string) []any {
	for _, p := range list(at(entity, "vcardArray", 1)) {
		if at(p, 0) == name {
			return list(p)
		}
	}
	return nil
}

func tel(entity any, kind string) string {
	for _, p := range list(at(entity, "vcardArray", 1)) {
		if at(p, 0) == "tel" && at(p, 1, "type") == kind {
			s, _ := at(p, 3).(string)
			return strings.TrimPrefix(s, "tel:")
		}
	}
	return ""
}
