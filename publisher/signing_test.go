package publisher_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cadastre/dnssec"
	"cadastre/fsm"
	"cadastre/fsm/fsmpb"
	"cadastre/publisher"
	"cadastre/registry"
	"cadastre/store"
	"cadastre/zone"
)

// fixed has one set of keys for the zones that are to be signed.
type fixed struct{ set *dnssec.KeySet }

func (f *fixed) Keys(_ *store.ReadTx, tld *registry.TLD) (*dnssec.KeySet, error) {
	if tld.Policy.Signing.Denial == registry.DenialNone {
		return nil, nil
	}
	return f.set, nil
}

// newKeys makes a key for the entry point and one for the zone.
func newKeys(t *testing.T, algorithm uint8) *dnssec.KeySet {
	t.Helper()
	ksk, err := dnssec.Generate("example", dnssec.FlagsEntryPoint, algorithm, 3600)
	if err != nil {
		t.Fatal(err)
	}
	zsk, err := dnssec.Generate("example", dnssec.FlagsZoneKey, algorithm, 3600)
	if err != nil {
		t.Fatal(err)
	}
	return &dnssec.KeySet{Published: []*dns.DNSKEY{ksk.Record, zsk.Record}, Apex: []dnssec.Key{ksk}, Zone: []dnssec.Key{zsk}}
}

// signingNode is a node whose TLD is signed in the given way.
type signingNode struct {
	*node
	policy *registry.TLDPolicy
	keys   *fixed
	pub    *publisher.Publisher
	count  int
}

func newSigningNode(t *testing.T, signing registry.SigningPolicy) *signingNode {
	t.Helper()
	n := &signingNode{node: newNode(t), keys: &fixed{set: newKeys(t, dns.ECDSAP256SHA256)}}
	n.pub = publisher.New(n.node, n.node, n.keys, slog.New(slog.NewTextHandler(t.Output(), nil)))
	n.policy = &registry.TLDPolicy{
		ROIDSuffix: "EX", Currency: "EUR", MinPeriodYears: 1, MaxPeriodYears: 10, MaxNameServers: 13, AutoRenew: true, AllowPrivateAddresses: true, AddGraceDays: 5,
		ApexServers: []registry.ApexServer{
			{Name: "a.nic.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}},
			{Name: "b.deep.nic.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.2")}},
		},
		SOAMName: "a.nic.example", SOARName: "h.nic.example", SOARefreshSeconds: 1800, SOARetrySeconds: 900, SOAExpireSeconds: 604800, SOAMinimumSeconds: 900,
		ApexTTLSeconds: 3600, DelegationTTLSeconds: 3600,
	}
	n.sign(t, signing)
	return n
}

func (n *signingNode) sign(t *testing.T, signing registry.SigningPolicy) {
	t.Helper()
	n.policy.Signing = signing
	n.mustPropose(t, &fsmpb.Command{Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_OPERATOR, Id: "op"},
		Body: &fsmpb.Command_TldPut{TldPut: &fsmpb.TLDPut{Name: "example", Roid: "T1", Policy: fsm.PolicyToProto(n.policy)}}})
}

// settle publishes until nothing is left to do.
func (n *signingNode) settle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := n.pub.Settle(ctx); err != nil {
		t.Fatal(err)
	}
}

