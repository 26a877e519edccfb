package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"cadastre/registry"
	"cadastre/store"
)

const (
	metricsReadTimeout  = 5 * time.Second
	metricsWriteTimeout = 30 * time.Second
	metricsStopTimeout  = 2 * time.Second
	// readyLagEntries is how far behind the commit index a node may be and still be ready:
	// a moment of work at full load.
	readyLagEntries = 1000
	// readyAlarmAge is how long a zone may go unpublished, such as while its first keys are made.
	readyAlarmAge = 10 * time.Second
	// readyContactAge is how long a follower may not have heard from its leader.
	readyContactAge = 5 * time.Second
)

// nodeCollector reads the numbers of a node when they are asked for.
type nodeCollector struct {
	node      *node
	storage   *storageDescs
	work      *raftDescs
	epp       *eppDescs
	seed      *seedDescs
	grpc      *grpcDescs
	transfers *transferDescs
	dnsVolume *dnsDescs
	rdap      *rdapDescs

	term, isLeader, applied, commit, lastLog, peers     *prometheus.Desc
	dnsQueries, dnsResponses, dnsDropped, dnsRcodes     *prometheus.Desc
	dnsTruncated, dnsTCPConns, dnsSerial, dnsNames      *prometheus.Desc
	dnsRefreshFailures, whoisQueries, whoisRefusals     *prometheus.Desc
	contactSeconds, dnsTCPRejected, certExpirySecond    *prometheus.Desc
	zoneBlocked, zoneHeld, zoneDelegations, zoneRenewal *prometheus.Desc
	dnsOverflow, dnsRateLimited                         *prometheus.Desc
	whoisLimited, whoisAvailability                     *prometheus.Desc
}

func newNodeCollector(n *node) *nodeCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("cadastre_"+name, help, labels, nil)
	}
	return &nodeCollector{
		node:               n,
		storage:            newStorageDescs(desc),
		work:               newRaftDescs(desc),
		transfers:          newTransferDescs(desc),
		dnsVolume:          newDNSDescs(desc),
		epp:                newEPPDescs(desc),
		seed:               newSeedDescs(desc),
		grpc:               newGRPCDescs(desc),
		rdap:               newRDAPDescs(desc),
		term:               desc("raft_term", "Current Raft term."),
		isLeader:           desc("raft_is_leader", "1 while this node leads and serves, else 0."),
		applied:            desc("applied_index", "Highest log index applied to this node's state."),
		commit:             desc("raft_commit_index", "Highest log index that this node knows to be committed."),
		lastLog:            desc("raft_last_log_index", "Last index in this node's log."),
		peers:              desc("raft_members", "Nodes in the Raft configuration.", "suffrage"),
		contactSeconds:     desc("raft_leader_contact_seconds", "Time since this node last heard from its leader."),
		dnsQueries:         desc("dns_queries_total", "DNS messages received.", "transport"),
		dnsResponses:       desc("dns_responses_total", "DNS replies sent.", "transport"),
		dnsDropped:         desc("dns_dropped_total", "DNS messages that get no reply.", "transport"),
		dnsTruncated:       desc("dns_truncated_total", "DNS replies with TC set.", "transport"),
		dnsRcodes:          desc("dns_rcodes_total", "DNS replies by response code.", "transport", "rcode"),
		dnsTCPConns:        desc("dns_tcp_connections", "Open DNS connections over TCP."),
		dnsTCPRejected:     desc("dns_tcp_rejected_total", "DNS connections closed at once because a bound was reached."),
		dnsSerial:          desc("dns_zone_serial", "SOA serial served.", "tld"),
		zoneHeld:           desc("zone_held_since_seconds", "Since when the zone is held by a limit of its publications, Unix time; 0: it is not.", "tld"),
		zoneDelegations:    desc("zone_delegations", "Delegations in the published zone.", "tld"),
		zoneRenewal:        desc("zone_signature_renewal_seconds", "When the next signatures of the zone are to be renewed, Unix time; in the past: renewal is behind.", "tld"),
		zoneBlocked:        desc("zone_publish_blocked_since_seconds", "Since when the leader cannot publish the zone, Unix time; 0 while it can.", "tld"),
		dnsNames:           desc("dns_zone_names", "Names in the zone as served.", "tld"),
		dnsRefreshFailures: desc("dns_refresh_failures_total", "Failed attempts to follow the published zones."),
		dnsOverflow:        desc("dns_udp_overflow_total", "DNS datagrams dropped because a socket's queue in the kernel was full."),
		dnsRateLimited:     desc("dns_rate_limited_total", "DNS replies over UDP dropped or truncated by the rate limit."),
		whoisQueries:       desc("whois_queries_total", "WHOIS queries answered."),
		whoisRefusals:      desc("whois_refused_total", "WHOIS connections refused."),
		whoisLimited:       desc("whois_limited_total", "WHOIS queries refused because their network asked too often."),
		whoisAvailability:  desc("whois_availability_queries_total", "WHOIS queries for a one-line answer about availability."),
		certExpirySecond:   desc("certificate_expiry_seconds", "When the node's certificate expires, Unix time."),
	}
}

