package store

// staged holds the writes of the command being applied, in the order in which they came; a
// later one of the same key replaces the earlier.
type staged struct {
	writes []stagedWrite
	// places is made once there are more than searchedRows; nil before.
	places map[string]int
}

type stagedWrite struct {
	key     string
	value   []byte
	deleted bool
	fresh   bool // no row of this key has ever been there
}

// find returns the write of the key, nil if there is none.
func (s *staged) find(k []byte) *stagedWrite {
	if s.places != nil {
		if at, ok := s.places[string(k)]; ok {
			return &s.writes[at]
		}
		return nil
	}
	for i := range s.writes {
		if s.writes[i].key == string(k) {
			return &s.writes[i]
		}
	}
	return nil
}

// put adds a write of the kind; w has no key and no value yet.
func (s *staged) put(k key, value []byte, w stagedWrite) {
	if value == nil {
		value = []byte{}
	}
	w.value = value
	if known := s.find(k); known != nil {
		w.key, w.fresh = known.key, w.fresh && !known.deleted
		*known = w
		return
	}
	w.key = string(k)
	s.writes = append(s.writes, w)
	switch {
	case s.places != nil:
		s.places[w.key] = len(s.writes) - 1
	case len(s.writes) > searchedRows:
		s.places = make(map[string]int, 4*searchedRows)
		for i := range s.writes {
			s.places[s.writes[i].key] = i
		}
	}
}

func (s *staged) clear() {
	clear(s.writes)
	s.writes, s.places = s.writes[:0], nil
}