// zoneRecords returns all that is published, denial records included.
func (n *signingNode) zoneRecords(t *testing.T) []dns.RR {
	t.Helper()
	var rrs []dns.RR
	err := n.View(func(tx *store.ReadTx) error {
		add := func(packed []byte) {
			list, err := zone.Unpack(packed)
			if err != nil {
				t.Error(err)
			}
			rrs = append(rrs, list...)
		}
		tx.EachPublished("example", func(o store.OwnerRecords) bool { add(o.RRs); return true })
		tx.EachChainRow("example", nil, func(key, row []byte) bool {
			if key[0] == byte(registry.DenialNSEC3) {
				add(row)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rrs
}

// validate has the zone checked by those validators of other projects that are installed.
func (n *signingNode) validate(t *testing.T) {
	t.Helper()
	n.validateRecords(t, n.zoneRecords(t))
}

// validateRecords is validate for records that are not those of the whole zone.
func (n *signingNode) validateRecords(t *testing.T, rrs []dns.RR) {
	t.Helper()
	var text strings.Builder
	slices.SortStableFunc(rrs, func(a, b dns.RR) int { return rank(a) - rank(b) })
	for _, rr := range rrs {
		fmt.Fprintln(&text, rr)
	}
	file := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := []string{"dnssec-verify", "-q"}
	if !slices.ContainsFunc(rrs, func(rr dns.RR) bool { k, ok := rr.(*dns.DNSKEY); return ok && k.Flags == dnssec.FlagsZoneKey }) {
		verify = append(verify, "-z") // the keys are CSKs
	}
	commands := [][]string{append(verify, "-o", "example.", file), {"ldns-verify-zone", "-V1", file}}
	if !n.at.IsZero() { // which only one of them can be told
		commands = [][]string{{"ldns-verify-zone", "-V1", "-t", n.at.UTC().Format("20060102150405"), file}}
	}
	for _, command := range commands {
		if _, err := exec.LookPath(command[0]); err != nil {
			t.Logf("SKIPPED: %s is not installed (apt-get install bind9-utils ldnsutils)", command[0])
			continue
		}
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s\n%s", command, err, out, text.String())
		}
	}
}

func rank(rr dns.RR) int {
	if rr.Header().Rrtype == dns.TypeSOA {
		return 0
	}
	return 1
}

func digest(random *rand.Rand) []byte {
	out := make([]byte, 32)
	for i := range out {
		out[i] = byte(random.Uint32())
	}
	return out
}

// change makes a random change of the registry.
func (n *signingNode) change(t *testing.T, random *rand.Rand) {
	t.Helper()
	n.count++
	label := fmt.Sprintf("d%d", random.IntN(40))
	name := label + ".example"
	var domain *registry.Domain
	if err := n.View(func(tx *store.ReadTx) error { domain, _ = tx.Domain(registry.DomainName(name)); return nil }); err != nil {
		t.Fatal(err)
	}
	switch {
	case domain == nil:
		n.addDelegation(t, fmt.Sprintf("%s-%d", label, n.count)) // a host of its own
		create := &fsmpb.DomainCreate{Name: name, Roid: fmt.Sprintf("X%d", n.count), NameServers: []string{fmt.Sprintf("ns.%s-%d.net", label, n.count)}}
		if random.IntN(2) == 0 {
			create.Ds = []*fsmpb.DelegationSigner{{KeyTag: 1, Algorithm: 13, DigestType: 2, Digest: digest(random)}}
		}
		n.asRegistrar(t, &fsmpb.Command{Body: &fsmpb.Command_DomainCreate{DomainCreate: create}})
	case random.IntN(3) == 0:
		n.asRegistrar(t, &fsmpb.Command{Body: &fsmpb.Command_DomainDelete{DomainDelete: &fsmpb.DomainDelete{Name: name}}})
	default:
		update := &fsmpb.DomainUpdate{Name: name}
		if random.IntN(2) == 0 {
			update.RemoveAllDs = true
		}
		update.AddDs = []*fsmpb.DelegationSigner{{KeyTag: uint32(random.IntN(60000)), Algorithm: 13, DigestType: 2, Digest: digest(random)}}
		if random.IntN(4) == 0 {
			update.AddDs = nil
			update.RemoveAllDs = true
		}
		n.asRegistrar(t, &fsmpb.Command{Body: &fsmpb.Command_DomainUpdate{DomainUpdate: update}})
	}
}

// TestSignedZoneStaysValid makes random changes to zones signed in each way and has validators look at the outcome.
func TestSignedZoneStaysValid(t *testing.T) {
	for name, signing := range map[string]registry.SigningPolicy{
		"nsec3 opt-out": {Denial: registry.DenialNSEC3, OptOut: true}, "nsec3": {Denial: registry.DenialNSEC3}, "nsec": {Denial: registry.DenialNSEC},
	} {
		t.Run(name, func(t *testing.T) {
			n := newSigningNode(t, signing)
			random := rand.New(rand.NewPCG(2026, 11))
			n.settle(t)
			n.validate(t)
			for range 12 {
				for range 1 + random.IntN(12) {
					n.change(t, random)
				}
				n.settle(t)
			}
			n.validate(t)
		})
	}
}

// signedAs returns how the zone is signed.
func (n *signingNode) signedAs(t *testing.T) (as string) {
	t.Helper()
	if err := n.View(func(tx *store.ReadTx) error { as = tx.ZoneState("example").SignedAs; return nil }); err != nil {
		t.Fatal(err)
	}
	return as
}

// TestChangesOfSigning takes a zone through every change of how it is signed; each end is a valid zone.
func TestChangesOfSigning(t *testing.T) {
	n := newSigningNode(t, registry.SigningPolicy{})
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		n.change(t, random)
	}
	n.settle(t)
	if got := n.signedAs(t); got != "" {
		t.Fatalf("an unsigned zone is signed as %q", got)
	}
	steps := []struct {
		name    string
		signing registry.SigningPolicy
		keys    *dnssec.KeySet
	}{
		{"sign with opt-out", registry.SigningPolicy{Denial: registry.DenialNSEC3, OptOut: true}, nil},
		{"list all names", registry.SigningPolicy{Denial: registry.DenialNSEC3}, nil},
		{"other keys", registry.SigningPolicy{Denial: registry.DenialNSEC3}, newKeys(t, dns.ECDSAP256SHA256)},
		{"Ed25519", registry.SigningPolicy{Denial: registry.DenialNSEC3}, newKeys(t, dns.ED25519)},
		{"RSA", registry.SigningPolicy{Denial: registry.DenialNSEC3}, newKeys(t, dns.RSASHA256)},
		{"NSEC", registry.SigningPolicy{Denial: registry.DenialNSEC}, nil},
		{"NSEC3 and other keys", registry.SigningPolicy{Denial: registry.DenialNSEC3}, newKeys(t, dns.ECDSAP256SHA256)},
		{"NSEC again", registry.SigningPolicy{Denial: registry.DenialNSEC}, nil},
		{"opt-out again", registry.SigningPolicy{Denial: registry.DenialNSEC3, OptOut: true}, nil},
	}
	for _, step := range steps {
		if step.keys != nil {
			n.keys.set = step.keys
		}
		n.sign(t, step.signing)
		n.settle(t)
		if got, want := n.signedAs(t), dnssec.Fingerprint(&step.signing, n.keys.set); got != want {
			t.Fatalf("%s: signed as %q, want %q", step.name, got, want)
		}
		n.validate(t)
	}
	n.sign(t, registry.SigningPolicy{})
	n.settle(t)
	for _, rr := range n.zoneRecords(t) {
		switch rr.Header().Rrtype {
		case dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3, dns.TypeNSEC3PARAM, dns.TypeDNSKEY:
			t.Errorf("the zone is not signed any more, but has %s", rr)
		}
	}
}

// TestSignerAwayForAWeek has nothing published for a week, from just before signatures were to be renewed: the zone stays
// valid all the while, and the signer goes on from where it was.
func TestSignerAwayForAWeek(t *testing.T) {
	n := newSigningNode(t, registry.SigningPolicy{Denial: registry.DenialNSEC3})
	random := rand.New(rand.NewPCG(5, 6))
	for range 30 {
		n.change(t, random)
	}
	n.settle(t)
	began := time.Now()
	to := func(at time.Time) {
		n.at = at
		n.mustPropose(t, &fsmpb.Command{Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "ticker"}, Body: &fsmpb.Command_Tick{Tick: &fsmpb.Tick{}}})
	}
	to(began.Add(7*24*time.Hour - time.Minute)) // the renewal refreshes nothing yet
	n.settle(t)
	for range 5 {
		n.change(t, random) // what the absent signer does not see
	}
	to(n.at.Add(7 * 24 * time.Hour))
	n.validate(t)
	n.settle(t)
	n.validate(t)
	for _, rr := range n.zoneRecords(t) {
		if sig, ok := rr.(*dns.RRSIG); ok {
			if left := time.Unix(int64(sig.Expiration), 0).Sub(n.at); left < 6*24*time.Hour {
				t.Errorf("the signer is back, but %s ends in %s", sig, left)
			}
		}
	}
}

// TestSignaturesAreRenewed lets time pass and checks that no signature ever comes near its end.
func TestSignaturesAreRenewed(t *testing.T) {
	n := newSigningNode(t, registry.SigningPolicy{Denial: registry.DenialNSEC3, OptOut: true})
	random := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		n.change(t, random)
	}
	n.settle(t)
	for day := 1; day <= 30; day++ {
		n.at = time.Now().AddDate(0, 0, day)
		n.mustPropose(t, &fsmpb.Command{Actor: &fsmpb.Actor{Kind: fsmpb.ActorKind_ACTOR_KIND_SYSTEM, Id: "ticker"}, Body: &fsmpb.Command_Tick{Tick: &fsmpb.Tick{}}})
		n.settle(t)
		for _, rr := range n.zoneRecords(t) {
			if sig, ok := rr.(*dns.RRSIG); ok {
				if left := time.Unix(int64(sig.Expiration), 0).Sub(n.at); left < 6*24*time.Hour {
					t.Fatalf("day %d: %s ends in %s", day, sig, left)
				}
			}
		}
	}
}
