package fsm_test

import "slices"

// authorizationAttempts are the rows of the table of authorisations.
func authorizationAttempts() []attempt {
	given := slices.Concat(clusterAttempts(), operatorAttempts(), contactAttempts(), hostAttempts(), domainAttempts(), transferAttempts(), orgAttempts(), listAttempts(), launchAttempts(), keyAttempts(), importAttempts())
	return append(given, relationAttempts(given)...)
}

func clusterAttempts() []attempt {
	const hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	return []attempt{
		{"cluster_init", "the cluster", rightSystem, `{"cluster_id": "test-cluster", "clock_mode": 1, "first_node": {"id": "n1"}}`},
		{"tick", "time", rightSystem, `{}`},
		{"zone_publish", "a zone", rightSystem, `{"tld": "example", "serial": 1}`},
		{"node_join", "a token", rightSystem, `{"token_sha256": "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=", "node": {"id": "n3", "raft_address": "n3:1", "grpc_address": "n3:2", "max_feature_level": 2}}`},
		{"node_join", "a token that nobody made", rightSystem, `{"token_sha256": "` + hash + `", "node": {"id": "n2", "max_feature_level": 2}}`},
		{"join_token_create", "a new node", rightOperator, `{"token_sha256": "` + hash + `", "role": 1, "lifetime_seconds": 60}`},
		{"node_remove", "a node", rightOperator, `{"node_id": "n2"}`},
		{"node_update", "a node", rightSystem, `{"node_id": "n2", "raft_address": "n2:3", "grpc_address": "n2:4"}`},
		{"node_role", "a node", rightOperator, `{"node_id": "n2", "role": 1}`},
		{"trust_put", "the authorities", rightOperator, `{"authorities": ["AAAA"]}`},
		{"operator_revoke", "an operator", rightOperator, `{"name": "bob"}`},
		{"clock_set", "the clock", rightOperator, `{"time_ms": 4102444800000}`},
		{"feature_level_raise", "the cluster", rightOperator, `{"level": 2, "node_ids": ["n1", "n2"]}`},
	}
}

func operatorAttempts() []attempt {
	return []attempt{
		{"registrar_create", "a new registrar", rightOperator, `{"id": "fresh", "roid": "RF", "currency": "EUR"}`},
		{"registrar_update", "the sponsor", rightOperator, `{"id": "sponsor", "deposit_minor": 100}`},
		{"tld_put", "a new TLD", rightOperator, `{"name": "fresh", "roid": "TF", "policy": {"roid_suffix": "EX", "currency": "EUR", "create_price_minor": 1, "renew_price_minor": 1, "transfer_price_minor": 1, "restore_price_minor": 1, "min_period_years": 1, "max_period_years": 10, "max_name_servers": 13, "max_contacts": 4, "redemption_days": 30, "pending_delete_days": 5, "apex_servers": [{"name": "a.nic.fresh", "addresses": ["wAACAQ=="]}], "soa_mname": "a.nic.fresh", "soa_rname": "hostmaster.nic.fresh", "soa_refresh_seconds": 14400, "soa_retry_seconds": 3600, "soa_expire_seconds": 1209600, "soa_minimum_seconds": 300, "apex_ttl_seconds": 3600, "delegation_ttl_seconds": 3600, "allow_private_addresses": true}}`},
		{"domain_server_update", "a domain", rightOperator, `{"name": "plain.example", "add_statuses": ["serverHold"]}`},
		{"domain_server_update", "a free name", rightOperator, `{"name": "free.example", "add_statuses": ["serverHold"]}`},
		{"host_server_update", "a host", rightOperator, `{"name": "ns3.parent.example", "add_statuses": ["serverDeleteProhibited"]}`},
		{"contact_server_update", "a contact", rightOperator, `{"id": "c-free", "add_statuses": ["serverDeleteProhibited"]}`},
		{"registrar_password", "the sender", rightAnyone, `{"password_hash": "$argon2id$v=19$m=65536,t=1,p=4$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`},
		{"poll_ack", "the first message of the own queue", rightOpen, `{"sequence": 1}`},
		{"poll_ack", "a number that only the sponsor's queue has", rightReader, `{"sequence": 2}`},
		{"auth_info_failure", "a domain", rightOpen, `{"roid": "DPLAIN-EX"}`},
		{"auth_info_failure", "nothing", rightOpen, `{"roid": "DNONE-EX"}`},
	}
}

