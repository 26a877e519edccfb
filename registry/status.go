package registry

import "slices"

// Status is a status value of a domain, host, contact or organisation (RFC 5731 section 2.3,
// RFC 5732 section 2.3, RFC 5733 section 2.2, RFC 8543 section 3.4).
type Status string

// The status values. StatusOK, StatusInactive and StatusLinked are derived, never stored.
const (
	StatusOK                       Status = "ok"
	StatusInactive                 Status = "inactive"
	StatusLinked                   Status = "linked"
	StatusClientDeleteProhibited   Status = "clientDeleteProhibited"
	StatusClientHold               Status = "clientHold"
	StatusClientRenewProhibited    Status = "clientRenewProhibited"
	StatusClientTransferProhibited Status = "clientTransferProhibited"
	StatusClientUpdateProhibited   Status = "clientUpdateProhibited"
	StatusServerDeleteProhibited   Status = "serverDeleteProhibited"
	StatusServerHold               Status = "serverHold"
	StatusServerRenewProhibited    Status = "serverRenewProhibited"
	StatusServerTransferProhibited Status = "serverTransferProhibited"
	StatusServerUpdateProhibited   Status = "serverUpdateProhibited"
	StatusPendingCreate            Status = "pendingCreate"
	StatusPendingDelete            Status = "pendingDelete"
	StatusPendingRenew             Status = "pendingRenew"
	StatusPendingTransfer          Status = "pendingTransfer"
	StatusPendingUpdate            Status = "pendingUpdate"
)

// Statuses is the stored set of an object, kept sorted and without duplicates.
type Statuses []Status

// Has says whether any of the wanted statuses is in the set.
func (s Statuses) Has(wanted ...Status) bool {
	for _, w := range wanted {
		if slices.Contains(s, w) {
			return true
		}
	}
	return false
}

// With returns the set with status added; s itself is not changed.
func (s Statuses) With(status Status) Statuses {
	at, found := slices.BinarySearch(s, status)
	if found {
		return s
	}
	return slices.Insert(slices.Clone(s), at, status)
}

// Without returns the set without status; s itself is not changed.
func (s Statuses) Without(status Status) Statuses {
	at, found := slices.BinarySearch(s, status)
	if !found {
		return s
	}
	return slices.Delete(slices.Clone(s), at, at+1)
}

// IsClientStatus says whether a registrar may set the status on an object of the kind.
func IsClientStatus(kind ObjectKind, status Status) bool {
	switch status {
	case StatusClientDeleteProhibited, StatusClientUpdateProhibited:
		return kind == KindDomain || kind == KindHost || kind == KindContact || kind == KindOrg
	case StatusClientTransferProhibited:
		return kind == KindDomain || kind == KindContact
	case StatusClientHold, StatusClientRenewProhibited:
		return kind == KindDomain
	case StatusClientLinkProhibited:
		return kind == KindOrg
	default:
		return false
	}
}

// IsServerStatus says whether an operator may set the status on an object of the kind.
func IsServerStatus(kind ObjectKind, status Status) bool {
	switch status {
	case StatusServerDeleteProhibited, StatusServerUpdateProhibited:
		return kind == KindDomain || kind == KindHost || kind == KindContact || kind == KindOrg
	case StatusServerTransferProhibited:
		return kind == KindDomain || kind == KindContact
	case StatusServerHold, StatusServerRenewProhibited:
		return kind == KindDomain
	case StatusServerLinkProhibited, StatusHold, StatusTerminated:
		return kind == KindOrg
	default:
		return false
	}
}
