package model

import (
	"fmt"
	"time"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// Message waits in the queue of a registrar.
type Message struct {
	At   time.Time
	Text string // kind, object and what the message says of it
}

func (m *Model) tell(registrar, kind, object, text string) {
	r := m.Registrars[registrar]
	r.Queue = append(r.Queue, Message{At: m.Now, Text: fmt.Sprintf("%s %s %s", kind, object, text)})
}

// pollAck takes the first message out (RFC 5730 section 2.9.2.3).
func (m *Model) pollAck(actor string, c *fsmpb.PollAck) registry.Code {
	r := m.Registrars[actor]
	if len(r.Queue) == 0 || c.GetSequence() != r.Acknowledged+1 {
		return registry.CodeObjectDoesNotExist
	}
	r.Queue = r.Queue[1:]
	r.Acknowledged++
	return registry.CodeOK
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339)
}
