package eppxml

import "time"

// PanData reports the end of a pending action on a domain, host or contact, for a poll message.
type PanData struct {
	// ID is the name of the domain or host, or the identifier of the contact.
	ID     string
	Result bool
	// ClTRID and SvTRID are those of the command that left the action pending; ClTRID may be empty.
	ClTRID, SvTRID string
	Date           time.Time
}

// AppendDomainPanData appends the pending-action data of a domain (RFC 5731 section 3.3).
func AppendDomainPanData(dst []byte, r *PanData) []byte {
	return appendPanData(dst, "domain", NSDomain, "domain:name", r)
}

// AppendHostPanData appends the pending-action data of a host (RFC 5732 section 3.3).
func AppendHostPanData(dst []byte, r *PanData) []byte {
	return appendPanData(dst, "host", NSHost, "host:name", r)
}

// AppendContactPanData appends the pending-action data of a contact (RFC 5733 section 3.3).
func AppendContactPanData(dst []byte, r *PanData) []byte {
	return appendPanData(dst, "contact", NSContact, "contact:id", r)
}

func appendPanData(dst []byte, prefix, ns, key string, r *PanData) []byte {
	dst = appendObjectOpen(dst, prefix, ns, "panData")
	dst = append(append(dst, '<'), key...)
	dst = append(appendBool(dst, "paResult", r.Result), '>')
	dst = appendClose(appendText(dst, r.ID), key)
	dst = append(append(append(dst, '<'), prefix...), ":paTRID>"...)
	dst = appendTRIDs(dst, r.ClTRID, r.SvTRID)
	dst = appendClose(dst, prefix+":paTRID")
	dst = appendTime(dst, prefix+":paDate", r.Date)
	return appendClose(dst, prefix+":panData")
}
