package eppxml

import "time"

// DomainTransfer is <transfer> of a domain (RFC 5731 section 3.2.4), whatever its operation.
type DomainTransfer struct {
	Op       TransferOp
	Name     string
	Period   Period
	AuthInfo *AuthInfo
}

// Verb implements Body.
func (*DomainTransfer) Verb() Verb { return VerbTransfer }

func (d *decoder) domainTransfer(op TransferOp, n int32) *DomainTransfer {
	c := d.sequence(n)
	out := &DomainTransfer{Op: op, Name: d.label(c.expect("name"))}
	out.Period = c.optionalPeriod()
	if n, ok := c.optional("authInfo"); ok {
		out.AuthInfo = d.authInfo(n, false)
	}
	c.end()
	return out
}

// DomainTrnData is the response data of a domain transfer. A zero ExDate is left out.
type DomainTrnData struct {
	Name string
	// TrStatus is one of eppcom:trStatusType: pending, clientApproved, clientCancelled, clientRejected, serverApproved,
	// serverCancelled.
	TrStatus               string
	ReID, AcID             string
	ReDate, AcDate, ExDate time.Time
}

// AppendDomainTrnData appends the response data of a domain transfer.
func AppendDomainTrnData(dst []byte, r *DomainTrnData) []byte {
	dst = appendObjectOpen(dst, "domain", NSDomain, "trnData")
	dst = appendLeaf(dst, "domain:name", r.Name)
	dst = appendLeaf(dst, "domain:trStatus", r.TrStatus)
	dst = appendLeaf(dst, "domain:reID", r.ReID)
	dst = appendTime(dst, "domain:reDate", r.ReDate)
	dst = appendLeaf(dst, "domain:acID", r.AcID)
	dst = appendTime(dst, "domain:acDate", r.AcDate)
	dst = appendTime(dst, "domain:exDate", r.ExDate)
	return appendClose(dst, "domain:trnData")
}
