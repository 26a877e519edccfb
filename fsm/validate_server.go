package fsm

import (
	"cadastre/fsm/fsmpb"
	"cadastre/policy"
	"cadastre/registry"
)

// Bounds on the TTLs of a command: more types than an object has records of.
const (
	maxTTLsPerCommand = 16
	maxTypeOctets     = 32
)

// ttls checks a list in which no type comes twice.
func (k *checker) ttls(list []*fsmpb.TTL) {
	k.count("ttl", len(list), maxTTLsPerCommand)
	seen := map[string]bool{}
	for _, ttl := range list {
		k.require(ttl.GetType() != "" && len(ttl.GetType()) <= maxTypeOctets, "ttl", "", "a TTL is of a record type")
		k.require(!seen[ttl.GetType()], "ttl", ttl.GetType(), "the TTL of a record type is given once")
		k.require(ttl.GetSeconds() <= policy.MaxTTLSeconds, "ttl", "", "a TTL has at most 31 bits (RFC 2181 section 8)")
		seen[ttl.GetType()] = true
	}
}

// maxCaseOctets bounds what identifies a case, far above what dispute providers use.
const maxCaseOctets = 255

func (k *checker) serverUpdate(command *fsmpb.Command) {
	switch body := command.GetBody().(type) {
	case *fsmpb.Command_DomainServerUpdate:
		c := body.DomainServerUpdate
		k.name("name", c.GetName())
		k.serverStatuses(command, c.GetAddStatuses(), c.GetRemoveStatuses(), c.GetCase())
	case *fsmpb.Command_HostServerUpdate:
		c := body.HostServerUpdate
		k.name("name", c.GetName())
		k.serverStatuses(command, c.GetAddStatuses(), c.GetRemoveStatuses(), c.GetCase())
	case *fsmpb.Command_ContactServerUpdate:
		c := body.ContactServerUpdate
		k.contactID("id", c.GetId())
		k.serverStatuses(command, c.GetAddStatuses(), c.GetRemoveStatuses(), c.GetCase())
	}
}

func (k *checker) serverStatuses(command *fsmpb.Command, add, remove []string, about *fsmpb.Case) {
	k.statuses(add, remove)
	k.require(command.GetReason() != "", "reason", "", "a change by the registry needs a reason, which the registrar is told")
	if about == nil {
		return
	}
	switch about.GetType() {
	case registry.CaseUDRP, registry.CaseURS:
		k.require(about.GetName() == "", "case", about.GetName(), "only a custom case has a name (RFC 8590 section 2)")
	case registry.CaseCustom:
	default:
		k.fail(registry.CodeParameterSyntax, "case", about.GetType(), "a case is of type udrp, urs or custom (RFC 8590 section 2)")
	}
	k.require(about.GetId() != "" && len(about.GetId()) <= maxCaseOctets && len(about.GetName()) <= maxCaseOctets,
		"case", about.GetId(), "the identifier of a case has 1 to %d octets", maxCaseOctets)
}
