package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// fieldPollChange is the field of a message's row that says what the registry changed.
const fieldPollChange protowire.Number = 30

func (e *encoder) change(num protowire.Number, c *registry.Change) {
	if c == nil {
		return
	}
	e.msg(num, func(e *encoder) {
		e.uint(1, uint64(c.State))
		e.str(2, string(c.Operation))
		e.str(3, c.Who)
		e.str(4, c.Case.Type)
		e.str(5, c.Case.Name)
		e.str(6, c.Case.ID)
		e.str(7, c.Reason)
	})
}

func (d *decoder) change() *registry.Change {
	c := &registry.Change{}
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				c.State = registry.ChangeState(d.val)
			case 2:
				c.Operation = registry.ChangeOperation(d.str())
			case 3:
				c.Who = d.str()
			case 4:
				c.Case.Type = d.str()
			case 5:
				c.Case.Name = d.str()
			case 6:
				c.Case.ID = d.str()
			case 7:
				c.Reason = d.str()
			default:
				d.unknown()
			}
		}
	})
	return c
}

// VersionAt returns the version of an object that the command at that place of the log made,
// and the one before it; each nil if there is none.
func (tx *ReadTx) VersionAt(roid registry.ROID, index uint64, inEntry uint32) (before, at *Version) {
	tx.History(roid, func(v *Version) bool {
		switch {
		case v.Index < index || v.Index == index && v.InEntry < inEntry:
			before = v
			return true
		case v.Index == index && v.InEntry == inEntry:
			at = v
		}
		return false
	})
	return before, at
}