// Describe implements prometheus.Collector.
func (c *nodeCollector) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, out) }

// Collect implements prometheus.Collector.
func (c *nodeCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(c.applied, float64(c.node.raft.AppliedIndex()))
	gauge(c.certExpirySecond, float64(c.node.creds.Certificate().NotAfter.Unix()))
	if status, err := c.node.raft.Status(); err == nil {
		gauge(c.term, float64(status.Term))
		gauge(c.isLeader, boolValue(status.IsServing))
		gauge(c.commit, float64(status.CommitIndex))
		gauge(c.lastLog, float64(status.LastLogIndex))
		if !status.LastContact.IsZero() {
			gauge(c.contactSeconds, time.Since(status.LastContact).Seconds())
		}
	}
	if servers, err := c.node.raft.Servers(); err == nil {
		count := map[string]int{"voter": 0, "nonvoter": 0}
		for _, s := range servers {
			count[string(s.Suffrage)]++
		}
		for suffrage, members := range count {
			gauge(c.peers, float64(members), suffrage)
		}
	}
	c.collectZones(gauge)
	c.storage.collect(out, c.node)
	c.work.collect(out, c.node)
	c.epp.collect(out, c.node)
	c.seed.collect(out, c.node)
	c.grpc.collect(out, c.node)
	c.collectEdges(out)
}

// collectZones tells of every zone since when it is not published.
func (c *nodeCollector) collectZones(gauge func(*prometheus.Desc, float64, ...string)) {
	blocked := map[registry.DomainName]float64{}
	_ = c.node.store.View(func(tx *store.ReadTx) error { // a failing store ends the node
		for _, tld := range tx.TLDs() {
			blocked[tld.Name] = 0
			guard, since := tx.ZoneGuard(tld.Name), 0.0
			if !guard.HeldAt.IsZero() {
				since = float64(guard.HeldAt.Unix())
			}
			gauge(c.zoneHeld, since, string(tld.Name))
			if at := tx.NextResign(tld.Name); !at.IsZero() {
				gauge(c.zoneRenewal, float64(at.Unix()), string(tld.Name))
			}
			if guard.IsCounted {
				gauge(c.zoneDelegations, float64(guard.Delegations), string(tld.Name))
			}
		}
		return nil
	})
	for _, alarm := range c.node.alarms.List() {
		blocked[alarm.TLD] = float64(alarm.Since.Unix())
	}
	for tld, since := range blocked {
		gauge(c.zoneBlocked, since, string(tld))
	}
}

