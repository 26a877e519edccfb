package dnssec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The checker reads publications octet by octet, by code of its own, so that a defect in what made them does not hide
// itself. Types that it knows by number:
const (
	wireA     = 1
	wireNS    = 2
	wireCNAME = 5
	wireSOA   = 6
	wireAAAA  = 28
	wireDS    = 43
	wireRRSIG = 46
	wireNSEC  = 47
	wireNSEC3 = 50
)

var errWire = errors.New("malformed record")

// wireRecord is one record as published.
type wireRecord struct {
	owner  []byte // lower-case wire name
	rrtype uint16
	class  uint16
	ttl    uint32
	rdata  []byte
}

// wireName converts a name without trailing dot to lower-case wire format.
func wireName(name string) []byte {
	out := make([]byte, 0, len(name)+2)
	for label := range strings.SplitSeq(strings.ToLower(name), ".") {
		out = append(append(out, byte(len(label))), label...)
	}
	return append(out, 0)
}

// lower returns the octets in lower case: themselves if they are.
func lower(b []byte) []byte {
	if slices.ContainsFunc(b, func(c byte) bool { return 'A' <= c && c <= 'Z' }) {
		return bytes.ToLower(b)
	}
	return b
}

// wireNameLen returns how many octets the uncompressed name at the beginning of b takes.
func wireNameLen(b []byte) (int, error) {
	for at := 0; at < len(b); {
		n := int(b[at])
		if n == 0 {
			return at + 1, nil
		}
		if n > 63 {
			return 0, errWire
		}
		at += n + 1
	}
	return 0, errWire
}

// countLabels counts those of a wire name but for the root.
func countLabels(name []byte) int {
	count := 0
	for at := 0; name[at] != 0; at += int(name[at]) + 1 {
		count++
	}
	return count
}

// parseWire takes published records apart.
func parseWire(rrs []byte) ([]wireRecord, error) {
	if len(rrs) == 0 {
		return nil, nil
	}
	out := make([]wireRecord, 0, 2)
	for len(rrs) > 0 {
		n, err := wireNameLen(rrs)
		if err != nil || len(rrs) < n+10 {
			return nil, errWire
		}
		r := wireRecord{
			owner: lower(rrs[:n:n]), rrtype: binary.BigEndian.Uint16(rrs[n:]), class: binary.BigEndian.Uint16(rrs[n+2:]),
			ttl: binary.BigEndian.Uint32(rrs[n+4:]),
		}
		end := n + 10 + int(binary.BigEndian.Uint16(rrs[n+8:]))
		if len(rrs) < end {
			return nil, errWire
		}
		r.rdata = rrs[n+10 : end]
		out = append(out, r)
		rrs = rrs[end:]
	}
	return out, nil
}

// canonicalRdata is the record's data with the names in it in lower case (RFC 4034 section 6.2, RFC 6840 section 5.1).
func (r *wireRecord) canonicalRdata() []byte {
	switch r.rrtype {
	case wireNS, wireCNAME:
		return bytes.ToLower(r.rdata)
	case wireSOA:
		const numbers = 20
		if len(r.rdata) < numbers {
			return r.rdata
		}
		at := len(r.rdata) - numbers
		return append(bytes.ToLower(r.rdata[:at]), r.rdata[at:]...)
	default:
		return r.rdata
	}
}

// wireSignature is the content of an RRSIG record (RFC 4034 section 3.1).
type wireSignature struct {
	ttl                   uint32 // of the RRSIG record itself
	covered               uint16
	algorithm, labels     uint8
	originalTTL           uint32
	expiration, inception uint32
	keyTag                uint16
	signer, signature     []byte
	signed                []byte // the octets before the signature
}

func parseSignature(rdata []byte) (*wireSignature, error) {
	const fixed = 18
	if len(rdata) < fixed {
		return nil, errWire
	}
	n, err := wireNameLen(rdata[fixed:])
	if err != nil {
		return nil, err
	}
	return &wireSignature{
		covered: binary.BigEndian.Uint16(rdata), algorithm: rdata[2], labels: rdata[3], originalTTL: binary.BigEndian.Uint32(rdata[4:]),
		expiration: binary.BigEndian.Uint32(rdata[8:]), inception: binary.BigEndian.Uint32(rdata[12:]), keyTag: binary.BigEndian.Uint16(rdata[16:]),
		signer: rdata[fixed : fixed+n], signature: rdata[fixed+n:], signed: rdata[:fixed+n],
	}, nil
}

// signedData is what a signature over the records was made of (RFC 4034 section 3.1.8.1).
func signedData(sig *wireSignature, records []wireRecord) []byte {
	data := append(slices.Clone(sig.signed[:len(sig.signed)-len(sig.signer)]), bytes.ToLower(sig.signer)...)
	canonical := make([][]byte, 0, len(records))
	for i := range records {
		canonical = append(canonical, records[i].canonicalRdata())
	}
	slices.SortFunc(canonical, bytes.Compare)
	for _, rdata := range slices.CompactFunc(canonical, bytes.Equal) {
		data = append(data, records[0].owner...)
		data = binary.BigEndian.AppendUint16(data, records[0].rrtype)
		data = binary.BigEndian.AppendUint16(data, records[0].class)
		data = binary.BigEndian.AppendUint32(data, sig.originalTTL)
		data = binary.BigEndian.AppendUint16(data, uint16(len(rdata)))
		data = append(data, rdata...)
	}
	return data
}

// typesOf reads a type bitmap (RFC 4034 section 4.1.2).
func typesOf(bitmap []byte) ([]uint16, error) {
	var types []uint16
	for len(bitmap) > 0 {
		if len(bitmap) < 2 || bitmap[1] == 0 || bitmap[1] > 32 || len(bitmap) < 2+int(bitmap[1]) {
			return nil, fmt.Errorf("type bitmap: %w", errWire)
		}
		for i, octet := range bitmap[2 : 2+int(bitmap[1])] {
			for bit := range 8 {
				if octet&(0x80>>bit) != 0 {
					types = append(types, uint16(bitmap[0])<<8|uint16(i*8+bit))
				}
			}
		}
		bitmap = bitmap[2+int(bitmap[1]):]
	}
	return types, nil
}
