package fsm

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// What is trusted as an authority has the outline of an X.509 certificate (RFC 5280 section
// 4.1). Nothing deeper is asked here: what x509 accepts changes from one release of Go to the
// next, and all nodes must come to the same answer. The node that takes the command parses it
// in full.

// isCertificate says whether der is a certificate of version 3, whole and with nothing after it.
func isCertificate(der []byte) bool {
	input := cryptobyte.String(der)
	var certificate, body cryptobyte.String
	return input.ReadASN1(&certificate, asn1.SEQUENCE) && input.Empty() &&
		certificate.ReadASN1(&body, asn1.SEQUENCE) && isCertificateBody(body) &&
		certificate.SkipASN1(asn1.SEQUENCE) && // the algorithm of the signature
		certificate.SkipASN1(asn1.BIT_STRING) && certificate.Empty()
}

// isCertificateBody says whether tbs has the fields of a TBSCertificate, in their order.
func isCertificateBody(tbs cryptobyte.String) bool {
	const version3 = 2
	var explicit, validity, key cryptobyte.String
	var version uint64
	if !tbs.ReadASN1(&explicit, asn1.Tag(0).ContextSpecific().Constructed()) ||
		!explicit.ReadASN1Integer(&version) || !explicit.Empty() || version != version3 {
		return false
	}
	if !tbs.SkipASN1(asn1.INTEGER) || !tbs.SkipASN1(asn1.SEQUENCE) || !tbs.SkipASN1(asn1.SEQUENCE) || // serial, algorithm, issuer
		!tbs.ReadASN1(&validity, asn1.SEQUENCE) || !skipTime(&validity) || !skipTime(&validity) || !validity.Empty() ||
		!tbs.SkipASN1(asn1.SEQUENCE) || // subject
		!tbs.ReadASN1(&key, asn1.SEQUENCE) || !key.SkipASN1(asn1.SEQUENCE) || !key.SkipASN1(asn1.BIT_STRING) || !key.Empty() {
		return false
	}
	return tbs.SkipOptionalASN1(asn1.Tag(1).ContextSpecific()) && tbs.SkipOptionalASN1(asn1.Tag(2).ContextSpecific()) && // unique identifiers
		tbs.SkipASN1(asn1.Tag(3).ContextSpecific().Constructed()) && tbs.Empty() // extensions
}

func skipTime(s *cryptobyte.String) bool {
	if s.PeekASN1Tag(asn1.GeneralizedTime) {
		return s.SkipASN1(asn1.GeneralizedTime)
	}
	return s.SkipASN1(asn1.UTCTime)
}
