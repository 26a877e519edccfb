package fsm_test

func importAttempts() []attempt {
	return []attempt{
		{"host_import", "a host elsewhere", rightOperator, `{"registrar": "sponsor", "name": "ns9.elsewhere.test", "roid": "HIMP"}`},
		{"host_import", "a host for nobody", rightOperator, `{"registrar": "absent", "name": "ns9.elsewhere.test", "roid": "HIMP"}`},
		{"domain_import", "a free name", rightOperator, `{"registrar": "sponsor", "name": "free.example", "roid": "DIMP", "registrant": "c-linked"}`},
		{"domain_import", "a name of another registrar", rightOperator, `{"registrar": "other", "name": "plain.example", "roid": "DIMP"}`},
	}
}
