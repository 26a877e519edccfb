package fsm

import "cadastre/fsm/fsmpb"

// operatorRevoke makes one certificate of an operator worthless, or all so far.
func (r *run) operatorRevoke(c *fsmpb.OperatorRevoke) (*fsmpb.Result, error) {
	r.tx.PutRevocation(c.GetName(), c.GetSha256(), r.tx.LeaderNow())
	return ok(), nil
}
