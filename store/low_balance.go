package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

func (e *encoder) lowBalance(num protowire.Number, b *registry.LowBalance) {
	if b == nil {
		return
	}
	e.msg(num, func(e *encoder) {
		e.int(1, b.BalanceMinor)
		e.int(2, b.ThresholdMinor)
		e.int(3, b.CreditLimitMinor)
		e.str(4, b.Currency)
	})
}

func (d *decoder) lowBalance() *registry.LowBalance {
	b := &registry.LowBalance{}
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				b.BalanceMinor = d.int()
			case 2:
				b.ThresholdMinor = d.int()
			case 3:
				b.CreditLimitMinor = d.int()
			case 4:
				b.Currency = d.str()
			default:
				d.unknown()
			}
		}
	})
	return b
}
