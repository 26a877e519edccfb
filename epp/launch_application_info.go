package epp

import (
	"context"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// launchApplicationInfo shows an application to its applicant and to whoever gives the right
// authorisation information (RFC 8334 section 3.2).
func (c *call) launchApplicationInfo(ctx context.Context, q *eppxml.DomainInfo) (*answer, error) {
	name, err := canonicalName("name", q.Name)
	if err != nil {
		return nil, err
	}
	asked := c.extensions.launchInfo
	if len(*asked.ApplicationID) > maxShownOctets {
		return nil, refuse(registry.CodeObjectDoesNotExist, "applicationID", "", "no application has an identifier of more than %d octets", maxShownOctets)
	}
	a := ok(nil)
	err = c.view(ctx, func(tx *store.ReadTx) error {
		application, found := tx.Application(*asked.ApplicationID)
		if !found || string(application.Domain.Name) != name {
			return refuse(registry.CodeObjectDoesNotExist, "applicationID", *asked.ApplicationID, "there is no such application for the name")
		}
		domain := &application.Domain
		isApplicant := domain.Sponsor == c.registrar
		if q.AuthInfo != nil {
			target := &authTarget{object: registry.ROID(application.ID), sponsor: domain.Sponsor, stored: domain.AuthInfo}
			if err := c.checkAuthInfo(tx, q.AuthInfo, target); err != nil {
				return err
			}
		} else if !isApplicant {
			return refuse(registry.CodeAuthorization, "applicationID", *asked.ApplicationID, "the application is of another registrar")
		}
		if application.Phase != registry.Phase(asked.Phase) {
			return refuse(registry.CodeParameterPolicy, "phase", asked.Phase.Type, "the application is of the phase %s", application.Phase)
		}
		info := publicDomainInfo(tx, domain, eppxml.HostsDelegated)
		addFullDomainInfo(info, domain)
		a.data = eppxml.AppendDomainInfData(nil, info)
		a.extensions = append(shownSecurity(domain), shownApplication(application, asked.IncludeMark))
		if tld, found := tx.TLD(domain.TLD); found {
			a.extensions = append(a.extensions, c.shownTTLs(tld, registry.KindDomain, domain.TTLs)...)
		}
		return nil
	})
	return a, err
}

func shownApplication(application *registry.Application, includeMark bool) extensionData {
	data := &eppxml.LaunchInfData{
		Phase: eppxml.LaunchPhase(application.Phase), ApplicationID: application.ID,
		Status: application.Status.String(), StatusName: application.StatusName,
	}
	for i := range application.Codes {
		if mark := application.Codes[i].Mark; includeMark && len(mark) > 0 {
			data.Marks = append(data.Marks, mark)
		}
	}
	return extensionData{uri: eppxml.NSLaunch, xml: eppxml.AppendLaunchInfData(nil, data)}
}
