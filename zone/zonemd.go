package zone

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"github.com/miekg/dns"

	"cadastre/registry"
)

// Digest computes the digest of a whole zone as its ZONEMD record has it: scheme SIMPLE, SHA-384 (RFC 8976 section
// 3.3.1). The zero value is not usable.
type Digest struct {
	apex registry.DomainName
	hash hash.Hash
	last []byte // the sort key of the record before
}

// NewDigest begins the digest of a zone.
func NewDigest(apex registry.DomainName) *Digest { return &Digest{apex: apex, hash: sha512.New384()} }

// Add takes in the next record: its owner and TTL, and what SortKey says of it, in the order of those keys. ZONEMD records
// at the apex, their signatures and repeated records are left out.
func (d *Digest) Add(owner registry.DomainName, ttlSeconds uint32, key []byte) {
	const typeOctets = 2
	content := key[len(CanonicalKey(owner))+1:]
	rrtype, rdata := binary.BigEndian.Uint16(content), content[typeOctets:]
	ofZONEMD := rrtype == dns.TypeZONEMD || rrtype == dns.TypeRRSIG && len(rdata) > typeOctets && binary.BigEndian.Uint16(rdata) == dns.TypeZONEMD
	if owner == d.apex && ofZONEMD || bytes.Equal(key, d.last) {
		return
	}
	d.last = append(d.last[:0], key...)
	var record []byte
	for _, label := range strings.Split(strings.ToLower(string(owner)), ".") {
		record = append(append(record, byte(len(label))), label...)
	}
	record = binary.BigEndian.AppendUint16(append(record, 0), rrtype)
	record = binary.BigEndian.AppendUint16(record, dns.ClassINET)
	record = binary.BigEndian.AppendUint32(record, ttlSeconds)
	record = binary.BigEndian.AppendUint16(record, uint16(len(rdata)))
	_, _ = d.hash.Write(append(record, rdata...)) // cannot fail
}

// Record returns the ZONEMD record of what was added, as a line of a zone file.
func (d *Digest) Record(serial, ttlSeconds uint32) string {
	const simple, sha384 = 1, 1
	return fmt.Sprintf("%s.\t%d\tin\tzonemd\t%d %d %d %s", d.apex, ttlSeconds, serial, simple, sha384, hex.EncodeToString(d.hash.Sum(nil)))
}
