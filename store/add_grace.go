package store

import (
	"time"

	"cadastre/registry"
)

// monthLayout names a calendar month (UTC) in keys.
const monthLayout = "200601"

func addGraceKey(registrar registry.RegistrarID, tld registry.DomainName, at time.Time) key {
	return tableAddGrace.key().str(string(registrar)).str(string(tld)).month(at)
}

// month appends a calendar month in monthLayout. Every registration asks for one.
func (k key) month(at time.Time) key {
	year, month, _ := at.UTC().Date()
	return append(k, byte('0'+year/1000%10), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10), byte('0'+month/10), byte('0'+month%10))
}

// AddGraceMonth returns what the registrar did under the TLD in the month of at.
func (tx *ReadTx) AddGraceMonth(registrar registry.RegistrarID, tld registry.DomainName, at time.Time) registry.AddGraceMonth {
	var m registry.AddGraceMonth
	value, ok := tx.get(addGraceKey(registrar, tld, at))
	if !ok {
		return m
	}
	decodeRow("add grace month", value, func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				m.Adds = d.val
			case 2:
				m.Deletes = d.val
			case 3:
				m.Refunds = d.val
			default:
				d.unknown()
			}
		}
	})
	return m
}

// PutAddGraceMonth writes what the registrar did under the TLD in the month of at.
func (tx *Tx) PutAddGraceMonth(registrar registry.RegistrarID, tld registry.DomainName, at time.Time, m registry.AddGraceMonth) {
	var e encoder
	e.uint(1, m.Adds)
	e.uint(2, m.Deletes)
	e.uint(3, m.Refunds)
	tx.set(addGraceKey(registrar, tld, at), e.b)
}
