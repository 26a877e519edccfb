package zone

import (
	"crypto/sha1" //nolint:gosec // the one hash of RFC 5155
	"encoding/base32"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"cadastre/registry"
)

// NSEC3Hash returns the 20 octets of a name's hash without salt and further iterations
// (RFC 5155 section 5).
func NSEC3Hash(name registry.DomainName) []byte {
	wire := make([]byte, 0, len(name)+2)
	for _, label := range strings.Split(strings.ToLower(string(name)), ".") {
		wire = append(append(wire, byte(len(label))), label...)
	}
	sum := sha1.Sum(append(wire, 0)) //nolint:gosec // the one hash of RFC 5155
	return sum[:]
}

// NSEC3Owner returns the owner name of the NSEC3 record for a hash in the zone.
func NSEC3Owner(tld registry.DomainName, hash []byte) registry.DomainName {
	return registry.DomainName(strings.ToLower(NSEC3NextDomain(hash))) + "." + tld
}

// NSEC3NextDomain returns a hash as it stands in the "next hashed owner name" field of miekg/dns
// (RFC 5155 section 1.3).
func NSEC3NextDomain(hash []byte) string {
	return base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(hash)
}

// CanonicalKey returns octets whose order is the canonical order of names (RFC 4034 section 6.1):
// the labels from the right, each ended by a zero octet, which no name of ours contains.
func CanonicalKey(name registry.DomainName) []byte {
	labels := strings.Split(strings.ToLower(string(name)), ".")
	slices.Reverse(labels)
	return append([]byte(strings.Join(labels, "\x00")), 0)
}

// NameOfCanonicalKey is the reverse of CanonicalKey.
func NameOfCanonicalKey(key []byte) registry.DomainName {
	labels := strings.Split(strings.TrimSuffix(string(key), "\x00"), "\x00")
	slices.Reverse(labels)
	return registry.DomainName(strings.Join(labels, "."))
}

// IsEmptyNonTerminal says whether owner has no records of its own but lies above one of the
// TLD's name servers. Only those make names in a zone of delegations that are not owners.
func IsEmptyNonTerminal(tld *registry.TLD, owner registry.DomainName) bool {
	if !owner.IsBelow(tld.Name) {
		return false
	}
	for _, server := range tld.Policy.ApexServers {
		if server.Name == owner {
			return false
		}
	}
	return slices.ContainsFunc(tld.Policy.ApexServers, func(s registry.ApexServer) bool { return s.Name.IsBelow(owner) })
}

// LiesBelowCut says whether a delegation is published at a name between owner and the apex, so that
// what stands at owner is glue rather than authoritative.
func LiesBelowCut(objects Objects, tld *registry.TLD, owner registry.DomainName) bool {
	for name := parentOf(owner); name != "" && name != tld.Name; name = parentOf(name) {
		if domain, found := objects.Domain(name); found && domain.TLD == tld.Name && domain.IsDelegated() {
			return true
		}
	}
	return false
}

func parentOf(name registry.DomainName) registry.DomainName {
	_, parent, _ := strings.Cut(string(name), ".")
	return registry.DomainName(parent)
}

// Ancestors returns the names strictly between owner and the apex, the nearest first.
func Ancestors(tld, owner registry.DomainName) []registry.DomainName {
	var names []registry.DomainName
	for name := parentOf(owner); name != "" && name != tld; name = parentOf(name) {
		names = append(names, name)
	}
	return names
}

// DenialTypes returns the types that a denial record at owner lists for the authoritative records
// there, but for NSEC itself, and whether the zone's chain has a record for owner at all. rrs are
// owner's records without signatures; a name below a cut must not be asked about.
func DenialTypes(tld *registry.TLD, owner registry.DomainName, rrs []dns.RR) (types []uint16, member bool) {
	signing := &tld.Policy.Signing
	cut, secure := false, false
	for _, rr := range rrs {
		rrtype := rr.Header().Rrtype
		cut = cut || rrtype == dns.TypeNS && owner != tld.Name
		secure = secure || rrtype == dns.TypeDS
		if rrtype != dns.TypeRRSIG && rrtype != dns.TypeNSEC && !slices.Contains(types, rrtype) {
			types = append(types, rrtype)
		}
	}
	if cut { // addresses at a cut are glue
		types = slices.DeleteFunc(types, func(t uint16) bool { return t != dns.TypeNS && t != dns.TypeDS })
	}
	nsec := signing.Denial == registry.DenialNSEC
	switch {
	case len(types) == 0:
		return nil, !nsec && IsEmptyNonTerminal(tld, owner)
	case cut && !secure:
		member = nsec || !signing.OptOut
	default:
		member = true
	}
	if nsec {
		types = append(types, dns.TypeRRSIG, dns.TypeNSEC)
	} else if !cut || secure {
		types = append(types, dns.TypeRRSIG)
	}
	slices.Sort(types)
	return types, member
}
