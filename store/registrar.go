package store

import (
	"net/netip"

	"cadastre/registry"
)

// Registrar returns the registrar with the id.
func (tx *ReadTx) Registrar(id registry.RegistrarID) (*registry.Registrar, bool) {
	k := tableRegistrar.key().tail(string(id))
	value, ok := tx.get(k)
	if !ok {
		return nil, false
	}
	return decoded(tx, k, value, decodeRegistrar), true
}

// Registrars returns all registrars, by id.
func (tx *ReadTx) Registrars() []*registry.Registrar {
	var all []*registry.Registrar
	tx.scan(tableRegistrar.key(), nil, func(_, value []byte) bool {
		all = append(all, decodeRegistrar(value))
		return true
	})
	return all
}

// PutRegistrar writes r with its history.
func (tx *Tx) PutRegistrar(r *registry.Registrar) {
	row := encodeRegistrar(r)
	tx.set(tableRegistrar.key().tail(string(r.ID)), row)
	tx.putROID(r.ROID, registry.KindRegistrar, string(r.ID))
	tx.addHistory(registry.KindRegistrar, r.ROID, string(r.ID), row)
}

func encodeRegistrar(r *registry.Registrar) []byte {
	var e encoder
	e.str(1, string(r.ID))
	e.str(2, string(r.ROID))
	e.str(3, r.Name)
	e.str(4, r.Email)
	e.str(5, r.URL)
	e.uint(6, uint64(r.IANAID))
	e.uint(7, uint64(r.State))
	e.str(8, r.PasswordHash)
	for _, fp := range r.CertificateSHA256 {
		e.elem(9, fp)
	}
	for _, tld := range r.TLDs {
		e.elem(10, []byte(tld))
	}
	e.str(11, r.Currency)
	e.int(12, r.CreditLimit)
	e.time(13, r.CreatedAt)
	e.time(14, r.UpdatedAt)
	e.int(20, r.LowBalanceMinor)
	for _, prefix := range r.Sources {
		e.elem(140, []byte(prefix.String()))
	}
	for _, tld := range r.ThinTLDs {
		e.elem(141, []byte(tld))
	}
	e.uint(142, uint64(r.QueryRate))
	e.uint(143, uint64(r.TransformRate))
	e.registrarPublic(&r.Public)
	return e.b
}

func decodeRegistrar(value []byte) *registry.Registrar {
	r := &registry.Registrar{}
	decodeRow("registrar", value, func(d *decoder) {
		for d.next() {
			d.registrarField(r)
		}
	})
	return r
}

func (d *decoder) registrarField(r *registry.Registrar) {
	switch d.num {
	case 1:
		r.ID = registry.RegistrarID(d.str())
	case 2:
		r.ROID = registry.ROID(d.str())
	case 3:
		r.Name = d.str()
	case 4:
		r.Email = d.str()
	case 5:
		r.URL = d.str()
	case 6:
		r.IANAID = uint32(d.val)
	case 7:
		r.State = registry.RegistrarState(d.val)
	case 8:
		r.PasswordHash = d.str()
	case 9:
		r.CertificateSHA256 = append(r.CertificateSHA256, d.bytes())
	case 10:
		r.TLDs = append(r.TLDs, registry.DomainName(d.str()))
	case 11:
		r.Currency = d.str()
	case 12:
		r.CreditLimit = d.int()
	case 13:
		r.CreatedAt = d.time()
	case 14:
		r.UpdatedAt = d.time()
	case 20:
		r.LowBalanceMinor = d.int()
	default:
		d.registrarAccessField(r)
	}
}

// registrarAccessField decodes what says how a registrar may use the registry.
func (d *decoder) registrarAccessField(r *registry.Registrar) {
	switch d.num {
	case 140:
		prefix, err := netip.ParsePrefix(d.str())
		if err != nil {
			d.err = errRow
		}
		r.Sources = append(r.Sources, prefix)
	case 141:
		r.ThinTLDs = append(r.ThinTLDs, registry.DomainName(d.str()))
	case 142:
		r.QueryRate = uint32(d.val)
	case 143:
		r.TransformRate = uint32(d.val)
	case fieldRegistrarPublic:
		r.Public = d.registrarPublic()
	default:
		d.unknown()
	}
}
