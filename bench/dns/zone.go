package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"cadastre/registry"
	"cadastre/zone"
)

const (
	apex         = "example"
	hosters      = 1000 // sets of servers outside of the zone
	signedEvery  = 20   // one delegation in so many has a DS
	glueEvery    = 10   // and one in so many has servers below itself
	negTTL       = 900
	keyTag       = 4711
	queryCount   = 1_000_000
	hashedOctets = 20
)

// domainName is the name of the i-th delegation; labels have 4 to 15 octets.
func domainName(i int) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(i)))
	return fmt.Sprintf("%sx%x.%s", "shop-name"[:2+int(sum[0]%8)], i, apex)
}

// signature makes an RRSIG record. Its octets are of the right number and no more than that: no server looks at them.
func signature(owner string, covered uint16, ttl uint32) *dns.RRSIG {
	a := sha256.Sum256([]byte(owner + dns.TypeToString[covered]))
	b := sha256.Sum256(a[:])
	return &dns.RRSIG{
		Hdr:         dns.RR_Header{Name: owner + ".", Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: ttl},
		TypeCovered: covered, Algorithm: dns.ECDSAP256SHA256, Labels: uint8(dns.CountLabel(owner + ".")), OrigTtl: ttl,
		Expiration: 2_000_000_000, Inception: 1_700_000_000, KeyTag: keyTag, SignerName: apex + ".",
		Signature: base64.StdEncoding.EncodeToString(slices.Concat(a[:], b[:])),
	}
}

func header(owner string, rrtype uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: owner + ".", Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}

// eachOwner makes the records of the zone, owner by owner: the apex first, the NSEC3 chain last.
func eachOwner(delegations int, fn func(owner string, isNSEC3 bool, rrs []dns.RR) error) error {
	chain := map[string][]uint16{}
	emit := func(owner string, rrs []dns.RR) error {
		var types []uint16
		isCut := false
		for _, rr := range rrs {
			types = append(types, rr.Header().Rrtype)
			isCut = isCut || rr.Header().Rrtype == dns.TypeNS && owner != apex
		}
		types = slices.Compact(types)
		slices.Sort(types)
		if !isCut || slices.Contains(types, dns.TypeDS) {
			chain[owner] = append(slices.Clone(types), dns.TypeRRSIG)
			slices.Sort(chain[owner])
			for _, rrtype := range types {
				if !isCut || rrtype == dns.TypeDS {
					i := slices.IndexFunc(rrs, func(rr dns.RR) bool { return rr.Header().Rrtype == rrtype })
					rrs = append(rrs, signature(owner, rrtype, rrs[i].Header().Ttl))
				}
			}
		}
		return fn(owner, false, rrs)
	}
	if err := eachApex(1, emit); err != nil {
		return err
	}
	chain["nic."+apex] = nil
	for i, server := range []string{"a.nic." + apex, "b.nic." + apex} {
		if err := emit(server, []dns.RR{&dns.A{Hdr: header(server, dns.TypeA, 86400), A: net.IPv4(192, 0, 2, byte(i+1)).To4()}}); err != nil {
			return err
		}
	}
	for i := range delegations {
		if err := eachDelegation(i, emit, fn); err != nil {
			return err
		}
	}
	return eachHash(chain, fn)
}

// withSignatures adds a signature for each set of an authoritative owner.
func withSignatures(owner string, rrs []dns.RR) []dns.RR {
	last := uint16(0)
	for _, rr := range slices.Clone(rrs) {
		if h := rr.Header(); h.Rrtype != last {
			rrs = append(rrs, signature(owner, h.Rrtype, h.Ttl))
			last = h.Rrtype
		}
	}
	return rrs
}

// eachApex makes the records of the apex.
func eachApex(serial uint32, emit func(string, []dns.RR) error) error {
	key := func(flags uint16) *dns.DNSKEY {
		return &dns.DNSKEY{Hdr: header(apex, dns.TypeDNSKEY, 3600), Flags: flags, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
			PublicKey: base64.StdEncoding.EncodeToString(append(make([]byte, 63), byte(flags)))}
	}
	return emit(apex, []dns.RR{
		&dns.SOA{Hdr: header(apex, dns.TypeSOA, negTTL), Ns: "a.nic.example.", Mbox: "hostmaster.nic.example.", Serial: serial, Refresh: 14400, Retry: 3600, Expire: 604800, Minttl: negTTL},
		&dns.NS{Hdr: header(apex, dns.TypeNS, 86400), Ns: "a.nic.example."}, &dns.NS{Hdr: header(apex, dns.TypeNS, 86400), Ns: "b.nic.example."},
		key(257), key(256), &dns.NSEC3PARAM{Hdr: header(apex, dns.TypeNSEC3PARAM, 0), Hash: dns.SHA1},
	})
}

