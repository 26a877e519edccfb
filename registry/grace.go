package registry

import "time"

// RGPStatus is a status of the grace period extension (RFC 3915 section 3.1). They follow
// from grace periods and deletion phase and are never stored.
type RGPStatus string

// The statuses.
const (
	RGPAddPeriod        RGPStatus = "addPeriod"
	RGPRenewPeriod      RGPStatus = "renewPeriod"
	RGPAutoRenewPeriod  RGPStatus = "autoRenewPeriod"
	RGPTransferPeriod   RGPStatus = "transferPeriod"
	RGPRedemptionPeriod RGPStatus = "redemptionPeriod"
	RGPPendingRestore   RGPStatus = "pendingRestore"
	RGPPendingDelete    RGPStatus = "pendingDelete"
)

// RGPStatuses returns the grace period statuses at the given instant, each once, in the
// order in which the periods began.
func (d *Domain) RGPStatuses(now time.Time) []RGPStatus {
	switch d.Phase {
	case PhaseRedemption:
		return []RGPStatus{RGPRedemptionPeriod}
	case PhasePendingRestore:
		return []RGPStatus{RGPPendingRestore}
	case PhasePendingDelete:
		return []RGPStatus{RGPPendingDelete}
	}
	var statuses []RGPStatus
	seen := map[GraceKind]bool{}
	for _, g := range d.Graces {
		if seen[g.Kind] || !g.EndsAt.After(now) {
			continue
		}
		seen[g.Kind] = true
		switch g.Kind {
		case GraceAdd:
			statuses = append(statuses, RGPAddPeriod)
		case GraceRenew:
			statuses = append(statuses, RGPRenewPeriod)
		case GraceAutoRenew:
			statuses = append(statuses, RGPAutoRenewPeriod)
		case GraceTransfer:
			statuses = append(statuses, RGPTransferPeriod)
		}
	}
	return statuses
}

// RestoreReport says why a deleted domain was restored (RFC 3915 section 4.2.5). It is kept
// in the domain's history.
type RestoreReport struct {
	PreData    string
	PostData   string
	DeletedAt  time.Time
	RestoredAt time.Time
	Reason     string
	Statements []string
	Other      string
}
