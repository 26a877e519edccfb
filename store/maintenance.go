package store

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"cadastre/registry"
)

func dueMaintenanceKey(at time.Time, id string) key {
	return tableDueMaint.key().uint(uint64(at.UnixMilli())).tail(id)
}

// Maintenance returns the maintenance of the id while it is kept.
func (tx *ReadTx) Maintenance(id string) (*registry.Maintenance, bool) {
	value, ok := tx.get(tableMaintenance.key().tail(id))
	if !ok {
		return nil, false
	}
	return decodeMaintenance(value), true
}

// Maintenances returns all that are kept, by id; there are never many.
func (tx *ReadTx) Maintenances() []*registry.Maintenance {
	var all []*registry.Maintenance
	tx.scan(tableMaintenance.key(), nil, func(_, value []byte) bool {
		all = append(all, decodeMaintenance(value))
		return true
	})
	return all
}

// PutMaintenance writes m with its history. old is the version that it replaces, nil for a
// new one.
func (tx *Tx) PutMaintenance(old, m *registry.Maintenance) {
	row := encodeMaintenance(m)
	tx.set(tableMaintenance.key().tail(m.ID), row)
	if old == nil {
		tx.putROID(m.ROID, registry.KindMaintenance, m.ID)
	} else if !old.NextDueAt().Equal(m.NextDueAt()) {
		tx.del(dueMaintenanceKey(old.NextDueAt(), m.ID))
	}
	if old == nil || !old.NextDueAt().Equal(m.NextDueAt()) {
		tx.set(dueMaintenanceKey(m.NextDueAt(), m.ID), nil)
	}
	tx.addHistory(registry.KindMaintenance, m.ROID, m.ID, row)
}

// RetireMaintenance removes m; its history stays as it is, because messages name versions of it.
func (tx *Tx) RetireMaintenance(m *registry.Maintenance) {
	tx.del(tableMaintenance.key().tail(m.ID))
	tx.del(dueMaintenanceKey(m.NextDueAt(), m.ID))
}

// Maintenance returns the maintenance as of this version.
func (v *Version) Maintenance() *registry.Maintenance { return decodeMaintenance(v.row) }

func (e *encoder) maintenanceTexts(num protowire.Number, texts []registry.MaintenanceText) {
	for _, t := range texts {
		e.msg(num, func(e *encoder) { e.str(1, t.Text); e.str(2, t.Lang); e.bool(3, t.HTML) })
	}
}

func encodeMaintenance(m *registry.Maintenance) []byte {
	var e encoder
	e.str(1, m.ID)
	e.str(2, string(m.ROID))
	e.str(3, m.Name)
	e.maintenanceTexts(4, m.Types)
	for _, s := range m.Systems {
		e.msg(5, func(e *encoder) { e.str(1, s.Name); e.str(2, s.Host); e.str(3, s.Impact) })
	}
	e.str(6, m.Environment)
	e.str(7, m.CustomName)
	e.time(8, m.StartsAt)
	e.time(9, m.EndsAt)
	e.bool(10, m.Emergency)
	e.str(11, m.Detail)
	e.maintenanceTexts(12, m.Descriptions)
	for _, tld := range m.TLDs {
		e.elem(13, []byte(tld))
	}
	if i := m.Intervention; i != nil {
		e.msg(14, func(e *encoder) { e.bool(1, i.Connection); e.bool(2, i.Implementation) })
	}
	e.uint(15, uint64(m.CourtesyHours))
	e.time(16, m.CreatedAt)
	e.time(17, m.UpdatedAt)
	e.uint(18, uint64(m.Revision))
	e.bool(19, m.Cancelled)
	e.time(20, m.CourtesyAt)
	e.bool(21, m.Ended)
	return e.b
}

func decodeMaintenance(value []byte) *registry.Maintenance {
	m := &registry.Maintenance{}
	decodeRow("maintenance", value, func(d *decoder) {
		for d.next() {
			if d.num <= 14 {
				d.maintenanceItem(m)
			} else {
				d.maintenanceState(m)
			}
		}
	})
	return m
}

func (d *decoder) maintenanceItem(m *registry.Maintenance) {
	switch d.num {
	case 1:
		m.ID = d.str()
	case 2:
		m.ROID = registry.ROID(d.str())
	case 3:
		m.Name = d.str()
	case 4:
		m.Types = append(m.Types, d.maintenanceText())
	case 5:
		m.Systems = append(m.Systems, d.maintenanceSystem())
	case 6:
		m.Environment = d.str()
	case 7:
		m.CustomName = d.str()
	case 8:
		m.StartsAt = d.time()
	case 9:
		m.EndsAt = d.time()
	case 10:
		m.Emergency = d.bool()
	case 11:
		m.Detail = d.str()
	case 12:
		m.Descriptions = append(m.Descriptions, d.maintenanceText())
	case 13:
		m.TLDs = append(m.TLDs, registry.DomainName(d.str()))
	case 14:
		m.Intervention = d.maintenanceIntervention()
	default:
		d.unknown()
	}
}

func (d *decoder) maintenanceState(m *registry.Maintenance) {
	switch d.num {
	case 15:
		m.CourtesyHours = uint32(d.val)
	case 16:
		m.CreatedAt = d.time()
	case 17:
		m.UpdatedAt = d.time()
	case 18:
		m.Revision = uint32(d.val)
	case 19:
		m.Cancelled = d.bool()
	case 20:
		m.CourtesyAt = d.time()
	case 21:
		m.Ended = d.bool()
	default:
		d.unknown()
	}
}

func (d *decoder) maintenanceText() registry.MaintenanceText {
	var t registry.MaintenanceText
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				t.Text = d.str()
			case 2:
				t.Lang = d.str()
			case 3:
				t.HTML = d.bool()
			default:
				d.unknown()
			}
		}
	})
	return t
}

func (d *decoder) maintenanceSystem() registry.MaintenanceSystem {
	var s registry.MaintenanceSystem
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				s.Name = d.str()
			case 2:
				s.Host = d.str()
			case 3:
				s.Impact = d.str()
			default:
				d.unknown()
			}
		}
	})
	return s
}

func (d *decoder) maintenanceIntervention() *registry.MaintenanceIntervention {
	i := &registry.MaintenanceIntervention{}
	d.nested(func(d *decoder) {
		for d.next() {
			switch d.num {
			case 1:
				i.Connection = d.bool()
			case 2:
				i.Implementation = d.bool()
			default:
				d.unknown()
			}
		}
	})
	return i
}
