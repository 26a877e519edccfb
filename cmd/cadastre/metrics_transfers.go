package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cadastre/cluster/clusterpb"
	"cadastre/dnsedge"
)

// transferDescs are the numbers of zone transfers and secondaries.
type transferDescs struct {
	transfers, refused, octets, active, badSignatures, shed *prometheus.Desc
	held, acknowledged, behind, attempts, lagging           *prometheus.Desc
}

func newTransferDescs(desc func(name, help string, labels ...string) *prometheus.Desc) *transferDescs {
	return &transferDescs{
		transfers:     desc("dns_transfers_total", "Zone transfers by what became of them.", "kind"),
		refused:       desc("dns_transfers_refused_total", "Zone transfers that were not begun.", "reason"),
		octets:        desc("dns_transfer_octets_total", "Octets sent in zone transfers."),
		active:        desc("dns_transfers_active", "Zone transfers now."),
		badSignatures: desc("dns_tsig_failures_total", "DNS messages whose TSIG does not hold."),
		shed:          desc("dns_slow_shed_total", "DNS messages dropped because too many waited for the slow path."),
		held:          desc("dns_secondary_serial", "SOA serial that a secondary serves, as far as is known.", "secondary", "zone"),
		acknowledged:  desc("dns_secondary_acknowledged_serial", "Last serial of which a secondary acknowledged the NOTIFY.", "secondary", "zone"),
		behind:        desc("dns_secondary_behind", "1 while a secondary is not known to serve the present serial, else 0.", "secondary", "zone"),
		lagging:       desc("dns_secondaries_behind", "Zones on secondaries that are not known to serve the present serial."),
		attempts:      desc("dns_secondary_notify_attempts", "NOTIFY messages in a row that a secondary did not acknowledge.", "secondary", "zone"),
	}
}

func (d *transferDescs) collect(out chan<- prometheus.Metric, st *dnsedge.TransferStats, secondaries []dnsedge.SecondaryStatus) {
	counter := func(desc *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	for kind, n := range map[string]uint64{"axfr": st.AXFR, "ixfr": st.IXFR, "unchanged": st.Unchanged, "ixfr_as_axfr": st.Fallbacks, "failed": st.Failed} {
		counter(d.transfers, n, kind)
	}
	counter(d.refused, st.Refused, "not_admitted")
	counter(d.refused, st.Busy, "too_many")
	counter(d.octets, st.Octets)
	counter(d.badSignatures, st.BadSignatures)
	counter(d.shed, st.SlowShed)
	gauge(d.active, float64(st.Active))
	lagging := 0
	for i := range secondaries {
		s := &secondaries[i]
		if !s.HeldAt.IsZero() {
			gauge(d.held, float64(s.Held), s.Name, s.Zone)
		}
		if !s.AcknowledgedAt.IsZero() {
			gauge(d.acknowledged, float64(s.Acknowledged), s.Name, s.Zone)
		}
		if !s.IsCurrent() {
			lagging++
		}
		gauge(d.behind, boolValue(!s.IsCurrent()), s.Name, s.Zone)
		gauge(d.attempts, float64(s.Attempts), s.Name, s.Zone)
	}
	gauge(d.lagging, float64(lagging))
}

// secondaries lists what the name server knows of its secondaries, for operators.
func (n *node) secondaries() []*clusterpb.ZoneSecondary {
	if n.dns == nil {
		return nil
	}
	var out []*clusterpb.ZoneSecondary
	for _, s := range n.dns.Secondaries() {
		out = append(out, &clusterpb.ZoneSecondary{
			Name: s.Name, Address: s.Address.String(), Zone: s.Zone, Serial: s.Serial, Acknowledged: s.Acknowledged, AcknowledgedAtMs: unixMilli(s.AcknowledgedAt),
			Held: s.Held, HeldAtMs: unixMilli(s.HeldAt), Attempts: uint32(s.Attempts), Error: s.Error,
		})
	}
	return out
}

// unixMilli keeps "never" as 0.
func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
