package dnsedge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// Record types that the responder treats specially, from the IANA registry.
const (
	typeA          uint16 = 1
	typeNS         uint16 = 2
	typeCNAME      uint16 = 5
	typeSOA        uint16 = 6
	typeTXT        uint16 = 16
	typeAAAA       uint16 = 28
	typeOPT        uint16 = 41
	typeDS         uint16 = 43
	typeRRSIG      uint16 = 46
	typeNSEC       uint16 = 47
	typeDNSKEY     uint16 = 48
	typeNSEC3      uint16 = 50
	typeNSEC3PARAM uint16 = 51
	typeNXNAME     uint16 = 128 // RFC 9824: never asked for
	typeTKEY       uint16 = 249
	typeTSIG       uint16 = 250
	typeIXFR       uint16 = 251
	typeAXFR       uint16 = 252
	typeMAILB      uint16 = 253
	typeMAILA      uint16 = 254
	typeANY        uint16 = 255

	classIN uint16 = 1
	classCH uint16 = 3
)

// records holds one owner's resource records, sorted by type. Each record is type(2) TTL(4) RDLENGTH(2) RDATA; owner
// and class go without saying. Names inside RDATA are uncompressed. RRSIG records lack the signer's name, which is always
// the apex (RFC 4035 section 2.2).
type records []byte

const (
	recordHead  = 8  // octets of a stored record before its RDATA
	sigHead     = 18 // octets of an RRSIG before the signer's name (RFC 4034 section 3.1)
	soaNumbers  = 20 // octets of an SOA after its two names: serial, refresh, retry, expire, minimum
	wireRecHead = 10 // octets between owner and RDATA on the wire: type, class, TTL, RDLENGTH
)

// next splits off the first record.
func (r records) next() (rtype uint16, ttl uint32, rdata []byte, rest records) {
	end := recordHead + int(binary.BigEndian.Uint16(r[6:]))
	return binary.BigEndian.Uint16(r), binary.BigEndian.Uint32(r[2:]), r[recordHead:end], r[end:]
}

// rrset returns the records of one type, empty if there are none.
func (r records) rrset(rtype uint16) records {
	for len(r) > 0 {
		t, _, _, rest := r.next()
		if t > rtype {
			return nil
		}
		if t == rtype {
			end := rest
			for len(end) > 0 && binary.BigEndian.Uint16(end) == rtype {
				_, _, _, end = end.next()
			}
			return r[:len(r)-len(end)]
		}
		r = rest
	}
	return nil
}

// signatures returns the RRSIG records at the end of an owner's records.
func (r records) signatures() records { return r.rrset(typeRRSIG) }

// covers says whether a record, an RRSIG of the stored form, is about sets of the type.
func covers(rdata []byte, rtype uint16) bool { return binary.BigEndian.Uint16(rdata) == rtype }

// encodeRecords checks a concatenation of uncompressed RFC 1035 records that all belong to owner (lower-case wire
// name) and converts it to the stored form.
func encodeRecords(apex, owner, rrs []byte) (records, error) {
	out := make(records, 0, len(rrs))
	sorted, last := true, uint16(0)
	for len(rrs) > 0 {
		n, err := nameLen(rrs)
		if err != nil {
			return nil, err
		}
		if !equalFold(rrs[:n], owner) {
			return nil, fmt.Errorf("record owner %q is not the owner of the set", rrs[:n])
		}
		body := rrs[n:]
		if len(body) < wireRecHead {
			return nil, fmt.Errorf("record of %d octets is cut short", len(body))
		}
		rtype, class := binary.BigEndian.Uint16(body), binary.BigEndian.Uint16(body[2:])
		end := wireRecHead + int(binary.BigEndian.Uint16(body[8:]))
		if class != classIN {
			return nil, fmt.Errorf("record of type %d has class %d, want IN", rtype, class)
		}
		if len(body) < end {
			return nil, fmt.Errorf("record of type %d: RDLENGTH %d runs past the end", rtype, end-wireRecHead)
		}
		rdata := body[wireRecHead:end]
		if !validRdata(rtype, rdata) {
			return nil, fmt.Errorf("record of type %d: not zone data, or malformed RDATA of %d octets", rtype, end-wireRecHead)
		}
		out = append(out, body[0:2]...)
		if rtype == typeRRSIG {
			if !bytes.HasPrefix(rdata[sigHead:], apex) {
				return nil, fmt.Errorf("signature of type %d: the signer is not the apex", binary.BigEndian.Uint16(rdata))
			}
			out = append(out, body[4:8]...)
			out = binary.BigEndian.AppendUint16(out, uint16(len(rdata)-len(apex)))
			out = append(out, rdata[:sigHead]...)
			out = append(out, rdata[sigHead+len(apex):]...)
		} else {
			out = append(out, body[4:end]...)
		}
		if rtype == typeNS { // compared with owners, which are lower-case
			foldName(out[len(out)-(end-wireRecHead):])
		}
		sorted = sorted && rtype >= last
		last = rtype
		rrs = body[end:]
	}
	if !sorted {
		out.sort()
	}
	return out, nil
}

// sort orders the records by type and keeps the order within one.
func (r records) sort() {
	var parts []records
	for rest := r; len(rest) > 0; {
		_, _, _, next := rest.next()
		parts = append(parts, slices.Clone(rest[:len(rest)-len(next)]))
		rest = next
	}
	slices.SortStableFunc(parts, func(a, b records) int { return bytes.Compare(a[:2], b[:2]) })
	for _, p := range parts {
		r = r[copy(r, p):]
	}
}

// validRdata refuses RDATA that the responder could not take apart later, and types that are never stored.
func validRdata(rtype uint16, rdata []byte) bool {
	switch rtype {
	case typeA:
		return len(rdata) == 4
	case typeAAAA:
		return len(rdata) == 16
	case typeNS, typeCNAME:
		n, err := nameLen(rdata)
		return err == nil && n == len(rdata)
	case typeSOA:
		mname, err := nameLen(rdata)
		if err != nil {
			return false
		}
		rname, err := nameLen(rdata[mname:])
		return err == nil && mname+rname+soaNumbers == len(rdata)
	case typeRRSIG:
		if len(rdata) < sigHead {
			return false
		}
		n, err := nameLen(rdata[sigHead:])
		return err == nil && len(rdata) > sigHead+n
	case typeNSEC:
		n, err := nameLen(rdata)
		return err == nil && len(rdata) > n
	case typeNSEC3: // SHA-1, any flags, no iterations, no salt (RFC 9276), 20 octets of next hash
		return len(rdata) >= nsec3Params+hashOctets && rdata[0] == 1 && rdata[2] == 0 && rdata[3] == 0 && rdata[4] == 0 && rdata[5] == hashOctets
	case 0, typeOPT, typeTKEY, typeTSIG, typeIXFR, typeAXFR, typeMAILB, typeMAILA, typeANY:
		return false
	}
	return true
}
