package epp

import (
	"fmt"
	"slices"
)

// attempts are the rows of the table of authorisations.
func attempts() []attempt {
	given := slices.Concat(queryAttempts(), contactAttempts(), hostAttempts(), domainAttempts(), transferAttempts(), orgAttempts())
	return append(given, relationAttempts(given)...)
}

func queryAttempts() []attempt {
	info := func(kind, element, name, auth string) string {
		return fmt.Sprintf("<info><%s:info><%s:%s>%s</%s:%s>%s</%s:info></info>", kind, kind, element, name, kind, element, auth, kind)
	}
	return []attempt{
		{"DomainCheck", "a domain", rightReads, "<check><domain:check><domain:name>plain.example</domain:name></domain:check></check>"},
		{"HostCheck", "a host", rightReads, "<check><host:check><host:name>ns1.parent.example</host:name></host:check></check>"},
		{"ContactCheck", "a contact", rightReads, "<check><contact:check><contact:id>c-free</contact:id></contact:check></check>"},
		{"DomainInfo", "a domain", rightReads, info("domain", "name", "plain.example", "AUTH")},
		{"DomainInfo", "a domain, with wrong authInfo", rightNobody, info("domain", "name", "plain.example", "<domain:authInfo><domain:pw>wrong</domain:pw></domain:authInfo>")},
		{"DomainInfo", "a free name", rightReads, info("domain", "name", "free.example", "AUTH")},
		{"HostInfo", "a host", rightReads, info("host", "name", "ns1.parent.example", "")},
		{"HostInfo", "a missing host", rightReads, info("host", "name", "ns9.parent.example", "")},
		{"ContactInfo", "a contact", rightShown, info("contact", "id", "c-free", "AUTH")},
		{"ContactInfo", "a linked contact", rightShown, info("contact", "id", "c-linked", "AUTH")},
		{"ContactInfo", "a missing contact", rightShown, info("contact", "id", "c-none", "AUTH")},
		{"MaintenanceInfo", "the list", rightReads, "<info><maint:info><maint:list/></maint:info></info>"},
		{"MaintenanceInfo", "a missing announcement", rightReads, "<info><maint:info><maint:id>M0-REG</maint:id></maint:info></info>"},
		{"Poll", "the own queue", rightReads, `<poll op="req"/>`},
		{"Poll", "the sponsor's first message", rightQueue, `<poll op="ack" msgID="1"/>`},
	}
}

func contactAttempts() []attempt {
	update := func(id string) string {
		return "<update><contact:update><contact:id>" + id + "</contact:id><contact:chg><contact:email>b@mail.example</contact:email></contact:chg></contact:update></update>"
	}
	remove := func(id string) string {
		return "<delete><contact:delete><contact:id>" + id + "</contact:id></contact:delete></delete>"
	}
	return []attempt{
		{"ContactCreate", "a free id", rightActs, contactXML("c-fresh")},
		{"ContactCreate", "a taken id", rightActs, contactXML("c-free")},
		{"ContactUpdate", "a contact", rightSponsors, update("c-free")},
		{"ContactUpdate", "a linked contact", rightSponsors, update("c-linked")},
		{"ContactUpdate", "one that is asked for", rightSponsors, update("c-asked")},
		{"ContactUpdate", "a missing contact", rightSponsors, update("c-none")},
		{"ContactDelete", "a contact", rightSponsors, remove("c-free")},
		{"ContactDelete", "a linked contact", rightSponsors, remove("c-linked")},
		{"ContactDelete", "one that is asked for", rightSponsors, remove("c-asked")},
		{"ContactDelete", "a missing contact", rightSponsors, remove("c-none")},
	}
}

func hostAttempts() []attempt {
	create := func(name string) string {
		return "<create><host:create><host:name>" + name + "</host:name><host:addr>192.0.2.9</host:addr></host:create></create>"
	}
	update := func(name, change string) string {
		return "<update><host:update><host:name>" + name + "</host:name>" + change + "</host:update></update>"
	}
	remove := func(name string) string {
		return "<delete><host:delete><host:name>" + name + "</host:name></host:delete></delete>"
	}
	const address = "<host:add><host:addr>192.0.2.7</host:addr></host:add>"
	rename := func(name string) string { return "<host:chg><host:name>" + name + "</host:name></host:chg>" }
	return []attempt{
		{"HostCreate", "outside the TLDs", rightActs, "<create><host:create><host:name>ns1.elsewhere.test</host:name></host:create></create>"},
		{"HostCreate", "below a domain", rightSponsors, create("ns9.parent.example")},
		{"HostCreate", "below a deleted domain", rightSponsors, create("ns9.deleted.example")},
		{"HostCreate", "below a free name", rightSponsors, create("ns9.free.example")},
		{"HostCreate", "a taken name", rightSponsors, create("ns1.parent.example")},
		{"HostUpdate", "a host", rightSponsors, update("ns3.parent.example", address)},
		{"HostUpdate", "a linked host", rightSponsors, update("ns1.parent.example", address)},
		{"HostUpdate", "a missing host", rightSponsors, update("ns9.parent.example", address)},
		{"HostUpdate", "its new name below another's domain", rightSponsors, update("ns3.parent.example", rename("ns3.others.example"))},
		{"HostUpdate", "its new name below a domain", rightSponsors, update("ns3.parent.example", rename("ns3.plain.example"))},
		{"HostDelete", "a host", rightSponsors, remove("ns3.parent.example")},
		{"HostDelete", "a linked host", rightSponsors, remove("ns1.parent.example")},
		{"HostDelete", "a missing host", rightSponsors, remove("ns9.parent.example")},
	}
}

