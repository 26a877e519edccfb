package dnsedge

import (
	"encoding/binary"
	"io"
	"net/netip"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers and values of dnstap.proto.
const (
	tapIdentity, tapVersion, tapMessage, tapType = 1, 2, 14, 15
	tapTypeMessage                               = 1

	tapKind, tapFamily, tapProtocol, tapQueryAddress, tapResponseAddress = 1, 2, 3, 4, 5
	tapQueryPort, tapResponsePort, tapQuerySeconds, tapQueryNanos        = 6, 7, 8, 9
	tapQuery, tapResponseSeconds, tapResponseNanos, tapResponse          = 10, 12, 13, 14

	tapAuthQuery, tapAuthResponse = 1, 2
	tapInet, tapInet6             = 1, 2
	tapUDP, tapTCP, tapDoT        = 1, 2, 3
)

// encode makes the frame of a record: AUTH_RESPONSE with the query in it, or AUTH_QUERY for what is not answered, or not by the
// responder. The result is good until the next call.
func (t *tap) encode(r *tapRecord) []byte {
	kind, protocol, family := uint64(tapAuthResponse), uint64(tapUDP), uint64(tapInet)
	if !r.hasResponse {
		kind = tapAuthQuery
	}
	switch r.transport {
	case TCP:
		protocol = tapTCP
	case TLS:
		protocol = tapDoT
	case UDP:
	}
	if r.from.Addr().Is6() {
		family = tapInet6
	}
	m := appendVarint(t.message[:0], tapKind, kind)
	m = appendVarint(m, tapFamily, family)
	m = appendVarint(m, tapProtocol, protocol)
	m = appendEndpoint(m, tapQueryAddress, tapQueryPort, r.from)
	m = appendEndpoint(m, tapResponseAddress, tapResponsePort, r.to)
	m = appendTime(m, tapQuerySeconds, tapQueryNanos, r.at)
	m = appendBytes(m, tapQuery, r.data[:r.query])
	if r.hasResponse {
		m = appendTime(m, tapResponseSeconds, tapResponseNanos, r.at)
		m = appendBytes(m, tapResponse, r.data[r.query:])
	}
	t.message = m
	out := t.encoded[:0]
	if t.identity.NSID != "" {
		out = appendBytes(out, tapIdentity, []byte(t.identity.NSID))
	}
	if t.identity.Version != "" {
		out = appendBytes(out, tapVersion, []byte(t.identity.Version))
	}
	out = appendVarint(out, tapType, tapTypeMessage)
	t.encoded = appendBytes(out, tapMessage, m)
	return t.encoded
}

func appendVarint(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func appendTime(b []byte, seconds, nanos protowire.Number, at time.Time) []byte {
	b = appendVarint(b, seconds, uint64(at.Unix()))
	return protowire.AppendFixed32(protowire.AppendTag(b, nanos, protowire.Fixed32Type), uint32(at.Nanosecond()))
}

// appendEndpoint leaves out what is not known.
func appendEndpoint(b []byte, address, port protowire.Number, at netip.AddrPort) []byte {
	if !at.IsValid() {
		return b
	}
	return appendVarint(appendBytes(b, address, at.Addr().AsSlice()), port, uint64(at.Port()))
}

// writeFrame writes a data frame.
func writeFrame(w io.Writer, data []byte) error {
	if _, err := w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(data)))); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

// writeControl writes a control frame, with the type of the content if asked for.
func writeControl(w io.Writer, control uint32, withType bool) error {
	body := binary.BigEndian.AppendUint32(nil, control)
	if withType {
		body = binary.BigEndian.AppendUint32(body, controlContentType)
		body = binary.BigEndian.AppendUint32(body, uint32(len(tapContentType)))
		body = append(body, tapContentType...)
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 4), uint32(len(body))) // the escape is a length of 0
	_, err := w.Write(append(frame, body...))
	return err
}
