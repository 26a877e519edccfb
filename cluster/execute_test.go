package cluster

import (
	"testing"

	"cadastre/fsm/fsmpb"
)

func TestMayExecute(t *testing.T) {
	for name, test := range map[string]struct {
		command *fsmpb.Command
		ok      bool
	}{
		"domain status":  {&fsmpb.Command{Body: &fsmpb.Command_DomainServerUpdate{}}, true},
		"host status":    {&fsmpb.Command{Body: &fsmpb.Command_HostServerUpdate{}}, true},
		"contact status": {&fsmpb.Command{Body: &fsmpb.Command_ContactServerUpdate{}}, true},
		"org status":     {&fsmpb.Command{Body: &fsmpb.Command_OrgServerUpdate{}}, true},
		"org update":     {&fsmpb.Command{Body: &fsmpb.Command_OrgUpdate{}}, false},
		"policy":         {&fsmpb.Command{Body: &fsmpb.Command_TldPut{}}, true},
		"domain update":  {&fsmpb.Command{Body: &fsmpb.Command_DomainUpdate{}}, false},
		"publication":    {&fsmpb.Command{Body: &fsmpb.Command_ZonePublish{}}, false},
		"nothing":        {&fsmpb.Command{}, false},
	} {
		if err := mayExecute(test.command); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