func domainAttempts() []attempt {
	create := func(name, contact string) string {
		return "<create><domain:create><domain:name>" + name + "</domain:name><domain:registrant>" + contact + "</domain:registrant>" + domainAuthXML() + "</domain:create></create>"
	}
	const hold = `<domain:add><domain:status s="clientHold"/></domain:add>`
	update := func(name, change string) string {
		return "<update><domain:update><domain:name>" + name + "</domain:name>" + change + "</domain:update></update>"
	}
	remove := func(name string) string {
		return "<delete><domain:delete><domain:name>" + name + "</domain:name></domain:delete></delete>"
	}
	renew := func(name, expiry string) string {
		return "<renew><domain:renew><domain:name>" + name + "</domain:name><domain:curExpDate>" + expiry + "</domain:curExpDate></domain:renew></renew>"
	}
	const request = `<rgp:restore op="request"/>`
	const report = `<rgp:restore op="report"><rgp:report><rgp:preData>a</rgp:preData><rgp:postData>b</rgp:postData><rgp:delTime>2026-01-21T10:00:00Z</rgp:delTime>` +
		`<rgp:resTime>2026-01-21T10:00:00Z</rgp:resTime><rgp:resReason>a mistake</rgp:resReason><rgp:statement>one</rgp:statement></rgp:report></rgp:restore>`
	return []attempt{
		{"DomainCreate", "a free name, with the sponsor's contact", rightSponsors, create("free.example", "c-linked")},
		{"DomainCreate", "a free name, with another's contact", rightActs, create("free.example", "c-others")},
		{"DomainCreate", "a taken name", rightActs, create("plain.example", "c-linked")},
		{"DomainUpdate", "a domain", rightSponsors, update("plain.example", hold)},
		{"DomainUpdate", "another's contact for a domain", rightSponsors, update("plain.example", "<domain:chg><domain:registrant>c-others</domain:registrant></domain:chg>")},
		{"DomainUpdate", "one that is asked for", rightSponsors, update("asked.example", hold)},
		{"DomainUpdate", "a deleted domain", rightSponsors, update("deleted.example", hold)},
		{"DomainUpdate", "a free name", rightSponsors, update("free.example", hold)},
		{"DomainUpdate", "a deleted domain, to restore it", rightSponsors, restoreXML("deleted.example", request)},
		{"DomainUpdate", "a domain, to restore it", rightSponsors, restoreXML("plain.example", request)},
		{"DomainUpdate", "one being restored, with the report", rightSponsors, restoreXML("restored.example", report)},
		{"DomainDelete", "a domain", rightSponsors, remove("plain.example")},
		{"DomainDelete", "one with hosts below", rightSponsors, remove("parent.example")},
		{"DomainDelete", "one that is asked for", rightSponsors, remove("asked.example")},
		{"DomainDelete", "a deleted domain", rightSponsors, remove("deleted.example")},
		{"DomainDelete", "a free name", rightSponsors, remove("free.example")},
		{"DomainRenew", "a domain", rightSponsors, renew("plain.example", "2027-01-21")},
		{"DomainRenew", "one that is asked for", rightSponsors, renew("asked.example", "2027-01-21")},
		{"DomainRenew", "a deleted domain", rightSponsors, renew("deleted.example", "2027-01-15")},
		{"DomainRenew", "a free name", rightSponsors, renew("free.example", "2027-01-21")},
	}
}

func transferAttempts() []attempt {
	domain := func(op, name string) string {
		return `<transfer op="` + op + `"><domain:transfer><domain:name>` + name + `</domain:name>AUTH</domain:transfer></transfer>`
	}
	contact := func(op, id string) string {
		return `<transfer op="` + op + `"><contact:transfer><contact:id>` + id + `</contact:id>AUTH</contact:transfer></transfer>`
	}
	const wrongDomain, wrongContact = "<domain:authInfo><domain:pw>wrong</domain:pw></domain:authInfo>", "<contact:authInfo><contact:pw>wrong</contact:pw></contact:authInfo>"
	rows := []attempt{
		{"DomainTransfer", "a domain, with wrong authInfo", rightNobody, `<transfer op="request"><domain:transfer><domain:name>plain.example</domain:name>` + wrongDomain + `</domain:transfer></transfer>`},
		{"ContactTransfer", "a contact, with wrong authInfo", rightNobody, `<transfer op="request"><contact:transfer><contact:id>c-free</contact:id>` + wrongContact + `</contact:transfer></transfer>`},
	}
	for _, op := range []struct {
		name  string
		right right
	}{{"query", rightParty}, {"request", rightProves}, {"approve", rightSponsors}, {"reject", rightSponsors}, {"cancel", rightAsked}} {
		rows = append(rows,
			attempt{"DomainTransfer", "a domain", op.right, domain(op.name, "plain.example")},
			attempt{"DomainTransfer", "one that is asked for", op.right, domain(op.name, "asked.example")},
			attempt{"DomainTransfer", "a deleted domain", op.right, domain(op.name, "deleted.example")},
			attempt{"DomainTransfer", "a free name", op.right, domain(op.name, "free.example")},
			attempt{"ContactTransfer", "a contact", op.right, contact(op.name, "c-free")},
			attempt{"ContactTransfer", "one that is asked for", op.right, contact(op.name, "c-asked")},
			attempt{"ContactTransfer", "a missing contact", op.right, contact(op.name, "c-none")},
		)
	}
	return rows
}
