package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/registry"
)

// run does a command on an object. Every type of eppxml.Body but the session's own has
// its row here.
func (c *call) run(ctx context.Context, body eppxml.Body) (*answer, error) {
	switch b := body.(type) {
	case *eppxml.DomainCheck:
		if asked := c.extensions.launchCheck; asked != nil && asked.Form != eppxml.LaunchAvail {
			return c.launchClaimsCheck(ctx, b)
		}
		return c.domainCheck(ctx, b)
	case *eppxml.DomainInfo:
		if asked := c.extensions.launchInfo; asked != nil && asked.ApplicationID != nil {
			return c.launchApplicationInfo(ctx, b)
		}
		return c.domainInfo(ctx, b)
	case *eppxml.DomainCreate:
		if c.extensions.launchCreate != nil {
			return c.launchCreate(ctx, b)
		}
		return c.domainCreate(ctx, b)
	case *eppxml.DomainUpdate:
		if c.extensions.restore != nil {
			if c.extensions.launchUpdate != nil {
				return nil, &refusal{code: codeUseError, value: eppxml.Value{NS: eppxml.NSLaunch, Name: "update"}, reason: "an application cannot be restored"}
			}
			return c.domainRestore(ctx, b)
		}
		if c.extensions.fee != nil {
			return nil, refuse(registry.CodeParameterPolicy, "fee", "", "an update has a fee only if it restores the domain")
		}
		if c.extensions.launchUpdate != nil {
			return c.launchApplicationUpdate(ctx, b)
		}
		return c.domainUpdate(ctx, b)
	case *eppxml.DomainDelete:
		if c.extensions.launchDelete != nil {
			return c.launchApplicationDelete(ctx, b)
		}
		return c.domainDelete(ctx, b)
	case *eppxml.DomainRenew:
		return c.domainRenew(ctx, b)
	case *eppxml.HostCheck:
		return c.hostCheck(ctx, b)
	case *eppxml.HostInfo:
		return c.hostInfo(ctx, b)
	case *eppxml.HostCreate:
		return c.hostCreate(ctx, b)
	case *eppxml.HostUpdate:
		return c.hostUpdate(ctx, b)
	case *eppxml.HostDelete:
		return c.hostDelete(ctx, b)
	case *eppxml.ContactCheck:
		return c.contactCheck(ctx, b)
	case *eppxml.ContactInfo:
		return c.contactInfo(ctx, b)
	case *eppxml.ContactCreate:
		return c.contactCreate(ctx, b)
	case *eppxml.ContactUpdate:
		return c.contactUpdate(ctx, b)
	case *eppxml.ContactDelete:
		return c.contactDelete(ctx, b)
	case *eppxml.DomainTransfer:
		return c.domainTransfer(ctx, b)
	case *eppxml.ContactTransfer:
		return c.contactTransfer(ctx, b)
	case *eppxml.MaintenanceInfo:
		return c.maintenanceInfo(ctx, b)
	case *eppxml.Poll:
		return c.poll(ctx, b)
	default:
		return c.runOrg(ctx, body)
	}
}

// runOrg does the commands on organisations, and those of the key relay mapping.
func (c *call) runOrg(ctx context.Context, body eppxml.Body) (*answer, error) {
	switch b := body.(type) {
	case *eppxml.OrgCheck:
		return c.orgCheck(ctx, b)
	case *eppxml.OrgInfo:
		return c.orgInfo(ctx, b)
	case *eppxml.OrgCreate:
		return c.orgCreate(ctx, b)
	case *eppxml.OrgUpdate:
		return c.orgUpdate(ctx, b)
	case *eppxml.OrgDelete:
		return c.orgDelete(ctx, b)
	case *eppxml.KeyrelayCreate:
		return c.keyrelayCreate(ctx, b)
	default:
		return nil, &refusal{code: codeUnimplementedCommand, value: commandValue(body.Verb()), reason: "the server does not implement this command"}
	}
}

// objectOf returns the element that names the object of a command, or the command itself
// if it has none or several.
func objectOf(body eppxml.Body) eppxml.Value {
	name := func(ns, element, text string) eppxml.Value { return eppxml.Value{NS: ns, Name: element, Text: text} }
	switch b := body.(type) {
	case *eppxml.DomainCheck:
		return name(eppxml.NSDomain, "check", "")
	case *eppxml.DomainInfo:
		return name(eppxml.NSDomain, "name", b.Name)
	case *eppxml.DomainCreate:
		return name(eppxml.NSDomain, "name", b.Name)
	case *eppxml.DomainUpdate:
		return name(eppxml.NSDomain, "name", b.Name)
	case *eppxml.DomainDelete:
		return name(eppxml.NSDomain, "name", b.Name)
	case *eppxml.DomainRenew:
		return name(eppxml.NSDomain, "name", b.Name)
	case *eppxml.DomainTransfer:
		return name(eppxml.NSDomain, "name", b.Name)
	case *eppxml.HostCheck:
		return name(eppxml.NSHost, "check", "")
	case *eppxml.HostInfo:
		return name(eppxml.NSHost, "name", b.Name)
	case *eppxml.HostCreate:
		return name(eppxml.NSHost, "name", b.Name)
	case *eppxml.HostUpdate:
		return name(eppxml.NSHost, "name", b.Name)
	case *eppxml.HostDelete:
		return name(eppxml.NSHost, "name", b.Name)
	case *eppxml.ContactCheck:
		return name(eppxml.NSContact, "check", "")
	case *eppxml.ContactInfo:
		return name(eppxml.NSContact, "id", b.ID)
	case *eppxml.ContactCreate:
		return name(eppxml.NSContact, "id", b.ID)
	case *eppxml.ContactUpdate:
		return name(eppxml.NSContact, "id", b.ID)
	case *eppxml.ContactDelete:
		return name(eppxml.NSContact, "id", b.ID)
	case *eppxml.ContactTransfer:
		return name(eppxml.NSContact, "id", b.ID)
	case *eppxml.MaintenanceInfo:
		if b.ID == nil {
			return name(eppxml.NSMaintenance, "list", "")
		}
		return name(eppxml.NSMaintenance, "id", b.ID.ID)
	default:
		return orgObjectOf(body)
	}
}

// orgObjectOf is objectOf for organisations and the key relay mapping.
func orgObjectOf(body eppxml.Body) eppxml.Value {
	name := func(ns, element, text string) eppxml.Value { return eppxml.Value{NS: ns, Name: element, Text: text} }
	switch b := body.(type) {
	case *eppxml.OrgCheck:
		return name(eppxml.NSOrg, "check", "")
	case *eppxml.OrgInfo:
		return name(eppxml.NSOrg, "id", b.ID)
	case *eppxml.OrgCreate:
		return name(eppxml.NSOrg, "id", b.ID)
	case *eppxml.OrgUpdate:
		return name(eppxml.NSOrg, "id", b.ID)
	case *eppxml.OrgDelete:
		return name(eppxml.NSOrg, "id", b.ID)
	case *eppxml.KeyrelayCreate:
		return name(eppxml.NSKeyRelay, "name", b.Name)
	default:
		return commandValue(body.Verb())
	}
}

func commandValue(verb eppxml.Verb) eppxml.Value {
	return eppxml.Value{NS: eppxml.NSEPP, Name: string(verb)}
}

// isTransform says whether the command changes the registry (RFC 5730 section 2.9.3).
func isTransform(verb eppxml.Verb) bool {
	switch verb {
	case eppxml.VerbCreate, eppxml.VerbUpdate, eppxml.VerbDelete, eppxml.VerbRenew, eppxml.VerbTransfer:
		return true
	default:
		return false
	}
}
