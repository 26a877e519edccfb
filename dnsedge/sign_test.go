package dnsedge

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// signing says how signZone signs.
type signing struct {
	nsec   bool
	optOut bool
}

// signZone is a slow and plain signer of zones: it returns the records with keys, signatures (octets of the right
// length, no more) and the denial chain. Names are lower-case.
func signZone(t testing.TB, apex string, how signing, rrs []dns.RR) []dns.RR {
	t.Helper()
	for i, flags := range []int{257, 256} {
		rrs = append(rrs, mustParse(t, fmt.Sprintf("%s 3600 IN DNSKEY %d 3 13 %s", apex, flags, base64.StdEncoding.EncodeToString(make([]byte, 64-i)))))
	}
	if !how.nsec {
		rrs = append(rrs, mustParse(t, apex+" 0 IN NSEC3PARAM 1 0 0 -"))
	}
	z := &plainZone{apex: apex, types: map[string][]uint16{}, cuts: map[string]bool{}}
	var negTTL uint32
	for _, rr := range rrs {
		h := rr.Header()
		if !slices.Contains(z.types[h.Name], h.Rrtype) {
			z.types[h.Name] = append(z.types[h.Name], h.Rrtype)
		}
		z.cuts[h.Name] = z.cuts[h.Name] || h.Rrtype == dns.TypeNS && h.Name != apex
		if soa, ok := rr.(*dns.SOA); ok {
			negTTL = min(soa.Hdr.Ttl, soa.Minttl)
		}
	}
	if how.nsec {
		rrs = append(rrs, z.nsec(t, negTTL)...)
	} else {
		rrs = append(rrs, z.nsec3(t, negTTL, how.optOut)...)
	}
	var sigs []dns.RR
	done := map[string]bool{}
	for _, rr := range rrs {
		h := rr.Header()
		key := fmt.Sprint(h.Name, " ", h.Rrtype)
		if done[key] || !z.signs(h.Name, h.Rrtype) {
			continue
		}
		done[key] = true
		sum := sha256.Sum256([]byte(key))
		sigs = append(sigs, mustParse(t, fmt.Sprintf("%s %d IN RRSIG %s 13 %d %d 20361231235959 20260101000000 %d %s %s", h.Name, h.Ttl,
			dns.Type(h.Rrtype), dns.CountLabel(h.Name), h.Ttl, 4711, apex, base64.StdEncoding.EncodeToString(append(sum[:], sum[:]...)))))
	}
	return append(rrs, sigs...)
}

// plainZone is what is where in a zone.
type plainZone struct {
	apex  string
	types map[string][]uint16
	cuts  map[string]bool
}

// occluded says whether a name lies below a cut.
func (z *plainZone) occluded(name string) bool {
	for n := parentName(name); n != "" && n != z.apex; n = parentName(n) {
		if z.cuts[n] {
			return true
		}
	}
	return false
}

func parentName(name string) string {
	_, parent, _ := strings.Cut(name, ".")
	return parent
}

func (z *plainZone) signs(name string, rtype uint16) bool {
	switch {
	case rtype == dns.TypeNSEC3:
		return true
	case z.occluded(name):
		return false
	case z.cuts[name]:
		return rtype == dns.TypeDS || rtype == dns.TypeNSEC
	}
	return true
}

// bitmap lists the types of an authoritative name; hasSig says whether something there is signed.
func (z *plainZone) bitmap(name string) (types []uint16, hasSig bool) {
	for _, rtype := range z.types[name] {
		if z.cuts[name] && rtype != dns.TypeNS && rtype != dns.TypeDS {
			continue
		}
		types = append(types, rtype)
		hasSig = hasSig || z.signs(name, rtype)
	}
	return types, hasSig
}

func (z *plainZone) nsec(t testing.TB, ttl uint32) (rrs []dns.RR) {
	var names []string
	for name := range z.types {
		if !z.occluded(name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return slices.Compare(reversed(a), reversed(b)) })
	for i, name := range names {
		types, _ := z.bitmap(name)
		z.types[name] = append(z.types[name], dns.TypeNSEC)
		types = append(types, dns.TypeRRSIG, dns.TypeNSEC)
		slices.Sort(types)
		rrs = append(rrs, &dns.NSEC{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: ttl},
			NextDomain: names[(i+1)%len(names)], TypeBitMap: types})
	}
	return rrs
}

func reversed(name string) []string {
	labels := dns.SplitDomainName(name)
	slices.Reverse(labels)
	return labels
}

func (z *plainZone) nsec3(t testing.TB, ttl uint32, optOut bool) (rrs []dns.RR) {
	member := map[string]bool{}
	for name := range z.types {
		secure := slices.Contains(z.types[name], dns.TypeDS)
		if z.occluded(name) || optOut && z.cuts[name] && !secure {
			continue
		}
		for n := name; n != z.apex; n = parentName(n) { // empty non-terminals too
			member[n] = true
		}
	}
	member[z.apex] = true
	byHash := map[string]string{}
	var hashes []string
	for name := range member {
		h := strings.ToLower(dns.HashName(name, dns.SHA1, 0, ""))
		byHash[h] = name
		hashes = append(hashes, h)
	}
	slices.Sort(hashes)
	for i, h := range hashes {
		types, hasSig := z.bitmap(byHash[h])
		if hasSig {
			types = append(types, dns.TypeRRSIG)
		}
		slices.Sort(types)
		rr := &dns.NSEC3{Hdr: dns.RR_Header{Name: h + "." + z.apex, Rrtype: dns.TypeNSEC3, Class: dns.ClassINET, Ttl: ttl}, Hash: dns.SHA1,
			HashLength: 20, NextDomain: strings.ToUpper(hashes[(i+1)%len(hashes)]), TypeBitMap: types}
		if optOut {
			rr.Flags = 1
		}
		rrs = append(rrs, rr)
	}
	return rrs
}

// ownersOf is packOwners for records of a signed zone.
func ownersOf(t testing.TB, rrs []dns.RR) []Owner {
	t.Helper()
	var proper, chain []dns.RR
	for _, rr := range rrs {
		sig, ok := rr.(*dns.RRSIG)
		if rr.Header().Rrtype == dns.TypeNSEC3 || ok && sig.TypeCovered == dns.TypeNSEC3 {
			chain = append(chain, rr)
		} else {
			proper = append(proper, rr)
		}
	}
	owners := packOwners(t, proper)
	for _, o := range packOwners(t, chain) {
		o.NSEC3 = true
		owners = append(owners, o)
	}
	return owners
}

func parseRRs(t testing.TB, text string) []dns.RR {
	t.Helper()
	var rrs []dns.RR
	p := dns.NewZoneParser(strings.NewReader(text), ".", "test")
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		rrs = append(rrs, rr)
	}
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return rrs
}

// fromHash maps the hashed owner of an NSEC3 record to raw octets.
func fromHash(t testing.TB, label string) []byte {
	b, err := base32.HexEncoding.DecodeString(strings.ToUpper(label))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
