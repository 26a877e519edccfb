package zone_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cadastre/registry"
	"cadastre/zone"
)

// TestDigest checks the simple example of RFC 8976 appendix A.1; what does not belong into the digest changes nothing.
func TestDigest(t *testing.T) {
	text := []string{
		"example. 86400 IN SOA ns1.example. admin.example. 2018031900 1800 900 604800 86400",
		"example. 86400 IN NS ns1.example.", "example. 86400 IN NS ns2.example.",
		"ns1.example. 3600 IN A 203.0.113.63", "ns2.example. 3600 IN AAAA 2001:db8::63",
		"ns1.example. 3600 IN A 203.0.113.63", // once more
		"example. 86400 IN ZONEMD 2018031900 1 1 " + strings.Repeat("00", 48),
		"example. 86400 IN RRSIG ZONEMD 13 1 86400 20300101000000 20200101000000 1 example. AAAA",
	}
	type sorted struct {
		key []byte
		rr  dns.RR
	}
	var records []sorted
	for _, line := range text {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		key, err := zone.SortKey(rr)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, sorted{key, rr})
	}
	slices.SortFunc(records, func(a, b sorted) int { return bytes.Compare(a.key, b.key) })
	digest := zone.NewDigest("example")
	for _, r := range records {
		digest.Add(registry.DomainName(strings.TrimSuffix(r.rr.Header().Name, ".")), r.rr.Header().Ttl, r.key)
	}
	want := "example.\t86400\tin\tzonemd\t2018031900 1 1 c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c"
	if got := digest.Record(2018031900, 86400); got != want {
		t.Errorf("the digest is\n%s, want\n%s", got, want)
	}
}
