package main

import "github.com/prometheus/client_golang/prometheus"

// rdapDescs are the metrics of RDAP, with what the monthly report of a registry asks for.
type rdapDescs struct {
	lookups, searches, failures                      *prometheus.Desc
	pages, limited, redirected, truncated, disclosed *prometheus.Desc
}

func newRDAPDescs(desc func(name, help string, labels ...string) *prometheus.Desc) *rdapDescs {
	return &rdapDescs{
		lookups:    desc("rdap_lookups_total", "RDAP lookups, by class of object.", "class"),
		searches:   desc("rdap_searches_total", "RDAP searches, by what is searched for.", "class"),
		failures:   desc("rdap_failures_total", "RDAP answers that are errors, by HTTP status.", "status"),
		pages:      desc("rdap_pages_total", "Pages of the web look-up."),
		limited:    desc("rdap_limited_total", "RDAP questions refused because their network asked too often."),
		redirected: desc("rdap_redirected_total", "Requests over plain HTTP that were redirected."),
		truncated:  desc("rdap_truncated_total", "RDAP searches that found more than was shown."),
		disclosed:  desc("rdap_disclosures_total", "RDAP answers with personal data to authorised requesters."),
	}
}

func (d *rdapDescs) collect(counter func(*prometheus.Desc, uint64, ...string), n *node) {
	if n.rdap == nil {
		return
	}
	stats := n.rdap.Stats()
	for class, count := range stats.Lookups {
		counter(d.lookups, count, class)
	}
	for class, count := range stats.Searches {
		counter(d.searches, count, class)
	}
	for status, count := range stats.Failures {
		counter(d.failures, count, status)
	}
	counter(d.pages, stats.Pages)
	counter(d.limited, stats.Limited)
	counter(d.redirected, stats.Redirected)
	counter(d.truncated, stats.Truncated)
	counter(d.disclosed, stats.Disclosed)
}
