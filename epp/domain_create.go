package epp

import (
	"context"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// domainCreate is <create> of a domain (RFC 5731 section 3.2.1).
func (c *call) domainCreate(ctx context.Context, q *eppxml.DomainCreate) (*answer, error) {
	command, err := c.domainCreateCommand(q)
	if err != nil {
		return nil, err
	}
	return c.createDomain(ctx, command)
}

// domainCreateCommand returns what the client asks for as the registry takes it.
func (c *call) domainCreateCommand(q *eppxml.DomainCreate) (*fsmpb.DomainCreate, error) {
	command := &fsmpb.DomainCreate{Registrant: q.Registrant, Orgs: orgLinks(c.extensions.orgCreate)}
	var err error
	if command.Name, err = canonicalName("name", q.Name); err != nil {
		return nil, err
	}
	if command.PeriodYears, err = periodYears(q.Period); err != nil {
		return nil, err
	}
	if command.NameServers, err = hostNames(q.NS); err != nil {
		return nil, err
	}
	if command.HostAttributes, err = hostAttributes(q.NS); err != nil {
		return nil, err
	}
	if command.Contacts, err = domainContacts(q.Contacts); err != nil {
		return nil, err
	}
	if command.AuthInfo, err = c.newAuthInfo(q.AuthInfo); err != nil {
		return nil, err
	}
	addSecurity(command, c.extensions.secDNSCreate)
	c.addIDN(command)
	if command.Ttls, err = ttlCommands(c.extensions.ttls); err != nil {
		return nil, err
	}
	if command.Fee, err = c.agreedFee(); err != nil {
		return nil, err
	}
	command.AllocationTokenSha256 = c.tokenHash()
	if command.Roid, err = newROID("D"); err != nil {
		return nil, err
	}
	return command, nil
}

// createDomain has the name registered.
func (c *call) createDomain(ctx context.Context, command *fsmpb.DomainCreate) (*answer, error) {
	result, err := c.propose(ctx, &fsmpb.Command{Body: &fsmpb.Command_DomainCreate{DomainCreate: command}})
	if err != nil {
		return nil, err
	}
	a := c.done(result, eppxml.AppendDomainCreData(nil, &eppxml.DomainCreData{
		Name: command.GetName(), CrDate: instant(result.GetCreatedAtMs()), ExDate: instant(result.GetExpiresAtMs()),
	}))
	a.extensions = append(a.extensions, shownIDN(command.GetName(), result.GetIdnTable())...)
	return c.withFees(a, "creData", feeRegistration, result), nil
}

// periodYears returns a period in years, 0 if none was given.
func periodYears(p eppxml.Period) (uint32, error) {
	if p.Unit == eppxml.UnitMonth {
		return 0, refuse(registry.CodeParameterPolicy, "period", "", "periods are in years here")
	}
	return uint32(p.Count), nil
}

func domainContacts(given []eppxml.DomainContact) ([]*fsmpb.DomainContact, error) {
	links := make([]*fsmpb.DomainContact, 0, len(given))
	for _, contact := range given {
		if contact.Type == "" {
			return nil, refuse(registry.CodeParameterMissing, "contact", contact.ID, "a contact of a domain has a type")
		}
		links = append(links, &fsmpb.DomainContact{Role: contact.Type, Id: contact.ID})
	}
	return links, nil
}

// instant returns the time of Unix milliseconds, the zero time for 0.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
