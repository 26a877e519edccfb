package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

// fieldPollKeyRelay is the field of a message's row that holds relayed keys.
const fieldPollKeyRelay protowire.Number = 120

func (e *encoder) keyRelay(relay *registry.KeyRelay) {
	if relay == nil {
		return
	}
	e.msg(fieldPollKeyRelay, func(e *encoder) {
		e.str(1, string(relay.From))
		for i := range relay.Keys {
			relayed := &relay.Keys[i]
			e.msg(2, func(e *encoder) {
				e.msg(1, func(e *encoder) { e.publicKey(&relayed.Key) })
				e.time(2, relayed.Until)
				e.str(3, relayed.For)
			})
		}
	})
}

func (d *decoder) keyRelay() *registry.KeyRelay {
	relay := &registry.KeyRelay{}
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				relay.From = registry.RegistrarID(d.str())
			case 2:
				relay.Keys = append(relay.Keys, d.relayedKey())
			default:
				d.unknown()
			}
		}
	})
	return relay
}

func (d *decoder) relayedKey() registry.RelayedKey {
	var relayed registry.RelayedKey
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				relayed.Key = d.publicKey()
			case 2:
				relayed.Until = d.time()
			case 3:
				relayed.For = d.str()
			default:
				d.unknown()
			}
		}
	})
	return relayed
}
