package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"cadastre/dnsedge"
)

// dnsDescs are the numbers that RSSAC002 asks of a name server, beside those that metrics.go has.
type dnsDescs struct {
	queries, responses, querySize, replySize *prometheus.Desc
	sources, load, octets, tapSent, tapLost  *prometheus.Desc
}

func newDNSDescs(desc func(name, help string, labels ...string) *prometheus.Desc) *dnsDescs {
	return &dnsDescs{
		queries:   desc("dns_volume_queries_total", "DNS messages received, by transport (udp, tcp, tls) and address family.", "transport", "family"),
		responses: desc("dns_volume_responses_total", "DNS replies sent, by transport (udp, tcp, tls) and address family.", "transport", "family"),
		querySize: desc("dns_query_size_octets", "Sizes of DNS queries in classes of 16 octets; tcp has those over TLS.", "transport"),
		replySize: desc("dns_response_size_octets", "Sizes of DNS replies in classes of 16 octets; tcp has those over TLS.", "transport"),
		sources:   desc("dns_sources", "Estimate of the different sources of DNS queries in a UTC day: of today so far, and of yesterday.", "kind", "day"),
		load:      desc("dns_zone_load_seconds", "Time from the news of a publication to its being served."),
		octets:    desc("dns_zone_octets", "Memory that the records of a zone take up.", "tld"),
		tapSent:   desc("dns_tap_sent_total", "Copies of DNS messages given to the dnstap collector."),
		tapLost:   desc("dns_tap_dropped_total", "Copies of DNS messages dropped because the dnstap collector is away or slow."),
	}
}

func (d *dnsDescs) collect(out chan<- prometheus.Metric, st *dnsedge.Stats) {
	counter := func(desc *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(desc *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(v), labels...)
	}
	for _, v := range st.Volumes {
		counter(d.queries, v.Queries, v.Transport, v.Family)
		counter(d.responses, v.Responses, v.Transport, v.Family)
	}
	for transport, sums := range map[string]*dnsedge.TransportStats{"udp": &st.UDP, "tcp": &st.TCP} {
		out <- sizes(d.querySize, sums.QuerySizes[:], sums.QueryOctets, transport)
		out <- sizes(d.replySize, sums.ReplySizes[:], sums.ReplyOctets, transport)
	}
	for day, s := range map[string]dnsedge.SourceStats{"today": st.Today, "yesterday": st.Yesterday} {
		gauge(d.sources, s.IPv4, "ipv4", day)
		gauge(d.sources, s.IPv6, "ipv6", day)
		gauge(d.sources, s.IPv6Networks, "ipv6_64", day)
	}
	out <- prometheus.MustNewConstSummary(d.load, st.Loads, st.LoadTime.Seconds(), nil)
	for _, zone := range st.Zones {
		gauge(d.octets, uint64(zone.Octets), zone.TLD)
	}
	counter(d.tapSent, st.Tap.Sent)
	counter(d.tapLost, st.Tap.Dropped)
}

// sizes makes a histogram whose classes end at 15, 31, … octets; what is longer than all is in the last.
func sizes(desc *prometheus.Desc, classes []uint64, octets uint64, transport string) prometheus.Metric {
	buckets := make(map[float64]uint64, len(classes))
	total := uint64(0)
	for i, n := range classes {
		total += n
		if i < len(classes)-1 {
			buckets[float64((i+1)*dnsedge.SizeSlot-1)] = total
		}
	}
	return prometheus.MustNewConstHistogram(desc, total, float64(octets), buckets, transport)
}
