// Package zone computes what a TLD's zone holds at an owner name. It is pure: the same
// objects always give the same records, in the same order.
package zone

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"cadastre/policy"
	"cadastre/registry"
)

// Objects is the state from which a zone is computed; *store.ReadTx is one.
type Objects interface {
	Domain(name registry.DomainName) (*registry.Domain, bool)
	Host(name registry.DomainName) (*registry.Host, bool)
	// EachHostUser calls fn for every domain delegated to the host, until fn returns false.
	EachHostUser(name registry.DomainName, fn func(registry.DomainName) bool)
	// EachAttributeUser calls fn for every other domain with a host attribute in or below the
	// domain, until fn returns false.
	EachAttributeUser(superordinate registry.DomainName, fn func(registry.DomainName) bool)
}

// Records returns what the zone of tld publishes at owner under the serial: complete
// uncompressed resource records one after another (RFC 1035 section 3.2.1), none when the
// owner has no place in the zone. The order is SOA, NS, DS, A, AAAA, and by content within.
func Records(objects Objects, tld *registry.TLD, owner registry.DomainName, serial uint32) ([]byte, error) {
	return Pack(Content(objects, tld, owner, serial))
}

// Content is Records before they are packed.
func Content(objects Objects, tld *registry.TLD, owner registry.DomainName, serial uint32) []dns.RR {
	if owner == tld.Name {
		return apexRecords(tld, serial)
	}
	return append(delegation(objects, tld, owner), addresses(objects, tld, owner)...)
}

// apexRecords returns the SOA and NS records of the zone itself.
func apexRecords(tld *registry.TLD, serial uint32) []dns.RR {
	p := &tld.Policy
	rrs := []dns.RR{&dns.SOA{
		Hdr: header(tld.Name, dns.TypeSOA, p.ApexTTLSeconds),
		Ns:  fqdn(p.SOAMName), Mbox: fqdn(p.SOARName), Serial: serial,
		Refresh: p.SOARefreshSeconds, Retry: p.SOARetrySeconds, Expire: p.SOAExpireSeconds, Minttl: p.SOAMinimumSeconds,
	}}
	names := make([]registry.DomainName, 0, len(p.ApexServers))
	for _, server := range p.ApexServers {
		names = append(names, server.Name)
	}
	return append(rrs, nsRecords(tld.Name, names, p.ApexTTLSeconds)...)
}

// delegation returns the NS and DS records of a registered domain that belongs in the zone.
func delegation(objects Objects, tld *registry.TLD, owner registry.DomainName) []dns.RR {
	domain, found := objects.Domain(owner)
	if !found || domain.TLD != tld.Name || !domain.IsDelegated() {
		return nil
	}
	rrs := nsRecords(owner, domain.NameServerNames(), policy.TTLSeconds(tld, domain.TTLs, registry.RecordNS))
	return append(rrs, dsRecords(domain, policy.TTLSeconds(tld, domain.TTLs, registry.RecordDS))...)
}

func nsRecords(owner registry.DomainName, servers []registry.DomainName, ttlSeconds uint32) []dns.RR {
	sorted := slices.Clone(servers)
	slices.Sort(sorted)
	rrs := make([]dns.RR, 0, len(sorted))
	for _, name := range slices.Compact(sorted) {
		rrs = append(rrs, &dns.NS{Hdr: header(owner, dns.TypeNS, ttlSeconds), Ns: fqdn(name)})
	}
	return rrs
}

// addresses returns the address records at owner: those of the TLD's own name server or
// the glue of a host that some delegation of this zone needs.
func addresses(objects Objects, tld *registry.TLD, owner registry.DomainName) []dns.RR {
	for _, server := range tld.Policy.ApexServers {
		if server.Name == owner {
			return addressRecords(owner, server.Addresses, tld.Policy.ApexTTLSeconds, tld.Policy.ApexTTLSeconds)
		}
	}
	if tld.Policy.HostAttributes {
		return attributeAddresses(objects, tld, owner)
	}
	host, found := objects.Host(owner)
	if !found || len(host.Addresses) == 0 || !neededAsGlue(objects, tld, host) {
		return nil
	}
	return addressRecords(owner, host.Addresses, policy.TTLSeconds(tld, host.TTLs, registry.RecordA),
		policy.TTLSeconds(tld, host.TTLs, registry.RecordAAAA))
}

