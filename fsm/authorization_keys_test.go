package fsm_test

// Keys of the zone in the court: one that signs it, and one that stands by.
const (
	activeKey  = "11111111111111111111111111111111"
	standbyKey = "22222222222222222222222222222222"
	freshKey   = "33333333333333333333333333333333"
)

func keySteps() []string {
	return []string{
		`operator zone_key_add {"tld": "example", "id": "` + activeKey + `", "role": 3, "algorithm": 15, "public_key": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "rolling": true}`,
		`system zone_key_step {"tld": "example", "moves": [{"id": "` + activeKey + `", "from": 1, "to": 5}]}`,
		`operator zone_key_add {"tld": "example", "id": "` + standbyKey + `", "role": 3, "algorithm": 15, "public_key": "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=", "rolling": true, "replaces": "` + activeKey + `"}`,
		`system zone_hold {"tld": "launch", "base_serial": 0, "limit": "too many leave"}`,
	}
}

func keyAttempts() []attempt {
	return []attempt{
		{"zone_key_add", "a new key", rightAutomatic, `{"tld": "example", "id": "` + freshKey + `", "role": 2, "algorithm": 15, "public_key": "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="}`},
		{"zone_key_add", "a key of no zone", rightAutomatic, `{"tld": "absent", "id": "` + freshKey + `", "role": 2, "algorithm": 15, "public_key": "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="}`},
		{"zone_key_step", "a key that stands by", rightSystem, `{"tld": "example", "moves": [{"id": "` + standbyKey + `", "from": 1, "to": 3}]}`},
		{"zone_key_step", "the key that the zone rests on", rightSystem, `{"tld": "example", "moves": [{"id": "` + activeKey + `", "from": 5, "to": 6}]}`},
		{"zone_key_ds_seen", "a key that signs", rightAutomatic, `{"tld": "example", "id": "` + activeKey + `"}`},
		{"zone_key_ds_seen", "a key that stands by", rightAutomatic, `{"tld": "example", "id": "` + standbyKey + `"}`},
		{"zone_key_retire", "a key that stands by", rightOperator, `{"tld": "example", "id": "` + standbyKey + `"}`},
		{"zone_hold", "a zone", rightSystem, `{"tld": "example", "base_serial": 0, "limit": "too many leave"}`},
		{"zone_hold", "a zone at another serial", rightSystem, `{"tld": "example", "base_serial": 7, "limit": "too many leave"}`},
		{"zone_release", "a zone that is not held", rightOperator, `{"tld": "example"}`},
		{"zone_release", "a zone that is held", rightOperator, `{"tld": "launch"}`},
		{"zone_ds_gone", "a zone", rightOperator, `{"tld": "example"}`},
		{"zone_key_retire", "the key that the zone rests on", rightOperator, `{"tld": "example", "id": "` + activeKey + `"}`},
	}
}
