package eppxml

import "time"

// ContactTransfer is <transfer> of a contact (RFC 5733 section 3.2.3), whatever its operation.
type ContactTransfer struct {
	Op       TransferOp
	ID       string
	AuthInfo *AuthInfo
}

// Verb implements Body.
func (*ContactTransfer) Verb() Verb { return VerbTransfer }

func (d *decoder) contactTransfer(op TransferOp, n int32) *ContactTransfer {
	out := &ContactTransfer{Op: op}
	out.ID, out.AuthInfo = d.contactAuthID(n)
	return out
}

// ContactTrnData is the response data of a contact transfer.
type ContactTrnData struct {
	ID string
	// TrStatus is one of eppcom:trStatusType, as in DomainTrnData.
	TrStatus       string
	ReID, AcID     string
	ReDate, AcDate time.Time
}

// AppendContactTrnData appends the response data of a contact transfer.
func AppendContactTrnData(dst []byte, r *ContactTrnData) []byte {
	dst = appendObjectOpen(dst, "contact", NSContact, "trnData")
	dst = appendLeaf(dst, "contact:id", r.ID)
	dst = appendLeaf(dst, "contact:trStatus", r.TrStatus)
	dst = appendLeaf(dst, "contact:reID", r.ReID)
	dst = appendTime(dst, "contact:reDate", r.ReDate)
	dst = appendLeaf(dst, "contact:acID", r.AcID)
	dst = appendTime(dst, "contact:acDate", r.AcDate)
	return appendClose(dst, "contact:trnData")
}