func (c *nodeCollector) collectEdges(out chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	c.rdap.collect(counter, c.node)
	if c.node.whois != nil {
		stats := c.node.whois.Stats()
		counter(c.whoisQueries, stats.Queries)
		counter(c.whoisRefusals, stats.Refused)
		counter(c.whoisLimited, stats.Limited)
		counter(c.whoisAvailability, stats.Availability)
	}
	if c.node.dns == nil {
		return
	}
	stats := c.node.dns.Stats()
	for _, t := range []string{"udp", "tcp"} {
		sums := stats.UDP
		if t == "tcp" {
			sums = stats.TCP
		}
		counter(c.dnsQueries, sums.Queries, t)
		counter(c.dnsResponses, sums.Responses, t)
		counter(c.dnsDropped, sums.Dropped, t)
		counter(c.dnsTruncated, sums.Truncated, t)
		for rcode, replies := range sums.Rcodes {
			if replies > 0 {
				counter(c.dnsRcodes, replies, t, fmt.Sprint(rcode))
			}
		}
	}
	gauge(c.dnsTCPConns, float64(stats.TCPConns))
	counter(c.dnsTCPRejected, stats.TCPRejected)
	c.dnsVolume.collect(out, &stats)
	c.transfers.collect(out, &stats.Transfers, c.node.dns.Secondaries())
	counter(c.dnsOverflow, stats.UDPOverflow)
	counter(c.dnsRateLimited, stats.RateLimited)
	counter(c.dnsRefreshFailures, stats.RefreshFailures)
	for _, zone := range stats.Zones {
		gauge(c.dnsSerial, float64(zone.Serial), zone.TLD)
		gauge(c.dnsNames, float64(zone.Names), zone.TLD)
	}
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// serveMetrics answers /metrics, /livez, /readyz and /dnsz until ctx ends.
func (n *node) serveMetrics(ctx context.Context) error {
	registry := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "cadastre_build_info", Help: "1, labelled with what was built.",
		ConstLabels: prometheus.Labels{"version": buildVersion(), "go": runtime.Version(), "node": n.cfg.NodeID, "cluster": n.creds.ClusterID()},
	})
	build.Set(1)
	registry.MustRegister(build, newNodeCollector(n), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { writeHealth(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { writeHealth(w, n.unreadiness()) })
	if n.dns != nil {
		mux.HandleFunc("GET /dnsz", func(w http.ResponseWriter, _ *http.Request) { writeHealth(w, n.dns.Unfit(time.Now())) })
	}
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: metricsReadTimeout, ReadTimeout: metricsReadTimeout,
		WriteTimeout: metricsWriteTimeout, MaxHeaderBytes: 16 << 10,
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		graceful, cancel := context.WithTimeout(context.Background(), metricsStopTimeout)
		defer cancel()
		stopped <- errors.Join(server.Shutdown(graceful), server.Close())
	})
	err := server.Serve(n.metrics)
	if stop() {
		return fmt.Errorf("serve metrics on %s: %w", n.metrics.Addr(), err)
	}
	if err := <-stopped; err != nil {
		n.logger.Debug("slow readers of metrics were cut off", "error", err)
	}
	return nil
}

// unreadiness lists why this node should get no work, nothing if it should.
func (n *node) unreadiness() []string {
	if n.fenced.Load() {
		return []string{"the node is fenced: its state differs from the leader's"}
	}
	status, err := n.raft.Status()
	if err != nil {
		return []string{err.Error()}
	}
	var reasons []string
	if disk := n.raft.Disk(); disk.IsLow {
		reasons = append(reasons, fmt.Sprintf("%d MiB are free on the disk, the low-water mark is %d MiB", disk.FreeBytes>>20, disk.LowWaterBytes>>20))
	}
	if step := n.raft.ClockStep(); step != 0 {
		reasons = append(reasons, fmt.Sprintf("this machine's clock is %s ahead of the cluster's time", step.Round(time.Second)))
	}
	for _, alarm := range n.alarms.List() {
		if time.Since(alarm.Since) > readyAlarmAge {
			reasons = append(reasons, fmt.Sprintf("the zone %s is not published since %s: %s", alarm.TLD, alarm.Since.UTC().Format(time.RFC3339), alarm.Reason))
		}
	}
	if status.LeaderID == "" {
		reasons = append(reasons, "no leader is known")
	}
	if !status.IsMember {
		reasons = append(reasons, "the node is not in the Raft configuration")
	}
	if status.CommitIndex > status.AppliedIndex+readyLagEntries {
		reasons = append(reasons, fmt.Sprintf("applied index %d is behind commit index %d", status.AppliedIndex, status.CommitIndex))
	}
	if age := time.Since(status.LastContact); !status.LastContact.IsZero() && age > readyContactAge {
		reasons = append(reasons, fmt.Sprintf("not heard from the leader for %s", age.Round(time.Second)))
	}
	return reasons
}

func writeHealth(w http.ResponseWriter, reasons []string) {
	w.Header().Set("Content-Type", "application/json")
	if len(reasons) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"ok": len(reasons) == 0, "reasons": append([]string{}, reasons...)}) // the client may be gone
}
