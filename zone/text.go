package zone

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"cadastre/registry"
)

// Text returns a record as one line of a zone file as ICANN's zone file access wants it: absolute names, everything
// written out, lower-case names, class and type, single tabs, without the end of the line.
func Text(rr dns.RR) string {
	head := rr.Header()
	// The text of a record begins with that of its header.
	rdata := strings.TrimPrefix(rr.String(), head.String())
	switch head.Rrtype {
	case dns.TypeNS, dns.TypeSOA, dns.TypeDS, dns.TypeNSEC3, dns.TypeA, dns.TypeAAAA: // names, hexadecimal digits and base32 only
		rdata = strings.ToLower(rdata)
	}
	return fmt.Sprintf("%s\t%d\t%s\t%s\t%s", strings.ToLower(head.Name), head.Ttl, strings.ToLower(dns.ClassToString[head.Class]),
		strings.ToLower(dns.TypeToString[head.Rrtype]), strings.ReplaceAll(rdata, "\t", " "))
}

// SortKey returns octets whose order is the canonical order of records: by owner (RFC 4034 section 6.1), by type, and
// by content (section 6.3).
func SortKey(rr dns.RR) ([]byte, error) {
	buf := make([]byte, maxRecordOctets)
	n, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return nil, fmt.Errorf("pack the record %q: %w", rr.String(), err)
	}
	owner := strings.TrimSuffix(rr.Header().Name, ".")
	key := append(CanonicalKey(registry.DomainName(owner)), 0)
	key = binary.BigEndian.AppendUint16(key, rr.Header().Rrtype)
	// The RDATA follows the owner and ten octets: type, class, TTL and length.
	return append(key, buf[len(owner)+2+10:n]...), nil
}
