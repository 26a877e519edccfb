package registry

import "time"

// Phase names a phase of the launch of a TLD (RFC 8334 section 2.3). The zero value is none.
type Phase struct {
	Type string // sunrise, landrush, claims, open or custom
	Name string // of a custom phase, or of a part of another one
}

// The types of phases.
const (
	PhaseSunrise  = "sunrise"
	PhaseLandrush = "landrush"
	PhaseClaims   = "claims"
	PhaseOpen     = "open"
	PhaseCustom   = "custom"
)

// String returns the type and, after a slash, the name.
func (p Phase) String() string {
	if p.Name == "" {
		return p.Type
	}
	return p.Type + "/" + p.Name
}

// LaunchPhase is a phase of the launch of a TLD.
type LaunchPhase struct {
	Phase
	// StartsAt and EndsAt are the first instant and the first after the last; zero for no bound.
	StartsAt time.Time
	EndsAt   time.Time
	// Applications says that names are applied for, and operators decide. Otherwise the first
	// to come gets the name.
	Applications bool
	// NoticeRequired says that names are given only to those who accepted a claims notice.
	NoticeRequired bool
}

// ClaimsNotice is a notice of trademark claims that a registrant accepted.
type ClaimsNotice struct {
	ID          string
	ValidatorID string // "" for the Trademark Clearinghouse
	NotAfter    time.Time
	AcceptedAt  time.Time
}

// LaunchCode is what an applicant gives as proof of a right to the name.
type LaunchCode struct {
	Code        string
	ValidatorID string
	Mark        []byte // a mark element of mark-1.0, in XML; nil for none
}

// ApplicationStatus says how an application stands (RFC 8334 section 2.4). Stored.
type ApplicationStatus uint8

// The statuses.
const (
	ApplicationPendingValidation ApplicationStatus = 1
	ApplicationValidated         ApplicationStatus = 2
	ApplicationInvalid           ApplicationStatus = 3
	ApplicationPendingAllocation ApplicationStatus = 4
	ApplicationAllocated         ApplicationStatus = 5
	ApplicationRejected          ApplicationStatus = 6
	ApplicationCustom            ApplicationStatus = 7
)

// String returns the status in the words of RFC 8334.
func (s ApplicationStatus) String() string {
	names := []string{"", "pendingValidation", "validated", "invalid", "pendingAllocation", "allocated", "rejected", "custom"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// IsFinal says whether nothing comes after the status.
func (s ApplicationStatus) IsFinal() bool {
	return s == ApplicationInvalid || s == ApplicationAllocated || s == ApplicationRejected
}

// Application is a wish for a name in a phase that takes applications. There may be several
// for a name.
type Application struct {
	ID         string // in the form of a ROID
	Phase      Phase
	Status     ApplicationStatus
	StatusName string // of a custom status
	StatusAt   time.Time
	// Domain is what it would become; its sponsor is the applicant.
	Domain      Domain
	PeriodYears uint32
	// ReservedRow is the ledger row that set the price aside, 0 once it was given back.
	ReservedRow uint64
	Codes       []LaunchCode
	// Action is the command that applied.
	Action Action
}

// ApplicationStep is a status that an application came to.
type ApplicationStep struct {
	ID         string
	Phase      Phase
	Status     ApplicationStatus
	StatusName string
	Reason     string // what the operator said, if anything
}
