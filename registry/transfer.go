package registry

import "time"

// TransferStatus says how a transfer stands (trStatusType of eppcom-1.0, RFC 5730 section
// 2.9.3.4). The numbers are stored.
type TransferStatus uint8

// The statuses.
const (
	TransferPending         TransferStatus = 1
	TransferClientApproved  TransferStatus = 2
	TransferClientRejected  TransferStatus = 3
	TransferClientCancelled TransferStatus = 4
	TransferServerApproved  TransferStatus = 5
	TransferServerCancelled TransferStatus = 6
)

// String returns the status as EPP writes it.
func (s TransferStatus) String() string {
	switch s {
	case TransferPending:
		return "pending"
	case TransferClientApproved:
		return "clientApproved"
	case TransferClientRejected:
		return "clientRejected"
	case TransferClientCancelled:
		return "clientCancelled"
	case TransferServerApproved:
		return "serverApproved"
	default:
		return "serverCancelled"
	}
}

// IsApproval says whether the object went to the requester.
func (s TransferStatus) IsApproval() bool {
	return s == TransferClientApproved || s == TransferServerApproved
}

// Transfer is the latest transfer of a domain or contact. A value is never changed once it
// belongs to an object: what happens to the transfer makes a new one.
type Transfer struct {
	Status      TransferStatus
	Requester   RegistrarID // who wants the object
	RequestedAt time.Time
	Losing      RegistrarID // the sponsor when it was requested
	// ActAt is, while pending, when the server approves unless the losing registrar acts
	// before; afterwards when the transfer ended.
	ActAt time.Time

	// PeriodYears is, of a domain, what the transfer adds to the registration.
	PeriodYears uint32
	// ExpiresAt is, of a domain, the expiry that the transfer leads to; zero once it has failed.
	ExpiresAt time.Time
	// ReservedRow is, of a domain, the ledger row that set the price aside.
	ReservedRow uint64
}

// IsPending says whether there is a transfer that waits for an answer; nil is none.
func (t *Transfer) IsPending() bool { return t != nil && t.Status == TransferPending }

// Actor is who should act while the transfer is pending and afterwards whose action, or lack
// of one, ended it: the losing registrar unless the requester cancelled (acID of RFC 5731
// section 3.1.3).
func (t *Transfer) Actor() RegistrarID {
	if t.Status == TransferClientCancelled {
		return t.Requester
	}
	return t.Losing
}

// NextDueAt returns when time next changes the contact: when a pending transfer is approved,
// zero if there is none.
func (c *Contact) NextDueAt() time.Time {
	if c.Transfer.IsPending() {
		return c.Transfer.ActAt
	}
	return time.Time{}
}
