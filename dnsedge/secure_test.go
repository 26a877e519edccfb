package dnsedge

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"cadastre/registry"
	"cadastre/zone"
)

// oneDomain is a registry of one domain.
type oneDomain struct{ domain *registry.Domain }

func (o oneDomain) Domain(name registry.DomainName) (*registry.Domain, bool) {
	return o.domain, name == o.domain.Name
}
func (o oneDomain) Host(registry.DomainName) (*registry.Host, bool)                  { return nil, false }
func (o oneDomain) EachHostUser(registry.DomainName, func(registry.DomainName) bool) {}

func (o oneDomain) EachAttributeUser(registry.DomainName, func(registry.DomainName) bool) {}

// TestDelegationSignersAreAnswered goes from a registered domain over the records that the
// publisher makes of it to the answer.
func TestDelegationSignersAreAnswered(t *testing.T) {
	tld := &registry.TLD{Name: "example", Policy: registry.TLDPolicy{
		ApexServers: []registry.ApexServer{{Name: "a.nic.example", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}},
		SOAMName:    "a.nic.example", SOARName: "hostmaster.nic.example", SOARefreshSeconds: 1800, SOARetrySeconds: 900,
		SOAExpireSeconds: 604800, SOAMinimumSeconds: 300, ApexTTLSeconds: 3600, DelegationTTLSeconds: 7200,
	}}
	state := oneDomain{&registry.Domain{Name: "signed.example", TLD: "example", NameServers: []registry.DomainName{"ns.hoster.net"},
		DS: []registry.DelegationSigner{{KeyTag: 60485, Algorithm: 13, DigestType: 2, Digest: []byte{2}}, {KeyTag: 5, Algorithm: 8, DigestType: 4, Digest: []byte{1}}}}}
	answerOf := func() *dns.Msg {
		var owners []Owner
		for _, owner := range []registry.DomainName{"example", "a.nic.example", "signed.example"} {
			rrs, err := zone.Records(state, tld, owner, 7)
			if err != nil {
				t.Fatal(err)
			}
			if len(rrs) > 0 {
				owners = append(owners, Owner{Name: string(owner), RRs: rrs})
			}
		}
		return ask(t, NewView(buildZone(t, "example", owners)), pack(t, newQuery("signed.example", dns.TypeDS)), UDP)
	}
	got := answerOf()
	want := "signed.example. 7200 IN DS 5 8 4 01\nsigned.example. 7200 IN DS 60485 13 2 02"
	if !got.Authoritative || got.Rcode != dns.RcodeSuccess || lines(got.Answer) != want {
		t.Errorf("got\n%s", got)
	}
	state.domain.DS = nil
	if got := answerOf(); !got.Authoritative || got.Rcode != dns.RcodeSuccess || len(got.Answer) != 0 || len(got.Ns) != 1 {
		t.Errorf("an insecure delegation answers\n%s", got)
	}
	state.domain.Statuses = registry.Statuses{registry.StatusServerHold}
	if got := answerOf(); got.Rcode != dns.RcodeNameError {
		t.Errorf("a domain on hold answers\n%s", got)
	}
}
