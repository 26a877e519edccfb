package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

func (e *encoder) premiumName(num protowire.Number, p *registry.PremiumName) {
	e.msg(num, func(e *encoder) {
		e.str(1, p.Label)
		e.str(2, p.Class)
		e.int(3, p.CreatePriceMinor)
		e.int(4, p.RenewPriceMinor)
		e.int(5, p.RestorePriceMinor)
	})
}

func (d *decoder) premiumName() registry.PremiumName {
	var p registry.PremiumName
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				p.Label = d.str()
			case 2:
				p.Class = d.str()
			case 3:
				p.CreatePriceMinor = d.int()
			case 4:
				p.RenewPriceMinor = d.int()
			case 5:
				p.RestorePriceMinor = d.int()
			default:
				d.unknown()
			}
		}
	})
	return p
}
