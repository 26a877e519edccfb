package store

import (
	"strings"
	"testing"
	"time"

	"cadastre/registry"
)

// TestPollMessagesAreSmall puts the longest texts that commands may carry into one message.
func TestPollMessagesAreSmall(t *testing.T) {
	long := func(octets int) string { return strings.Repeat("x", octets) }
	at := time.Date(8999, 12, 31, 23, 59, 59, 0, time.UTC)
	row := encodePollMessage(&registry.PollMessage{
		Registrar: registry.RegistrarID(long(16)), At: at, Kind: registry.PollChange, Object: registry.KindDomain,
		Key: long(253), ROID: registry.ROID(long(89)), ExpiresAt: at, ActAt: at,
		Transfer: &registry.Transfer{Requester: registry.RegistrarID(long(16)), Losing: registry.RegistrarID(long(16)), RequestedAt: at, ActAt: at, ExpiresAt: at},
		Action:   registry.Action{CLTRID: long(256), Term: 1 << 62, Index: 1 << 62, InEntry: 1 << 30},
		Change: &registry.Change{
			State: registry.ChangeAfter, Operation: registry.ChangeUpdate, Who: long(64), Reason: long(1024),
			Case: registry.Case{Type: registry.CaseCustom, Name: long(255), ID: long(255)},
		},
		LowBalance: &registry.LowBalance{BalanceMinor: -1 << 62, ThresholdMinor: 1 << 62, CreditLimitMinor: 1 << 62, Currency: "EUR"},
	})
	if len(row) > registry.MaxPollMessageOctets {
		t.Errorf("the longest message takes %d octets, want at most %d", len(row), registry.MaxPollMessageOctets)
	}
}
