package registry

import "time"

// PollKind says what a poll message tells. The numbers are stored and append-only.
type PollKind uint8

// The kinds.
const (
	PollTransfer   PollKind = 1 // a transfer was requested or ended; Transfer says how it stood then
	PollAutoRenew  PollKind = 2 // the registry renewed an expired domain; ExpiresAt is the new expiry
	PollRedemption PollKind = 3 // the registry deleted an expired domain, which can be restored until ActAt
	PollPurge      PollKind = 4 // a deleted domain is gone; Action is the command that deleted it, if there was one
	// PollRestoreLapsed: the report that a restore needs did not come; the domain can be
	// restored anew until ActAt.
	PollRestoreLapsed PollKind = 5
	// PollChange: the registry changed the object; Change says how and Action where, which is
	// also the version of the object that the change made.
	PollChange PollKind = 30
	// PollKeyRelay: another registrar relays keys for a domain of this one; KeyRelay holds them.
	PollKeyRelay PollKind = 120
	// PollExpired: the domain expired; it can be renewed until ActAt and is deleted then.
	PollExpired    PollKind = 130
	PollLowBalance PollKind = 20 // the registrar's balance fell below its threshold; LowBalance says how it stood
	// Of a maintenance: Action is the place of the version that the message tells of.
	PollMaintenanceCreate   PollKind = 100
	PollMaintenanceUpdate   PollKind = 101
	PollMaintenanceDelete   PollKind = 102
	PollMaintenanceCourtesy PollKind = 103 // it begins soon
	PollMaintenanceEnd      PollKind = 104
	// PollApplication: an application came to another status; Application says which, and
	// Action which command had applied.
	PollApplication PollKind = 110
)

// Action names a command by what its answer said: the client's transaction identifier and
// the place in the log. The zero value is none.
type Action struct {
	CLTRID      string
	Term, Index uint64
	InEntry     uint32
}

// PollMessage is a message to one registrar (RFC 5730 section 2.9.2.3): the facts, from which
// the protocol makes its data and its text.
type PollMessage struct {
	// Sequence numbers the messages of a registrar in order, from 1.
	Sequence  uint64
	Registrar RegistrarID
	At        time.Time // when it was put into the queue
	Kind      PollKind

	Object ObjectKind
	Key    string // name or id of the object
	ROID   ROID

	Transfer  *Transfer
	ExpiresAt time.Time
	ActAt     time.Time // when the next step comes by itself, or when this one came
	Action    Action
	Change    *Change // nil but for PollChange

	LowBalance  *LowBalance
	KeyRelay    *KeyRelay        // nil but for PollKeyRelay
	Application *ApplicationStep // nil but for PollApplication
}

// LowBalance is how the money of a registrar stood when it fell below the registrar's
// threshold, in minor units of Currency.
type LowBalance struct {
	BalanceMinor     int64
	ThresholdMinor   int64
	CreditLimitMinor int64
	Currency         string
}

// PollQueue is how a registrar's queue stands: how many messages wait, and which is first.
type PollQueue struct {
	Count uint64
	Head  uint64 // its Sequence, 0 if none waits
}

// Bounds of the poll queues. No message is ever dropped and none expires: a registrar must
// learn of every transfer, and the registry cannot tell which of its messages it could do
// without. So the length of a queue is bounded by what happens to the registrar's objects,
// and by operators: a queue beyond PollQueueAlarm raises an alarm, because nobody reads it.
const (
	// PollQueueAlarm is a tenth of the portfolio of a large registrar; at 200 octets a message
	// some 20 MB.
	PollQueueAlarm = 100_000
	// MaxPollMessageOctets bounds the row of one message; the texts in it are bounded where
	// commands are checked.
	MaxPollMessageOctets = 4096
)
