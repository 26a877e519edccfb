package main

import "github.com/prometheus/client_golang/prometheus"

// seedDescs describes the numbers about giving and fetching the state.
type seedDescs struct {
	sent, held, installs, fetched, total *prometheus.Desc
}

func newSeedDescs(desc func(name, help string, labels ...string) *prometheus.Desc) *seedDescs {
	return &seedDescs{
		sent:     desc("seed_sent_bytes_total", "Octets of checkpoints sent to other nodes."),
		held:     desc("seed_checkpoints_held", "Checkpoints held for other nodes to fetch."),
		installs: desc("raft_installs_total", "Checkpoints that leaders had this node put in place; growing steadily is a fault."),
		fetched:  desc("seed_fetched_bytes", "Octets of the state fetched so far while this node is behind the log, else 0."),
		total:    desc("seed_total_bytes", "Octets of the state that is being fetched, else 0."),
	}
}

func (d *seedDescs) collect(out chan<- prometheus.Metric, n *node) {
	progress, _ := n.fetcher.Progress()
	for desc, v := range map[*prometheus.Desc]float64{
		d.held: float64(n.raft.HeldCheckpoints()), d.fetched: float64(progress.FetchedBytes), d.total: float64(progress.TotalBytes),
	} {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v)
	}
	out <- prometheus.MustNewConstMetric(d.sent, prometheus.CounterValue, float64(n.server.SeedSentBytes()))
	out <- prometheus.MustNewConstMetric(d.installs, prometheus.CounterValue, float64(n.raft.Installs()))
}
