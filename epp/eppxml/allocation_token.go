package eppxml

// NSAllocationToken is the namespace of the allocation token extension (RFC 8495).
const NSAllocationToken = "urn:ietf:params:xml:ns:allocationToken-1.0"

// minAllocationToken is the length facet of allocationToken:allocationTokenType; there is no greatest length but that of
// the frame.
const minAllocationToken = 1

// AllocationToken is <allocationToken:allocationToken>, the credential for having an object.
type AllocationToken struct{ Token string }

// AllocationTokenInfo is <allocationToken:info>, which asks for the token of an object.
type AllocationTokenInfo struct{}

// DecodeAllocationToken decodes <allocationToken:allocationToken>. An error never shows the token.
func DecodeAllocationToken(e *Element) (*AllocationToken, *Error) {
	out := &AllocationToken{}
	err := decodeElement(e, func(d *decoder, n int32) {
		d.noAttributes(d.rootOf(n, NSAllocationToken, "allocationToken"))
		out.Token = collapse(d.simple(n))
		d.length(n, out.Token, minAllocationToken, noMax, "")
	})
	return out, err
}

// DecodeAllocationTokenInfo decodes <allocationToken:info>.
func DecodeAllocationTokenInfo(e *Element) (*AllocationTokenInfo, *Error) {
	err := decodeElement(e, func(d *decoder, n int32) {
		d.noAttributes(d.rootOf(n, NSAllocationToken, "info"))
		d.empty(n)
	})
	return &AllocationTokenInfo{}, err
}

// AppendAllocationToken appends <allocationToken:allocationToken>.
func AppendAllocationToken(dst []byte, t *AllocationToken) []byte {
	dst = appendObjectOpen(dst, "allocationToken", NSAllocationToken, "allocationToken")
	return appendClose(appendText(dst, t.Token), "allocationToken:allocationToken")
}

// AppendAllocationTokenInfo appends <allocationToken:info>.
func AppendAllocationTokenInfo(dst []byte, _ *AllocationTokenInfo) []byte {
	dst = appendAttr(append(dst, "<allocationToken:info"...), "xmlns:allocationToken", NSAllocationToken)
	return append(dst, "/>"...)
}
