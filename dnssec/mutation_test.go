package dnssec_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cadastre/dnssec"
	"cadastre/registry"
)

// emptyView is a registry with one secure and one insecure delegation, of which nothing is published.
type emptyView struct {
	domains map[registry.DomainName]*registry.Domain
}

func (v *emptyView) Domain(name registry.DomainName) (*registry.Domain, bool) {
	d, ok := v.domains[name]
	return d, ok
}
func (*emptyView) Host(registry.DomainName) (*registry.Host, bool)                       { return nil, false }
func (*emptyView) EachHostUser(registry.DomainName, func(registry.DomainName) bool)      {}
func (*emptyView) EachAttributeUser(registry.DomainName, func(registry.DomainName) bool) {}
func (*emptyView) Published(_, _ registry.DomainName) ([]byte, bool)                     { return nil, false }
func (*emptyView) ChainRow(registry.DomainName, []byte) ([]byte, bool)                   { return nil, false }
func (*emptyView) ChainFrom(registry.DomainName, []byte) (at, row []byte, ok bool) {
	return nil, nil, false
}
func (*emptyView) ChainBefore(registry.DomainName, []byte) (at, row []byte, ok bool) {
	return nil, nil, false
}

// builtZone returns a request and the first publication of a zone that proves absence in the given way.
func builtZone(t *testing.T, denial registry.Denial) (*emptyView, *dnssec.Request, []dnssec.Change) {
	t.Helper()
	view := &emptyView{domains: map[registry.DomainName]*registry.Domain{}}
	for _, name := range []registry.DomainName{"a.example", "b.example"} {
		view.domains[name] = &registry.Domain{Name: name, TLD: "example", NameServers: []registry.DomainName{"ns.other.net"}}
	}
	view.domains["a.example"].DS = []registry.DelegationSigner{{KeyTag: 7, Algorithm: 13, DigestType: 2, Digest: bytes.Repeat([]byte{9}, 32)}}
	tld := &registry.TLD{Name: "example", Policy: registry.TLDPolicy{
		ApexServers: []registry.ApexServer{{Name: "ns.other.net"}}, SOAMName: "ns.other.net", SOARName: "h.other.net",
		SOARefreshSeconds: 1800, SOARetrySeconds: 900, SOAExpireSeconds: 604800, SOAMinimumSeconds: 900, ApexTTLSeconds: 3600, DelegationTTLSeconds: 3600,
		Signing: registry.SigningPolicy{Denial: denial},
	}}
	csk, err := dnssec.Generate("example", dnssec.FlagsEntryPoint, dns.ECDSAP256SHA256, 3600)
	if err != nil {
		t.Fatal(err)
	}
	req := &dnssec.Request{
		TLD: tld, Keys: &dnssec.KeySet{Published: []*dns.DNSKEY{csk.Record}, Apex: []dnssec.Key{csk}, Zone: []dnssec.Key{csk}},
		Owners: []registry.DomainName{"a.example", "b.example"}, Serial: 42, Now: time.Now(), Announce: true, Apex: true,
	}
	changes, err := dnssec.Build(context.Background(), view, req)
	if err != nil {
		t.Fatal(err)
	}
	if err := dnssec.Verify(context.Background(), view, req, changes); err != nil {
		t.Fatalf("the zone as built: %v", err)
	}
	return view, req, changes
}

// insecure says whether the octet at an offset is of a record that nothing protects: the NS records of delegations.
func insecure(t *testing.T, change *dnssec.Change, offset int) bool {
	t.Helper()
	for at := 0; at < len(change.RRs); {
		rr, next, err := dns.UnpackRR(change.RRs, at)
		if err != nil {
			t.Fatal(err)
		}
		if offset < next {
			return rr.Header().Rrtype == dns.TypeNS && change.Owner != "example"
		}
		at = next
	}
	return false
}

// TestVerifyFindsEveryChangedOctet alters each octet of a publication in turn. Only the rdata and TTLs of delegations,
// which no signature covers, may change unnoticed; their names, types and classes may not.
func TestVerifyFindsEveryChangedOctet(t *testing.T) {
	for _, denial := range []registry.Denial{registry.DenialNSEC3, registry.DenialNSEC} {
		t.Run(denial.String(), func(t *testing.T) {
			view, req, changes := builtZone(t, denial)
			tried := 0
			for i := range changes {
				for offset := range changes[i].RRs {
					if insecure(t, &changes[i], offset) {
						continue
					}
					mutated := slices.Clone(changes)
					mutated[i].RRs = bytes.Clone(changes[i].RRs)
					mutated[i].RRs[offset] ^= 1 << (offset % 5) // not the bit that tells capitals
					tried++
					if err := dnssec.Verify(context.Background(), view, req, mutated); err == nil {
						t.Fatalf("octet %d of %s was altered, and nobody noticed: %x", offset, changes[i].Owner, changes[i].RRs)
					}
				}
			}
			if tried < 500 {
				t.Errorf("only %d octets were altered", tried)
			}
		})
	}
}

// TestVerifyFindsWhatIsMissing takes records and whole owners away, adds some, and asks for another serial.
func TestVerifyFindsWhatIsMissing(t *testing.T) {
	for _, denial := range []registry.Denial{registry.DenialNSEC3, registry.DenialNSEC} {
		t.Run(denial.String(), func(t *testing.T) {
			view, req, changes := builtZone(t, denial)
			must := func(what string, mutated []dnssec.Change) {
				t.Helper()
				if err := dnssec.Verify(context.Background(), view, req, mutated); err == nil {
					t.Errorf("%s: nobody noticed", what)
				}
			}
			for i := range changes {
				must("without "+string(changes[i].Owner), slices.Delete(slices.Clone(changes), i, i+1))
				for at := 0; at < len(changes[i].RRs); {
					rr, next, err := dns.UnpackRR(changes[i].RRs, at)
					if err != nil {
						t.Fatal(err)
					}
					mutated := slices.Clone(changes)
					mutated[i].RRs = slices.Concat(changes[i].RRs[:at], changes[i].RRs[next:])
					must(fmt.Sprintf("without %s", rr), mutated)
					mutated[i].RRs = append(bytes.Clone(changes[i].RRs), bytes.Replace(changes[i].RRs[at:next], []byte("\x07example"), []byte("\x07exampl3"), 1)...)
					must(fmt.Sprintf("with %s outside of the zone", rr), mutated)
					at = next
				}
			}
			stale := *req
			stale.Serial++
			if err := dnssec.Verify(context.Background(), view, &stale, changes); err == nil {
				t.Error("a stale serial: nobody noticed")
			}
			late := *req
			late.Now = req.Now.AddDate(0, 2, 0)
			if err := dnssec.Verify(context.Background(), view, &late, changes); err == nil {
				t.Error("signatures that have ended: nobody noticed")
			}
		})
	}
}
