package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"cadastre/internal/histogram"
)

// grpcDescs describes the numbers about calls of nodes and operators, and about the secrets
// with which nodes know each other.
type grpcDescs struct{ requests, seconds, authorities, gossipKeys *prometheus.Desc }

func newGRPCDescs(desc func(name, help string, labels ...string) *prometheus.Desc) *grpcDescs {
	return &grpcDescs{
		requests:    desc("grpc_requests_total", "Calls of nodes and operators answered.", "service", "method", "code"),
		seconds:     desc("grpc_request_seconds", "Time from a call to its end; streams last as long as they are read.", "service", "method"),
		authorities: desc("trusted_authorities", "Certificate authorities that this node trusts; more than 1 while they are being replaced."),
		gossipKeys:  desc("gossip_keys", "Gossip keys that this node knows; more than 1 while the key is being replaced."),
	}
}

func (d *grpcDescs) collect(out chan<- prometheus.Metric, n *node) {
	gauge := func(desc *prometheus.Desc, v int) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(v))
	}
	gauge(d.authorities, n.creds.TrustedAuthorities())
	if n.gossip != nil {
		gauge(d.gossipKeys, len(n.gossip.Keys()))
	}
	times := func(h histogram.Snapshot, labels ...string) {
		out <- prometheus.MustNewConstHistogram(d.seconds, h.Count, h.Sum, h.Cumulative, labels...)
	}
	for _, c := range n.server.Calls() {
		for code, answers := range c.Codes {
			out <- prometheus.MustNewConstMetric(d.requests, prometheus.CounterValue, float64(answers), c.Service, c.Method, code.String())
		}
		times(c.Seconds, c.Service, c.Method)
	}
}
