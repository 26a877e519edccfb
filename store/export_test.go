package store

import "cadastre/registry"

// IsFilterFull says whether the filter is used.
func (s *Store) IsFilterFull() bool {
	s.dbMu.RLock()
	defer s.dbMu.RUnlock()
	return s.filter.full.Load()
}

// FilterExcludes counts the domains of which the filter knows that they are not there.
func (s *Store) FilterExcludes(from, to int, name func(int) registry.DomainName) (known int) {
	for i := from; i < to; i++ {
		if s.filter.excludes(tableDomain.key().tail(string(name(i)))) {
			known++
		}
	}
	return known
}
