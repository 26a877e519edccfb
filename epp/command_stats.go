package epp

import (
	"sync"
	"time"

	"cadastre/epp/eppxml"
	"cadastre/internal/histogram"
)

// maxCountedVerbs is above the number of EPP's verbs; whatever else a frame may claim to be
// is counted together.
const maxCountedVerbs = 24

// otherVerb stands for frames that are no command.
const otherVerb eppxml.Verb = "none"

// CommandStats is what a server has answered to one verb.
type CommandStats struct {
	Verb eppxml.Verb
	// Results counts answers by result code (RFC 5730 section 3).
	Results map[int]uint64
	// Seconds are the times from frame to answer.
	Seconds histogram.Snapshot
}

// commandStats counts answers by verb.
type commandStats struct {
	mu    sync.Mutex
	verbs map[eppxml.Verb]*verbStats
}

type verbStats struct {
	results map[int]uint64
	seconds *histogram.Histogram
}

func (s *commandStats) note(verb eppxml.Verb, code int, took time.Duration) {
	if verb == "" {
		verb = otherVerb
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.verbs[verb] == nil && len(s.verbs) >= maxCountedVerbs {
		verb = otherVerb
	}
	v := s.verbs[verb]
	if v == nil {
		if s.verbs == nil {
			s.verbs = make(map[eppxml.Verb]*verbStats)
		}
		v = &verbStats{results: make(map[int]uint64), seconds: histogram.NewSeconds()}
		s.verbs[verb] = v
	}
	v.results[code]++
	v.seconds.Observe(took.Seconds())
}

// snapshot returns the counts of every verb, in no order.
func (s *commandStats) snapshot() []CommandStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []CommandStats
	for verb, v := range s.verbs {
		c := CommandStats{Verb: verb, Results: make(map[int]uint64, len(v.results)), Seconds: v.seconds.Snapshot()}
		for code, n := range v.results {
			c.Results[code] = n
		}
		list = append(list, c)
	}
	return list
}
