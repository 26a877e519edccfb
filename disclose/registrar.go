package disclose

import (
	"strconv"
	"time"

	"cadastre/registry"
	"cadastre/store"
)

// Registrar is a registrar as everybody sees it.
type Registrar struct {
	ID        registry.RegistrarID
	Name      string
	Email     string
	URL       string
	IANAID    uint32
	Public    registry.RegistrarPublic
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Handle is what the registrar is known by in RDAP: its IANA number, or its id if it has none.
func (r *Registrar) Handle() string {
	if r.IANAID != 0 {
		return strconv.FormatUint(uint64(r.IANAID), 10)
	}
	return string(r.ID)
}

// RegistrarOf returns the registrar of the id. One that sponsors objects is always there.
func RegistrarOf(tx *store.ReadTx, id registry.RegistrarID) (*Registrar, bool) {
	r, found := tx.Registrar(id)
	if !found {
		return nil, false
	}
	return registrarOf(r), true
}

func registrarOf(r *registry.Registrar) *Registrar {
	return &Registrar{
		ID: r.ID, Name: r.Name, Email: r.Email, URL: r.URL, IANAID: r.IANAID, Public: r.Public, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

// EachRegistrar calls fn for every registrar, by id, until it returns false. There are some
// thousands at most.
func EachRegistrar(tx *store.ReadTx, fn func(*Registrar) bool) {
	for _, r := range tx.Registrars() {
		if !fn(registrarOf(r)) {
			return
		}
	}
}

// sponsorOf returns the registrar of the id, or one with only that id if its record is gone.
func sponsorOf(tx *store.ReadTx, id registry.RegistrarID) *Registrar {
	if r, found := RegistrarOf(tx, id); found {
		return r
	}
	return &Registrar{ID: id, Name: string(id)}
}
