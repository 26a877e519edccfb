package epp

import (
	"context"
	"strconv"

	"cadastre/epp/eppxml"
	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// pollAck takes the message that was read out of the queue. The answer says what remains.
func (c *call) pollAck(ctx context.Context, q *eppxml.Poll) (*answer, error) {
	if q.MsgID == "" {
		return nil, refuse(registry.CodeParameterMissing, "msgID", "", "an acknowledgement names the message by msgID (RFC 5730 section 2.9.2.3)")
	}
	sequence, err := strconv.ParseUint(q.MsgID, 10, 64)
	if err != nil || messageID(sequence) != q.MsgID {
		return nil, refuse(registry.CodeObjectDoesNotExist, "msgID", q.MsgID, "there is no message of that id in the queue")
	}
	return c.transform(ctx, &fsmpb.Command{Body: &fsmpb.Command_PollAck{PollAck: &fsmpb.PollAck{Sequence: sequence}}})
}
