package registry

import (
	"slices"
	"time"
)

// Maintenance is planned or urgent work on the registry's systems, of which registrars are
// told (RFC 9167 section 2).
type Maintenance struct {
	ID           string // its ROID, as the protocol shows it
	ROID         ROID
	Name         string
	Types        []MaintenanceText
	Systems      []MaintenanceSystem
	Environment  string // one of MaintenanceEnvironments
	CustomName   string // of an environment that is custom
	StartsAt     time.Time
	EndsAt       time.Time
	Emergency    bool
	Detail       string // a URI
	Descriptions []MaintenanceText
	TLDs         []DomainName // empty: all
	Intervention *MaintenanceIntervention
	// CourtesyHours is how long before the start registrars are reminded, 0 for not.
	CourtesyHours uint32

	CreatedAt time.Time
	UpdatedAt time.Time // zero if it is as it was made
	// Revision counts the operators' changes, from 1.
	Revision  uint32
	Cancelled bool
	// CourtesyAt is when registrars are to be reminded, zero if not or no more.
	CourtesyAt time.Time
	// Ended says that registrars have been told of the end.
	Ended bool
}

// MaintenanceText is a text for people.
type MaintenanceText struct {
	Text string
	Lang string // of xsd:language, such as en
	HTML bool
}

// MaintenanceSystem is a system that the work has an impact on.
type MaintenanceSystem struct {
	Name   string
	Host   string // name or address, "" if it is not said
	Impact string // none, partial or full
}

// MaintenanceIntervention says what registrars have to do afterwards.
type MaintenanceIntervention struct {
	Connection     bool // connect anew
	Implementation bool // change their programs
}

// MaintenanceEnvironments are the environments of RFC 9167 section 2.3.
func MaintenanceEnvironments() []string {
	return []string{"production", "ote", "staging", "dev", "custom"}
}

// MaintenanceImpacts are the impacts of RFC 9167 section 2.3.
func MaintenanceImpacts() []string { return []string{"none", "partial", "full"} }

// MaintenanceRetention is how long a maintenance is shown after its end or its cancellation.
const MaintenanceRetention = 90 * 24 * time.Hour

// IsOver says whether nothing more is to come but the end of the retention.
func (m *Maintenance) IsOver() bool { return m.Cancelled || m.Ended }

// NextDueAt is when time next does something about it.
func (m *Maintenance) NextDueAt() time.Time {
	switch {
	case m.Cancelled && m.UpdatedAt.After(m.EndsAt):
		return m.UpdatedAt.Add(MaintenanceRetention)
	case m.IsOver():
		return m.EndsAt.Add(MaintenanceRetention)
	case !m.CourtesyAt.IsZero() && m.CourtesyAt.Before(m.EndsAt):
		return m.CourtesyAt
	default:
		return m.EndsAt
	}
}

// Concerns says whether a registrar with those accreditations is told of it.
func (m *Maintenance) Concerns(accredited []DomainName) bool {
	if len(m.TLDs) == 0 {
		return true
	}
	return slices.ContainsFunc(m.TLDs, func(tld DomainName) bool { return slices.Contains(accredited, tld) })
}

// MaintenancePollType is the word of RFC 9167 section 3.3 for a kind of message about a
// maintenance, "" for other kinds.
func (k PollKind) MaintenancePollType() string {
	switch k {
	case PollMaintenanceCreate:
		return "create"
	case PollMaintenanceUpdate:
		return "update"
	case PollMaintenanceDelete:
		return "delete"
	case PollMaintenanceCourtesy:
		return "courtesy"
	case PollMaintenanceEnd:
		return "end"
	default:
		return ""
	}
}