func contactAttempts() []attempt {
	const card = `"postal": [{"type": "int", "name": "N", "city": "C", "country_code": "CH"}], "email": "a@example.net"`
	return []attempt{
		{"contact_create", "a free id", rightAnyone, `{"id": "c-fresh", ` + card + `}`},
		{"contact_create", "a taken id", rightAnyone, `{"id": "c-free", ` + card + `}`},
		{"contact_update", "a contact", rightSponsor, `{"id": "c-free", "email": "b@example.net"}`},
		{"contact_update", "a linked contact", rightSponsor, `{"id": "c-linked", "email": "b@example.net"}`},
		{"contact_update", "one that is asked for", rightSponsor, `{"id": "c-asked", "email": "b@example.net"}`},
		{"contact_update", "a missing contact", rightSponsor, `{"id": "c-none", "email": "b@example.net"}`},
		{"contact_delete", "a contact", rightSponsor, `{"id": "c-free"}`},
		{"contact_delete", "a linked contact", rightSponsor, `{"id": "c-linked"}`},
		{"contact_delete", "one that is asked for", rightSponsor, `{"id": "c-asked"}`},
		{"contact_delete", "a missing contact", rightSponsor, `{"id": "c-none"}`},
	}
}

func hostAttempts() []attempt {
	return []attempt{
		{"host_create", "outside the TLDs", rightAnyone, `{"name": "ns2.elsewhere.test"}`},
		{"host_create", "below a domain", rightSponsor, `{"name": "ns9.parent.example", "addresses": ["wAACCQ=="]}`},
		{"host_create", "below one that is asked for", rightSponsor, `{"name": "ns9.asked.example", "addresses": ["wAACCQ=="]}`},
		{"host_create", "below a deleted domain", rightSponsor, `{"name": "ns9.deleted.example", "addresses": ["wAACCQ=="]}`},
		{"host_create", "below a free name", rightSponsor, `{"name": "ns9.free.example", "addresses": ["wAACCQ=="]}`},
		{"host_create", "a taken name", rightSponsor, `{"name": "ns1.parent.example", "addresses": ["wAACCQ=="]}`},
		{"host_update", "a host", rightSponsor, `{"name": "ns3.parent.example", "add_addresses": ["wAACCQ=="]}`},
		{"host_update", "a linked host", rightSponsor, `{"name": "ns1.parent.example", "add_addresses": ["wAACCQ=="]}`},
		{"host_update", "an external host", rightSponsor, `{"name": "ns1.elsewhere.test", "add_statuses": ["clientDeleteProhibited"]}`},
		{"host_update", "a missing host", rightSponsor, `{"name": "ns9.parent.example", "add_addresses": ["wAACCQ=="]}`},
		{"host_update", "its new name below another's domain", rightSponsor, `{"name": "ns3.parent.example", "new_name": "ns3.others.example"}`},
		{"host_update", "its new name below a domain", rightSponsor, `{"name": "ns3.parent.example", "new_name": "ns3.plain.example"}`},
		{"host_delete", "a host", rightSponsor, `{"name": "ns3.parent.example"}`},
		{"host_delete", "a linked host", rightSponsor, `{"name": "ns1.parent.example"}`},
		{"host_delete", "a missing host", rightSponsor, `{"name": "ns9.parent.example"}`},
	}
}

