package fsm

import (
	"strconv"

	"cadastre/fsm/fsmpb"
	"cadastre/registry"
)

// pollAck takes the first message out of the acting registrar's queue. Only the first one
// can be acknowledged, so that no message is lost that was never read (RFC 5730 section
// 2.9.2.3).
func (r *run) pollAck(c *fsmpb.PollAck) (*fsmpb.Result, error) {
	if queue := r.tx.PollQueue(r.registrarID()); queue.Count == 0 || queue.Head != c.GetSequence() {
		return nil, refuse(registry.CodeObjectDoesNotExist, "msgID", strconv.FormatUint(c.GetSequence(), 10), "it is not the first message of the queue")
	}
	r.tx.DeletePollHead(r.registrarID())
	return ok(), nil
}
