package policy

import (
	"fmt"
	"strings"
	"time"

	"cadastre/registry"
)

// MaxLaunchPhases bounds the phases of a TLD, far above what launches have.
const MaxLaunchPhases = 50

const maxPhaseNameChars = 64

// claimsClockSkew is how far the clock of whoever showed a claims notice may be ahead.
const claimsClockSkew = 5 * time.Minute

// The identifier of a notice of the Trademark Clearinghouse (RFC 9361 section 6.3): eight
// hexadecimal digits of a checksum, then a number.
const (
	noticeChecksumChars  = 8
	maxNoticeNumberChars = 19
	clearinghouse        = "tmch"
)

// refusePhase makes a refusal that names the phase element.
func refusePhase(code registry.Code, value, reason string, args ...any) error {
	return &registry.Error{Code: code, Field: "phase", Value: value, Reason: fmt.Sprintf(reason, args...)}
}

// isRunning says whether the time lies within the phase.
func isRunning(p *registry.LaunchPhase, now time.Time) bool {
	return !now.Before(p.StartsAt) && (p.EndsAt.IsZero() || now.Before(p.EndsAt))
}

// RunningPhase returns the phase that a command names if it runs now (RFC 8334 section 2.3).
// A TLD without phases is open.
func RunningPhase(tld *registry.TLD, named registry.Phase, now time.Time) (*registry.LaunchPhase, error) {
	for i := range tld.Policy.LaunchPhases {
		if p := &tld.Policy.LaunchPhases[i]; p.Phase == named && isRunning(p, now) {
			return p, nil
		}
	}
	if len(tld.Policy.LaunchPhases) == 0 && named == (registry.Phase{Type: registry.PhaseOpen}) {
		return &registry.LaunchPhase{Phase: named}, nil
	}
	return nil, refusePhase(registry.CodeParameterPolicy, named.Type, "the phase %s of the launch of .%s is not running; %s", named, tld.Name, runningText(tld, now))
}

// HasPhase says whether the launch of the TLD has the phase, at whatever time.
func HasPhase(tld *registry.TLD, named registry.Phase) bool {
	for i := range tld.Policy.LaunchPhases {
		if tld.Policy.LaunchPhases[i].Phase == named {
			return true
		}
	}
	return len(tld.Policy.LaunchPhases) == 0 && named == (registry.Phase{Type: registry.PhaseOpen})
}

// OpenPhase returns the phase in which names are registered without naming a phase: one of
// type open, of whatever name. A TLD without phases is open.
func OpenPhase(tld *registry.TLD, now time.Time) (*registry.LaunchPhase, error) {
	if len(tld.Policy.LaunchPhases) == 0 {
		return &registry.LaunchPhase{Phase: registry.Phase{Type: registry.PhaseOpen}}, nil
	}
	for i := range tld.Policy.LaunchPhases {
		if p := &tld.Policy.LaunchPhases[i]; p.Type == registry.PhaseOpen && isRunning(p, now) {
			return p, nil
		}
	}
	return nil, refusePhase(registry.CodeParameterPolicy, "", ".%s is not open for registration; %s (RFC 8334)", tld.Name, runningText(tld, now))
}

// runningText says which phases run now.
func runningText(tld *registry.TLD, now time.Time) string {
	var running []string
	for i := range tld.Policy.LaunchPhases {
		if p := &tld.Policy.LaunchPhases[i]; isRunning(p, now) {
			running = append(running, p.String())
		}
	}
	if len(running) == 0 {
		if len(tld.Policy.LaunchPhases) == 0 {
			return "it is open"
		}
		return "no phase is running now"
	}
	return "running now: " + strings.Join(running, ", ")
}

// CheckCodes says whether codes and unsigned marks may come with a create in the phase. They
// are proof that only people can judge, so that they go with applications.
func CheckCodes(p *registry.LaunchPhase, codes int) error {
	switch {
	case p.Type == registry.PhaseSunrise && codes == 0:
		return refusePhase(registry.CodeParameterMissing, p.Type, "an application in the sunrise phase brings a code or a mark (RFC 8334 section 3.3.1)")
	case codes > 0 && !p.Applications:
		return refusePhase(registry.CodeParameterPolicy, p.Type, "codes and marks are judged by the registry; the phase %s takes no applications", p.Phase)
	case codes > 0 && p.Type != registry.PhaseSunrise && p.Type != registry.PhaseCustom:
		return refusePhase(registry.CodeParameterPolicy, p.Type, "codes and marks belong to the sunrise phase (RFC 8334 section 3.3.1)")
	}
	return nil
}