func domainAttempts() []attempt {
	const report = `"pre_data": "a", "post_data": "b", "deleted_at_ms": 949363200000, "restored_at_ms": 949363200000, "reason": "a mistake", "statements": ["true"]`
	return []attempt{
		{"domain_create", "a free name, with the sponsor's contact", rightSponsor, `{"name": "free.example", "registrant": "c-linked"}`},
		{"domain_create", "a free name, with another's contact", rightMember, `{"name": "free.example", "registrant": "c-others"}`},
		{"domain_create", "a taken name", rightMember, `{"name": "plain.example", "registrant": "c-linked"}`},
		{"domain_update", "a domain", rightSponsor, `{"name": "plain.example", "add_statuses": ["clientHold"]}`},
		{"domain_update", "another's contact for a domain", rightSponsor, `{"name": "plain.example", "registrant": "c-others"}`},
		{"domain_update", "one that is asked for", rightSponsor, `{"name": "asked.example", "add_statuses": ["clientHold"]}`},
		{"domain_update", "a deleted domain", rightSponsor, `{"name": "deleted.example", "add_statuses": ["clientHold"]}`},
		{"domain_update", "a free name", rightSponsor, `{"name": "free.example", "add_statuses": ["clientHold"]}`},
		{"domain_delete", "a domain", rightSponsor, `{"name": "plain.example"}`},
		{"domain_delete", "one with hosts below", rightSponsor, `{"name": "parent.example"}`},
		{"domain_delete", "one that is asked for", rightSponsor, `{"name": "asked.example"}`},
		{"domain_delete", "a deleted domain", rightSponsor, `{"name": "deleted.example"}`},
		{"domain_delete", "a free name", rightSponsor, `{"name": "free.example"}`},
		{"domain_renew", "a domain", rightSponsor, `{"name": "plain.example", "current_expiry_date": "2001-02-01"}`},
		{"domain_renew", "one that is asked for", rightSponsor, `{"name": "asked.example", "current_expiry_date": "2001-02-01"}`},
		{"domain_renew", "a deleted domain", rightSponsor, `{"name": "deleted.example", "current_expiry_date": "2001-01-01"}`},
		{"domain_renew", "a free name", rightSponsor, `{"name": "free.example", "current_expiry_date": "2001-02-01"}`},
		{"domain_restore_request", "a deleted domain", rightSponsor, `{"name": "deleted.example"}`},
		{"domain_restore_request", "a domain", rightSponsor, `{"name": "plain.example"}`},
		{"domain_restore_request", "a free name", rightSponsor, `{"name": "free.example"}`},
		{"domain_restore_report", "one being restored", rightSponsor, `{"name": "restored.example", ` + report + `}`},
		{"domain_restore_report", "a domain", rightSponsor, `{"name": "plain.example", ` + report + `}`},
		{"domain_restore_report", "a free name", rightSponsor, `{"name": "free.example", ` + report + `}`},
	}
}

func transferAttempts() []attempt {
	rows := []attempt{
		{"domain_transfer_request", "a domain", rightMemberProver, `{"name": "plain.example" PROOF}`},
		{"domain_transfer_request", "one that is asked for", rightMemberProver, `{"name": "asked.example" PROOF}`},
		{"domain_transfer_request", "a deleted domain", rightMemberProver, `{"name": "deleted.example" PROOF}`},
		{"domain_transfer_request", "a free name", rightMemberProver, `{"name": "free.example" PROOF}`},
		{"contact_transfer_request", "a contact", rightProver, `{"id": "c-free" PROOF}`},
		{"contact_transfer_request", "one that is asked for", rightProver, `{"id": "c-asked" PROOF}`},
		{"contact_transfer_request", "a missing contact", rightProver, `{"id": "c-none" PROOF}`},
	}
	for _, answer := range []struct {
		verb  string
		right right
	}{{"approve", rightSponsor}, {"reject", rightSponsor}, {"cancel", rightRequester}} {
		for _, object := range [][2]string{{"one that is asked for", "asked.example"}, {"a domain", "plain.example"}, {"a free name", "free.example"}} {
			rows = append(rows, attempt{"domain_transfer_" + answer.verb, object[0], answer.right, `{"name": "` + object[1] + `"}`})
		}
		for _, object := range [][2]string{{"one that is asked for", "c-asked"}, {"a contact", "c-free"}, {"a missing contact", "c-none"}} {
			rows = append(rows, attempt{"contact_transfer_" + answer.verb, object[0], answer.right, `{"id": "` + object[1] + `"}`})
		}
	}
	return rows
}
