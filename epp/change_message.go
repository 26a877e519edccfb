package epp

import (
	"fmt"
	"strings"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// changeMessage is what a message about a change by the registry carries: the object as it
// was or became, from its history, and how it was changed (RFC 8590 section 3.1.2).
func (c *call) changeMessage(tx *store.ReadTx, m *registry.PollMessage) (data []byte, extensions []extensionData, err error) {
	version, at := tx.VersionAt(m.ROID, m.Action.Index, m.Action.InEntry)
	if m.Change.State == registry.ChangeAfter {
		version = at
	}
	if version == nil || version.Deleted {
		return nil, nil, refuse(registry.CodeInternal, "", "", "the history of %s has lost the version of entry %d", m.ROID, m.Action.Index)
	}
	switch m.Object {
	case registry.KindHost:
		host := version.Host()
		name := string(host.Name)
		if _, present, found := tx.ROID(host.ROID); found {
			name = present // it may have moved, with its delegations
		}
		data = eppxml.AppendHostInfData(nil, shownHost(host, len(tx.HostUsers(registry.DomainName(name), 1)) > 0))
		extensions = c.shownOrgs(host.Orgs)
	case registry.KindContact:
		contact := version.Contact()
		info := shownContact(contact)
		info.Statuses = shownStatuses(contact.Statuses, tx.ContactIsLinked(contact.ID), false)
		data = eppxml.AppendContactInfData(nil, info)
		extensions = append(c.shownAdditionalEmail(contact), c.shownOrgs(contact.Orgs)...)
	case registry.KindOrg:
		org := version.Org()
		info := publicOrg(tx, org)
		addFullOrg(info, org)
		data = eppxml.AppendOrgInfData(nil, info)
	default:
		domain := version.Domain()
		info := publicDomainInfo(tx, domain, eppxml.HostsDelegated)
		addFullDomainInfo(info, domain)
		data = eppxml.AppendDomainInfData(nil, info)
		extensions = append(shownSecurity(domain), c.shownOrgs(domain.Orgs)...)
		if statuses := rgpStatuses(domain.RGPStatuses(m.At)); len(statuses) > 0 {
			extensions = append(extensions, extensionData{uri: eppxml.NSRGP, xml: eppxml.AppendRGPInfData(nil, statuses)})
		}
		extensions = append(extensions, shownIDN(string(domain.Name), domain.IDN.Table)...)
	}
	return data, append(extensions, extensionData{uri: eppxml.NSChangePoll, xml: eppxml.AppendChangeData(nil, shownChange(m))}), nil
}

func shownChange(m *registry.PollMessage) *eppxml.ChangeData {
	change := m.Change
	shown := &eppxml.ChangeData{
		State: change.State.String(), Operation: string(change.Operation), Date: m.At,
		SvTRID: placeTRID(m.Action.Term, m.Action.Index, m.Action.InEntry), Who: change.Who, Reason: change.Reason,
	}
	if about := change.Case; about != (registry.Case{}) {
		shown.CaseID = &eppxml.ChangeCase{ID: about.ID, Type: about.Type, Name: about.Name}
	}
	return shown
}

// changeText says in a sentence what the data says, with the whole reason: the schema has
// room for its first 32 characters only.
func changeText(object string, c *registry.Change) string {
	var about strings.Builder
	if c.Case != (registry.Case{}) {
		fmt.Fprintf(&about, " in %s case %s", c.Case.Type, c.Case.ID)
	}
	state := "this is what it was like before"
	if c.State == registry.ChangeAfter {
		state = "this is what it is like now"
	}
	return fmt.Sprintf("The registry changed the %s%s; %s. Reason: %s", object, about.String(), state, c.Reason)
}
