package epp

import (
	"context"
	"strconv"

	"cadastre/epp/eppxml"
	"cadastre/registry"
	"cadastre/store"
)

// poll is <poll> (RFC 5730 section 2.9.2.3).
func (c *call) poll(ctx context.Context, q *eppxml.Poll) (*answer, error) {
	if q.Op == eppxml.PollAck {
		return c.pollAck(ctx, q)
	}
	var message *registry.PollMessage
	var data []byte
	var text string
	var extensions []extensionData
	err := c.view(ctx, func(tx *store.ReadTx) error {
		if c.queue.Count == 0 {
			return nil
		}
		var found bool
		if message, found = tx.PollMessage(c.registrar, c.queue.Head); !found {
			return refuse(registry.CodeInternal, "", "", "the queue of %s has lost message %d", c.registrar, c.queue.Head)
		}
		if message.Object == registry.KindMaintenance {
			var err error
			data, text, err = maintenanceMessage(tx, message)
			return err
		}
		text = messageText(message)
		if message.Change != nil {
			var err error
			data, extensions, err = c.changeMessage(tx, message)
			return err
		}
		data = messageData(message)
		if message.Application != nil {
			extensions = shownStep(message.Application)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case message == nil:
		return &answer{code: codeOKNoMessages}, nil
	}
	return &answer{
		code: codeOKMessage, data: data, dataURI: messageURI(message), extensions: extensions,
		msgQ: &eppxml.MsgQ{Count: c.queue.Count, ID: messageID(message.Sequence), Date: message.At, Msg: text},
	}, nil
}

// messageURI is the object service that the data of the message belongs to.
func messageURI(m *registry.PollMessage) string {
	if m.Kind == registry.PollKeyRelay {
		return eppxml.NSKeyRelay
	}
	switch m.Object {
	case registry.KindContact:
		return eppxml.NSContact
	case registry.KindHost:
		return eppxml.NSHost
	case registry.KindOrg:
		return eppxml.NSOrg
	case registry.KindMaintenance:
		return eppxml.NSMaintenance
	default:
		return eppxml.NSDomain
	}
}

// messageID is how clients name a message of their queue.
func messageID(sequence uint64) string { return strconv.FormatUint(sequence, 10) }
