package fsm

import (
	"fmt"

	"cadastre/fsm/fsmpb"
)

const (
	maxROIDChars = 89 // 80, a hyphen and a suffix of 8 (eppcom-1.0, roidType)
	// maxPeriodYears is what periodType of domain-1.0 admits; policies admit less.
	maxPeriodYears = 99
)

func (k *checker) transferOrPoll(command *fsmpb.Command) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_DomainTransferRequest:
		c := body.DomainTransferRequest
		k.name("name", c.GetName())
		k.authProof(c.GetAuthProof())
		k.fee(c.GetFee())
		k.presentedToken(c.GetAllocationTokenSha256())
		k.require(c.GetPeriodYears() <= maxPeriodYears, "period", fmt.Sprint(c.GetPeriodYears()), "a period has at most %d years", maxPeriodYears)
	case *fsmpb.Command_DomainTransferApprove:
		k.name("name", body.DomainTransferApprove.GetName())
	case *fsmpb.Command_DomainTransferReject:
		k.name("name", body.DomainTransferReject.GetName())
	case *fsmpb.Command_DomainTransferCancel:
		k.name("name", body.DomainTransferCancel.GetName())
	case *fsmpb.Command_ContactTransferRequest:
		k.contactID("id", body.ContactTransferRequest.GetId())
		k.authProof(body.ContactTransferRequest.GetAuthProof())
	case *fsmpb.Command_ContactTransferApprove:
		k.contactID("id", body.ContactTransferApprove.GetId())
	case *fsmpb.Command_ContactTransferReject:
		k.contactID("id", body.ContactTransferReject.GetId())
	case *fsmpb.Command_ContactTransferCancel:
		k.contactID("id", body.ContactTransferCancel.GetId())
	}
}

// authProof bounds a proof; an empty one is well-formed and proves nothing.
func (k *checker) authProof(p *fsmpb.AuthProof) {
	k.require(len(p.GetRoid()) <= maxROIDChars && len(p.GetSalt()) <= sha256Octets && len(p.GetHash()) <= sha256Octets,
		"authInfo", "", "a proof of authorisation information is a salted SHA-256")
}
