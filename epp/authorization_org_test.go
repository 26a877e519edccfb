package epp

// orgAttempts are about organisations and relayed keys.
func orgAttempts() []attempt {
	update := func(id string) string {
		return "<update><org:update><org:id>" + id + "</org:id><org:chg><org:email>b@mail.example</org:email></org:chg></org:update></update>"
	}
	remove := func(id string) string {
		return "<delete><org:delete><org:id>" + id + "</org:id></org:delete></delete>"
	}
	return []attempt{
		{"OrgCheck", "an organisation", rightReads, "<check><org:check><org:id>o-free</org:id></org:check></check>"},
		{"OrgInfo", "an organisation", rightReads, "<info><org:info><org:id>o-free</org:id></org:info></info>"},
		{"OrgInfo", "a missing organisation", rightReads, "<info><org:info><org:id>o-none</org:id></org:info></info>"},
		{"OrgCreate", "a free id", rightActs, orgXML("o-fresh")},
		{"OrgCreate", "a taken id", rightActs, orgXML("o-free")},
		{"OrgUpdate", "an organisation", rightSponsors, update("o-free")},
		{"OrgUpdate", "a missing organisation", rightSponsors, update("o-none")},
		{"OrgDelete", "an organisation", rightSponsors, remove("o-free")},
		{"OrgDelete", "a missing organisation", rightSponsors, remove("o-none")},
		{"KeyrelayCreate", "a domain, with authInfo", rightActs, relayXML("plain.example", courtPassword)},
		{"KeyrelayCreate", "a domain, with wrong authInfo", rightNobody, relayXML("plain.example", "wrong")},
		{"KeyrelayCreate", "a deleted domain, with authInfo", rightActs, relayXML("deleted.example", courtPassword)},
		{"KeyrelayCreate", "a free name", rightActs, relayXML("free.example", courtPassword)},
	}
}

func relayXML(name, auth string) string {
	return "<create><keyrelay:create><keyrelay:name>" + name + "</keyrelay:name><keyrelay:authInfo><domain:pw>" + auth + "</domain:pw></keyrelay:authInfo><keyrelay:keyRelayData>" +
		"<keyrelay:keyData><secDNS:flags>257</secDNS:flags><secDNS:protocol>3</secDNS:protocol><secDNS:alg>13</secDNS:alg><secDNS:pubKey>cmlraXN0aGViZXN0</secDNS:pubKey></keyrelay:keyData></keyrelay:keyRelayData></keyrelay:create></create>"
}

func orgXML(id string) string {
	return "<create><org:create><org:id>" + id + "</org:id><org:role><org:type>reseller</org:type><org:status>ok</org:status></org:role><org:status>ok</org:status></org:create></create>"
}
