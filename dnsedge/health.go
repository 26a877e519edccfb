package dnsedge

import (
	"encoding/binary"
	"fmt"
	"time"
)

// expiryMargin is how long before the end of its signatures a zone had better be asked for elsewhere: resolvers keep
// what they get for a while.
const expiryMargin = time.Hour

// Unfit lists why resolvers should be led to another server, nothing if they need not: what steers anycast asks this. The
// server answers all the same.
func (s *Server) Unfit(now time.Time) []string {
	view := s.view.Load()
	if view == nil || len(view.zones) == 0 {
		return []string{"no zone is served"}
	}
	var reasons []string
	if s.behind.Load() {
		reasons = append(reasons, "the published zones cannot be followed")
	}
	for _, z := range view.zones {
		if end, signed := z.expiry(); signed && end.Sub(now) < expiryMargin {
			reasons = append(reasons, fmt.Sprintf("the signature of the SOA of %s ends at %s", z.tld, end.UTC().Format(time.RFC3339)))
		}
	}
	return reasons
}

// expiry is when the first signature of the SOA ends, which every publication makes anew.
func (z *Zone) expiry() (end time.Time, signed bool) {
	if z.denial == unsigned {
		return end, false
	}
	for rest := z.soaSigs; len(rest) > 0; {
		var rdata []byte
		_, _, rdata, rest = rest.next()
		if !covers(rdata, typeSOA) {
			continue
		}
		// RFC 4034 section 3.1.5 counts seconds in 32 bits; they last until 2106.
		if t := time.Unix(int64(binary.BigEndian.Uint32(rdata[8:])), 0); !signed || t.Before(end) {
			end, signed = t, true
		}
	}
	return end, signed
}
