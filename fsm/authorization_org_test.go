package fsm_test

// orgAttempts are about organisations and relayed keys.
func orgAttempts() []attempt {
	const keys = `"keys": [{"key": {"flags": 257, "protocol": 3, "algorithm": 13, "data": "AQID"}}]`
	return []attempt{
		{"org_create", "a free id", rightAnyone, `{"id": "o-fresh", "roles": [{"type": "reseller"}]}`},
		{"org_create", "a taken id", rightAnyone, `{"id": "o-free", "roles": [{"type": "reseller"}]}`},
		{"org_update", "an organisation", rightSponsor, `{"id": "o-free", "email": "b@example.net"}`},
		{"org_update", "a linked organisation", rightSponsor, `{"id": "o-linked", "email": "b@example.net"}`},
		{"org_update", "a missing organisation", rightSponsor, `{"id": "o-none", "email": "b@example.net"}`},
		{"org_delete", "an organisation", rightSponsor, `{"id": "o-free"}`},
		{"org_delete", "a linked organisation", rightSponsor, `{"id": "o-linked"}`},
		{"org_delete", "a missing organisation", rightSponsor, `{"id": "o-none"}`},
		{"org_server_update", "an organisation", rightOperator, `{"id": "o-free", "add_statuses": ["serverDeleteProhibited"]}`},
		{"contact_update", "the sponsor's organisation for a contact", rightSponsor, `{"id": "c-free", "add_orgs": [{"role": "reseller", "id": "o-free"}]}`},
		{"keyrelay_create", "a domain", rightMemberProver, `{"name": "plain.example", ` + keys + ` PROOF}`},
		{"keyrelay_create", "a deleted domain", rightMemberProver, `{"name": "deleted.example", ` + keys + ` PROOF}`},
		{"keyrelay_create", "a free name", rightMemberProver, `{"name": "free.example", ` + keys + ` PROOF}`},
	}
}
