package fsm_test

// listAttempts are about what operators keep: lists of labels, hosts of purged domains and
// announcements of maintenance.
func listAttempts() []attempt {
	return []attempt{
		{"premium_load", "a TLD", rightOperator, `{"tld": "example", "names": [{"label": "silver", "class": "b", "create_price_minor": 7000, "renew_price_minor": 3000, "restore_price_minor": 4000}]}`},
		{"premium_remove", "a TLD", rightOperator, `{"tld": "example", "labels": ["gold"]}`},
		{"reserved_load", "a TLD", rightOperator, `{"tld": "example", "labels": ["city"]}`},
		{"reserved_remove", "a TLD", rightOperator, `{"tld": "example", "labels": ["town"]}`},
		{"disclosure_grant", "a requester", rightOperator, `{"id": "G2", "requester": "police", "certificate_sha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=", "purpose": "case 1", "expires_at_ms": 951782400000}`},
		{"disclosure_revoke", "a grant", rightOperator, `{"id": "GKNOWN"}`},
		{"disclosure_revoke", "a missing grant", rightOperator, `{"id": "GNONE"}`},
		{"disclosure_record", "a grant", rightSystem, `{"grant_id": "GKNOWN", "kind": 1, "key": "plain.example", "node": "n1", "address": "192.0.2.1"}`},
		{"disclosure_record", "a missing grant", rightSystem, `{"grant_id": "GNONE", "kind": 1, "key": "plain.example", "node": "n1", "address": "192.0.2.1"}`},
		{"host_return", "a host at home", rightOperator, `{"name": "ns1.parent.example"}`},
		{"host_return", "a missing host", rightOperator, `{"name": "ns9.parent.example"}`},
		{"maintenance_create", "the registry", rightOperator, `{"roid": "MFRESH", ` + maintenanceItem + `}`},
		{"maintenance_update", "an announcement", rightOperator, `{"id": "MKNOWN-REG", "revision": 1, ` + maintenanceItem + `}`},
		{"maintenance_cancel", "an announcement", rightOperator, `{"id": "MKNOWN-REG"}`},
		{"maintenance_cancel", "a missing announcement", rightOperator, `{"id": "MNONE-REG"}`},
	}
}

const maintenanceItem = `"item": {"systems": [{"name": "EPP", "impact": "full"}], "environment": "production", "start_ms": 951782400000, "end_ms": 951789600000}`
