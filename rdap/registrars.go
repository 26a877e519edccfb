package rdap

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"cadastre/disclose"
	"cadastre/registry"
	"cadastre/store"
)

// ianaIDsLifetime is how long it may take until a new number of a registrar is found.
const ianaIDsLifetime = 5 * time.Second

// ianaIDs leads from IANA's numbers to registrars. What it says is checked against the record.
type ianaIDs struct {
	mu     sync.Mutex
	byID   map[uint32]registry.RegistrarID
	readAt time.Time
}

// findRegistrar returns the registrar with the IANA number or, if it has none, the id.
func (s *Server) findRegistrar(tx *store.ReadTx, handle string) (*disclose.Registrar, bool) {
	if number, err := strconv.ParseUint(handle, 10, 32); err == nil && strconv.FormatUint(number, 10) == handle {
		if id, found := s.ianaIDs.find(tx, uint32(number), s.cfg.Now()); found {
			if r, found := disclose.RegistrarOf(tx, id); found && r.IANAID == uint32(number) {
				return r, true
			}
		}
	}
	id, err := registry.ParseRegistrarID(handle)
	if err != nil {
		return nil, false
	}
	return disclose.RegistrarOf(tx, id)
}

func (i *ianaIDs) find(tx *store.ReadTx, number uint32, now time.Time) (registry.RegistrarID, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if age := now.Sub(i.readAt); i.byID == nil || age > ianaIDsLifetime || age < 0 {
		i.byID, i.readAt = map[uint32]registry.RegistrarID{}, now
		disclose.EachRegistrar(tx, func(r *disclose.Registrar) bool {
			if _, taken := i.byID[r.IANAID]; r.IANAID != 0 && !taken {
				i.byID[r.IANAID] = r.ID
			}
			return true
		})
	}
	id, found := i.byID[number]
	return id, found
}

// registrarsByName returns the registrars whose names match, by id.
func registrarsByName(tx *store.ReadTx, matches func(string) bool) []*disclose.Registrar {
	var found []*disclose.Registrar
	disclose.EachRegistrar(tx, func(r *disclose.Registrar) bool {
		if matches(strings.ToLower(r.Name)) {
			found = append(found, r)
		}
		return true
	})
	return found
}
