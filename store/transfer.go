package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// Field numbers of the latest transfer in the rows of its object.
const (
	fieldDomainTransfer  protowire.Number = 21
	fieldContactTransfer protowire.Number = 18
)

func (e *encoder) transfer(num protowire.Number, t *registry.Transfer) {
	if t == nil {
		return
	}
	e.msg(num, func(e *encoder) {
		e.uint(1, uint64(t.Status))
		e.str(2, string(t.Requester))
		e.time(3, t.RequestedAt)
		e.str(4, string(t.Losing))
		e.time(5, t.ActAt)
		e.uint(6, uint64(t.PeriodYears))
		e.time(7, t.ExpiresAt)
		e.uint(8, t.ReservedRow)
	})
}

func (d *decoder) transfer() *registry.Transfer {
	t := &registry.Transfer{}
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				t.Status = registry.TransferStatus(d.val)
			case 2:
				t.Requester = registry.RegistrarID(d.str())
			case 3:
				t.RequestedAt = d.time()
			case 4:
				t.Losing = registry.RegistrarID(d.str())
			case 5:
				t.ActAt = d.time()
			case 6:
				t.PeriodYears = uint32(d.val)
			case 7:
				t.ExpiresAt = d.time()
			case 8:
				t.ReservedRow = d.val
			default:
				d.unknown()
			}
		}
	})
	return t
}