// eachDelegation makes the i-th delegation and its servers, if those are its own.
func eachDelegation(i int, emit func(string, []dns.RR) error, fn func(string, bool, []dns.RR) error) error {
	name := domainName(i)
	servers := []string{fmt.Sprintf("ns1.hoster%d.net", i%hosters), fmt.Sprintf("ns2.hoster%d.net", i%hosters)}
	own := i%glueEvery == 3
	if own {
		servers = []string{"ns1." + name, "ns2." + name}
	}
	var rrs []dns.RR
	for _, server := range servers {
		rrs = append(rrs, &dns.NS{Hdr: header(name, dns.TypeNS, 86400), Ns: server + "."})
	}
	if isSigned(i) {
		digest := sha256.Sum256([]byte(name))
		rrs = append(rrs, &dns.DS{Hdr: header(name, dns.TypeDS, 3600), KeyTag: uint16(i), Algorithm: dns.ECDSAP256SHA256, DigestType: dns.SHA256, Digest: hex.EncodeToString(digest[:])})
	}
	if err := emit(name, rrs); err != nil || !own {
		return err
	}
	for j, server := range servers {
		if err := fn(server, false, []dns.RR{&dns.A{Hdr: header(server, dns.TypeA, 86400), A: net.IPv4(198, 51, byte(i), byte(j)).To4()}}); err != nil {
			return err
		}
	}
	return nil
}

func isSigned(i int) bool { return i%signedEvery == 7 }

// eachHash makes the NSEC3 chain, with opt-out.
func eachHash(names map[string][]uint16, fn func(string, bool, []dns.RR) error) error {
	byHash := make(map[string][]uint16, len(names))
	hashes := make([]string, 0, len(names))
	for name, types := range names {
		h := string(zone.NSEC3Hash(registry.DomainName(name)))
		byHash[h] = types
		hashes = append(hashes, h)
	}
	slices.Sort(hashes)
	for i, h := range hashes {
		owner := string(zone.NSEC3Owner(apex, []byte(h)))
		record := &dns.NSEC3{Hdr: header(owner, dns.TypeNSEC3, negTTL), Hash: dns.SHA1, Flags: 1, HashLength: hashedOctets,
			NextDomain: zone.NSEC3NextDomain([]byte(hashes[(i+1)%len(hashes)])), TypeBitMap: byHash[h]}
		if err := fn(owner, true, []dns.RR{record, signature(owner, dns.TypeNSEC3, negTTL)}); err != nil {
			return err
		}
	}
	return nil
}

// writeZone writes a zone file.
func writeZone(w io.Writer, delegations int) error {
	b := bufio.NewWriterSize(w, 1<<20)
	err := eachOwner(delegations, func(_ string, _ bool, rrs []dns.RR) error {
		for _, rr := range rrs {
			if _, err := b.WriteString(rr.String() + "\n"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.Flush()
}

// writeQueries writes questions for dnsperf: 62 % under delegations, 4 % DS, 30 % about names that do not exist, 4 % about
// the apex. All but the last are different.
func writeQueries(w io.Writer, delegations int) error {
	b := bufio.NewWriterSize(w, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range queryCount {
		line := ""
		switch kind := r.IntN(100); {
		case kind < 62:
			line = "www." + domainName(r.IntN(delegations)) + " A"
		case kind < 66:
			line = domainName(r.IntN(delegations)) + " DS"
		case kind < 96:
			line = fmt.Sprintf("%s%x.%s A", strings.Repeat("q", 1+r.IntN(6)), r.Uint32(), apex)
		default:
			line = apex + []string{" SOA", " NS", " DNSKEY"}[i%3]
		}
		if _, err := b.WriteString(line + "\n"); err != nil {
			return err
		}
	}
	return b.Flush()
}