// CheckNotices says whether the claims notices that come with a create are what the phase
// asks for: there if they must be, of a possible form, and accepted before now and before
// they ended, which they must not have done yet (RFC 8334 section 3.3.2).
func CheckNotices(p *registry.LaunchPhase, notices []registry.ClaimsNotice, now time.Time) error {
	refuse := func(code registry.Code, field, value, reason string, args ...any) error {
		return &registry.Error{Code: code, Field: field, Value: value, Reason: fmt.Sprintf(reason, args...)}
	}
	if p.NoticeRequired && len(notices) == 0 {
		return refuse(registry.CodeParameterMissing, "notice", "", "the phase %s asks for the claims notice that was accepted", p.Phase)
	}
	for i := range notices {
		n := &notices[i]
		switch {
		case (n.ValidatorID == "" || n.ValidatorID == clearinghouse) && !isNoticeID(n.ID):
			return refuse(registry.CodeParameterPolicy, "noticeID", n.ID, "a claims notice is named by eight hexadecimal digits and a number (RFC 9361 section 6.3)")
		case n.AcceptedAt.After(now.Add(claimsClockSkew)):
			return refuse(registry.CodeParameterPolicy, "acceptedDate", n.AcceptedAt.Format(time.RFC3339), "the notice was accepted in the future; it is %s", now.Format(time.RFC3339))
		case n.AcceptedAt.After(n.NotAfter):
			return refuse(registry.CodeParameterPolicy, "acceptedDate", n.AcceptedAt.Format(time.RFC3339), "the notice was accepted after it had ended")
		case !n.NotAfter.After(now):
			return refuse(registry.CodeParameterPolicy, "notAfter", n.NotAfter.Format(time.RFC3339), "the notice has ended; show the registrant a new one")
		}
	}
	return nil
}

func isNoticeID(id string) bool {
	if len(id) <= noticeChecksumChars || len(id) > noticeChecksumChars+maxNoticeNumberChars {
		return false
	}
	return strings.Trim(id[:noticeChecksumChars], "0123456789abcdefABCDEF") == "" && strings.Trim(id[noticeChecksumChars:], "0123456789") == ""
}

// FirstStatus is the status of a new application: proof must be validated by people, where
// there is none the application is valid.
func FirstStatus(codes int) registry.ApplicationStatus {
	if codes > 0 {
		return registry.ApplicationPendingValidation
	}
	return registry.ApplicationValidated
}

// CheckStep says whether an application may go from one status to the next (RFC 8334 section
// 2.4.1): never back to where it began, not from where it ended, and to a name only once it
// is no longer to be validated.
func CheckStep(from, to registry.ApplicationStatus) error {
	reason := ""
	switch {
	case from.IsFinal():
		reason = fmt.Sprintf("the application is %s, which is final", from)
	case to < registry.ApplicationValidated || to > registry.ApplicationCustom:
		reason = "an application does not go to this status"
	case from == registry.ApplicationPendingValidation && (to == registry.ApplicationAllocated || to == registry.ApplicationPendingAllocation):
		reason = "the application is not validated yet"
	case from == to && to != registry.ApplicationCustom:
		reason = fmt.Sprintf("the application is %s already", from)
	default:
		return nil
	}
	return &registry.Error{Code: registry.CodeStatusProhibits, Field: "status", Value: to.String(), Reason: reason}
}

// checkLaunchPhases says what is wrong with the phases of a TLD, "" if nothing is.
func checkLaunchPhases(phases []registry.LaunchPhase) string {
	if len(phases) > MaxLaunchPhases {
		return fmt.Sprintf("a launch has at most %d phases", MaxLaunchPhases)
	}
	for i := range phases {
		p := &phases[i]
		switch p.Type {
		case registry.PhaseSunrise, registry.PhaseLandrush, registry.PhaseClaims, registry.PhaseOpen:
		case registry.PhaseCustom:
			if p.Name == "" {
				return "a custom phase has a name"
			}
		default:
			return fmt.Sprintf("%q is not a phase: sunrise, landrush, claims, open or custom", p.Type)
		}
		switch {
		case len(p.Name) > maxPhaseNameChars || strings.Join(strings.Fields(p.Name), " ") != p.Name:
			return fmt.Sprintf("%q is not the name of a phase: at most %d characters without white space around", p.Name, maxPhaseNameChars)
		case !p.EndsAt.IsZero() && !p.EndsAt.After(p.StartsAt):
			return fmt.Sprintf("the phase %s ends before it starts", p.Phase)
		case p.Type == registry.PhaseOpen && p.Applications:
			return "the open phase takes no applications"
		case p.Type == registry.PhaseSunrise && !p.Applications:
			return "the sunrise phase takes applications: signed marks, which would decide at once, are not validated here"
		}
		for k := range phases[:i] {
			if other := &phases[k]; other.Phase == p.Phase && overlap(other, p) {
				return fmt.Sprintf("the phase %s is listed twice for the same time", p.Phase)
			}
		}
	}
	return ""
}

func overlap(a, b *registry.LaunchPhase) bool {
	return (a.EndsAt.IsZero() || b.StartsAt.Before(a.EndsAt)) && (b.EndsAt.IsZero() || a.StartsAt.Before(b.EndsAt))
}