// attributeAddresses returns the addresses that the domain above gives its name server, if a
// delegation in this zone points to it. Only that domain can give any.
func attributeAddresses(objects Objects, tld *registry.TLD, owner registry.DomainName) []dns.RR {
	above, found := objects.Domain(owner.AncestorWithLabels(tld.Name.Labels() + 1))
	if !found {
		return nil
	}
	named := func(d *registry.Domain) int {
		return slices.IndexFunc(d.HostAttributes, func(a registry.HostAttribute) bool { return a.Name == owner })
	}
	at := named(above)
	if at < 0 {
		return nil
	}
	needed := above.IsDelegated()
	if !needed {
		objects.EachAttributeUser(above.Name, func(user registry.DomainName) bool {
			domain, found := objects.Domain(user)
			needed = found && domain.TLD == tld.Name && domain.IsDelegated() && named(domain) >= 0
			return !needed
		})
	}
	if !needed {
		return nil
	}
	return addressRecords(owner, above.HostAttributes[at].Addresses, policy.TTLSeconds(tld, nil, registry.RecordA), policy.TTLSeconds(tld, nil, registry.RecordAAAA))
}

// neededAsGlue says whether a delegation in this zone points to the host. A host that
// nothing points to is never published.
func neededAsGlue(objects Objects, tld *registry.TLD, host *registry.Host) bool {
	// A sacrificial domain is kept by the registry without being registered.
	if _, found := objects.Domain(host.Superordinate); !found && host.FormerName == "" {
		return false
	}
	needed := false
	objects.EachHostUser(host.Name, func(user registry.DomainName) bool {
		domain, found := objects.Domain(user)
		needed = found && domain.TLD == tld.Name && domain.IsDelegated()
		return !needed
	})
	return needed
}

func addressRecords(owner registry.DomainName, list []netip.Addr, ttlSecondsA, ttlSecondsAAAA uint32) []dns.RR {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b netip.Addr) int {
		if a.Is4() != b.Is4() {
			return a.BitLen() - b.BitLen() // A before AAAA
		}
		return a.Compare(b)
	})
	rrs := make([]dns.RR, 0, len(sorted))
	for _, addr := range sorted {
		if addr.Is4() {
			rrs = append(rrs, &dns.A{Hdr: header(owner, dns.TypeA, ttlSecondsA), A: net.IP(addr.AsSlice())})
		} else {
			rrs = append(rrs, &dns.AAAA{Hdr: header(owner, dns.TypeAAAA, ttlSecondsAAAA), AAAA: net.IP(addr.AsSlice())})
		}
	}
	return rrs
}

func header(owner registry.DomainName, rrtype uint16, ttlSeconds uint32) dns.RR_Header {
	return dns.RR_Header{Name: fqdn(owner), Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttlSeconds}
}

func fqdn(name registry.DomainName) string { return string(name) + "." }

// maxRecordOctets bounds one record: an SOA with two names of 255 octets fits, and an RSA key
// or a signature by one.
const maxRecordOctets = 4096

// Pack puts records one after another in uncompressed wire format; Unpack is its reverse.
func Pack(rrs []dns.RR) ([]byte, error) {
	if len(rrs) == 0 {
		return nil, nil
	}
	octets := 0
	for _, rr := range rrs {
		octets += min(dns.Len(rr), maxRecordOctets)
	}
	out := make([]byte, octets)
	end := 0
	for _, rr := range rrs {
		n, err := dns.PackRR(rr, out, end, nil, false)
		if err != nil {
			return nil, fmt.Errorf("pack the record %q: %w", rr.String(), err)
		}
		end = n
	}
	return out[:end], nil
}

// Unpack returns the records in the concatenated form that Records makes.
func Unpack(rrs []byte) ([]dns.RR, error) {
	var out []dns.RR
	for off := 0; off < len(rrs); {
		rr, next, err := dns.UnpackRR(rrs, off)
		if err != nil {
			return nil, fmt.Errorf("unpack a published record at octet %d: %w", off, err)
		}
		out = append(out, rr)
		off = next
	}
	return out, nil
}
