package fsm

import (
	"fmt"

	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// Bounds of what comes with a create during a launch, far above what launches have.
const (
	maxLaunchCodes     = 10
	maxClaimsNotices   = 20
	maxMarkOctets      = 32 << 10
	maxLaunchIDOctets  = 255 // of codes, notices, validators and names of phases and statuses
	maxStatusNameChars = 64
)

func (k *checker) launch(command *fsmpb.Command) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_LaunchApplicationCreate:
		c := body.LaunchApplicationCreate
		k.require(c.GetDomain() != nil && c.GetDomain().GetLaunchPhase() != nil, "phase", "", "an application is for a domain, in a phase")
		k.domainCreate(c.GetDomain())
		k.roid(c.GetApplicationRoid())
		k.launchCodes(c.GetCodes())
	case *fsmpb.Command_LaunchApplicationUpdate:
		c := body.LaunchApplicationUpdate
		k.applicationID(c.GetApplicationId())
		k.launchPhase(c.GetLaunchPhase())
		k.require(c.GetChange() != nil, "name", "", "an update says what to change")
		k.domainUpdate(c.GetChange())
	case *fsmpb.Command_LaunchApplicationDelete:
		c := body.LaunchApplicationDelete
		k.applicationID(c.GetApplicationId())
		k.launchPhase(c.GetLaunchPhase())
		k.name("name", c.GetName())
	case *fsmpb.Command_LaunchApplicationDecide:
		c := body.LaunchApplicationDecide
		k.applicationID(c.GetApplicationId())
		isCustom := registry.ApplicationStatus(c.GetStatus()) == registry.ApplicationCustom
		k.require(c.GetStatus() >= uint32(registry.ApplicationPendingValidation) && c.GetStatus() <= uint32(registry.ApplicationCustom),
			"status", fmt.Sprint(c.GetStatus()), "there is no such status (RFC 8334 section 2.4)")
		k.require(isCustom == (c.GetStatusName() != "") && len(c.GetStatusName()) <= maxStatusNameChars, "status", c.GetStatusName(),
			"a custom status, and no other, has a name, of at most %d characters", maxStatusNameChars)
	}
}

func (k *checker) applicationID(id string) {
	k.require(id != "" && len(id) <= maxROIDChars, "applicationID", "", "the identifier of an application has 1 to %d characters", maxROIDChars)
}

func (k *checker) launchPhase(p *fsmpb.LaunchPhaseName) {
	k.require(len(p.GetType()) <= maxLaunchIDOctets && len(p.GetName()) <= maxLaunchIDOctets, "phase", "", "the name of a phase is longer than %d octets", maxLaunchIDOctets)
}

func (k *checker) launchPhases(phases []*fsmpb.LaunchPhase) {
	k.count("launch_phases", len(phases), policy.MaxLaunchPhases)
	for _, p := range phases {
		k.launchPhase(p.GetPhase())
		k.instant("starts_at", p.GetStartsAtMs())
		k.instant("ends_at", p.GetEndsAtMs())
	}
}

func (k *checker) launchCodes(codes []*fsmpb.LaunchCode) {
	k.count("codeMark", len(codes), maxLaunchCodes)
	for _, c := range codes {
		k.require(len(c.GetCode()) <= maxLaunchIDOctets && len(c.GetValidatorId()) <= maxLaunchIDOctets, "codeMark", "", "a code is longer than %d octets", maxLaunchIDOctets)
		k.require(len(c.GetMark()) <= maxMarkOctets, "codeMark", "", "a mark is longer than %d octets", maxMarkOctets)
		k.require(c.GetCode() != "" || len(c.GetMark()) > 0, "codeMark", "", "a code or a mark is required")
	}
}

func (k *checker) claimsNotices(notices []*fsmpb.ClaimsNotice) {
	k.count("notice", len(notices), maxClaimsNotices)
	for _, n := range notices {
		k.require(n.GetId() != "" && len(n.GetId()) <= maxLaunchIDOctets && len(n.GetValidatorId()) <= maxLaunchIDOctets,
			"noticeID", "", "the identifier of a notice has 1 to %d octets", maxLaunchIDOctets)
		k.instant("notAfter", n.GetNotAfterMs())
		k.instant("acceptedDate", n.GetAcceptedAtMs())
	}
}
