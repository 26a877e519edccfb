package rdap

import (
	"net/http"
	"strconv"
	"sync/atomic"
)

// counters count since the start.
type counters struct {
	domains, hosts, entities, helps, pages atomic.Uint64
	domainSearches, hostSearches           atomic.Uint64
	entitySearches, reverseSearches        atomic.Uint64
	limited, redirected, truncated         atomic.Uint64
	notFound, badRequest, otherFailures    atomic.Uint64
	disclosed                              atomic.Uint64
}

func (c *counters) failed(status int) {
	switch status {
	case http.StatusNotFound:
		c.notFound.Add(1)
	case http.StatusBadRequest:
		c.badRequest.Add(1)
	case http.StatusTooManyRequests: // in limited
	default:
		c.otherFailures.Add(1)
	}
}

// Stats counts since the start, by what the monthly report of a registry asks for.
type Stats struct {
	// Lookups are by class of object: domain, nameserver, entity, help. Searches are by what is
	// searched for: domains, nameservers, entities, reverse. Pages are of the web look-up.
	Lookups, Searches map[string]uint64
	Pages             uint64
	// Limited were refused because their network asked too often, Redirected came over plain HTTP,
	// Truncated are searches that found more than was shown.
	Limited, Redirected, Truncated uint64
	// Failures are by HTTP status, "other" for the rare ones; Disclosed are answers to authorised
	// requesters with personal data.
	Failures  map[string]uint64
	Disclosed uint64
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	c := &s.counters
	return Stats{
		Lookups: map[string]uint64{"domain": c.domains.Load(), "nameserver": c.hosts.Load(), "entity": c.entities.Load(), "help": c.helps.Load()},
		Searches: map[string]uint64{"domains": c.domainSearches.Load(), "nameservers": c.hostSearches.Load(), "entities": c.entitySearches.Load(),
			"reverse": c.reverseSearches.Load()},
		Pages: c.pages.Load(), Limited: c.limited.Load(), Redirected: c.redirected.Load(), Truncated: c.truncated.Load(),
		Failures: map[string]uint64{strconv.Itoa(http.StatusNotFound): c.notFound.Load(), strconv.Itoa(http.StatusBadRequest): c.badRequest.Load(),
			"other": c.otherFailures.Load()},
		Disclosed: c.disclosed.Load(),
	}
}
