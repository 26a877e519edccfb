package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"cadastre/registry"
	"cadastre/store"
)

// eppDescs describes the numbers about registrars' sessions and message queues.
type eppDescs struct {
	connections, sessions, loginsRefused, rateRefused *prometheus.Desc
	messages, longest, overlong                       *prometheus.Desc
}

func newEPPDescs(desc func(name, help string, labels ...string) *prometheus.Desc) *eppDescs {
	return &eppDescs{
		connections:   desc("epp_connections", "Open connections to the EPP port."),
		sessions:      desc("epp_sessions", "Logged-in EPP sessions."),
		loginsRefused: desc("epp_logins_refused_total", "Logins that failed; the log says why."),
		rateRefused:   desc("epp_rate_refused_total", "Commands refused because a registrar was over its rate."),
		messages:      desc("poll_messages", "Messages that wait for registrars."),
		longest:       desc("poll_queue_longest", "Messages in the longest queue."),
		overlong:      desc("poll_queue_overlong", "1 for each registrar whose queue is longer than anybody reads.", "registrar"),
	}
}

func (d *eppDescs) collect(out chan<- prometheus.Metric, n *node) {
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	if n.epp != nil {
		stats := n.epp.Stats()
		gauge(d.connections, float64(stats.Connections))
		gauge(d.sessions, float64(stats.Sessions))
		out <- prometheus.MustNewConstMetric(d.loginsRefused, prometheus.CounterValue, float64(stats.LoginsRefused))
		out <- prometheus.MustNewConstMetric(d.rateRefused, prometheus.CounterValue, float64(stats.RateRefused))
	}
	var messages, longest uint64
	var overlong []registry.RegistrarID
	err := n.store.View(func(tx *store.ReadTx) error {
		tx.PollQueues(func(id registry.RegistrarID, queue registry.PollQueue) {
			messages, longest = messages+queue.Count, max(longest, queue.Count)
			if queue.Count > registry.PollQueueAlarm {
				overlong = append(overlong, id)
			}
		})
		return nil
	})
	if err != nil {
		return // it is stopping
	}
	gauge(d.messages, float64(messages))
	gauge(d.longest, float64(longest))
	for _, id := range overlong {
		gauge(d.overlong, 1, string(id))
	}
}
