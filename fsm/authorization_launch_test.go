package fsm_test

import (
	"os"
	"strings"
	"testing"
)

// launchAttempts are about applications in the launch of a TLD and tokens for names.
func launchAttempts() []attempt {
	const phase = `"launch_phase": {"type": "landrush"}`
	const token = `"token_sha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`
	change := func(id string) string {
		return `{"application_id": "` + id + `", ` + phase + `, "change": {"name": "plain.launch", "auth_info": ` + proofJSON() + `}}`
	}
	remove := func(id string) string {
		return `{"application_id": "` + id + `", ` + phase + `, "name": "plain.launch"}`
	}
	return []attempt{
		{"launch_application_create", "a name, with the sponsor's contact", rightSponsor, `{"application_roid": "AFRESH", "domain": {"name": "plain.launch", "roid": "DFRESH", "registrant": "c-linked", ` + phase + `}}`},
		{"launch_application_create", "a name, with another's contact", rightMember, `{"application_roid": "AFRESH", "domain": {"name": "plain.launch", "roid": "DFRESH", "registrant": "c-others", ` + phase + `}}`},
		{"launch_application_update", "an application", rightSponsor, change("APLAIN-EX")},
		{"launch_application_update", "a missing application", rightSponsor, change("ANONE-EX")},
		{"launch_application_delete", "an application", rightSponsor, remove("APLAIN-EX")},
		{"launch_application_delete", "a missing application", rightSponsor, remove("ANONE-EX")},
		{"launch_application_decide", "an application", rightOperator, `{"application_id": "APLAIN-EX", "status": 5}`},
		{"launch_application_decide", "a missing application", rightOperator, `{"application_id": "ANONE-EX", "status": 5}`},
		{"allocation_token_create", "a TLD", rightOperator, `{` + token + `E=", "tld": "example"}`},
		{"allocation_token_revoke", "a token", rightOperator, `{` + token + `I="}`},
		{"allocation_token_revoke", "a missing token", rightOperator, `{` + token + `M="}`},
	}
}

// launchTLD is a TLD in its landrush at the time of court.
func launchTLD(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("testdata/tld_launch.json")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`"example"`, `"launch"`, `nic.example`, `nic.launch`, `"T1"`, `"T2"`).Replace(string(data))
}
